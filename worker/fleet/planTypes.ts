import type { LeaseView, Orders, ShardView } from '../../shared/fleet/fleetView.ts';
import type { WorkerId } from '../../shared/kernel/id.ts';
import type { OpenStatistics, OwedOpens } from './openPlan.ts';

/** What the leader's plan is made from and of. */
export interface PlanRules {
  readonly giveDeadlineMs: number;
  readonly rebalanceEveryMs: number;
  readonly rebalancePercent: number;
  readonly canaryPercent: number;
  readonly canaryHoldMs: number;
  readonly opensPerSecond: number;
  readonly fleetOpensPerSecond: number;
}

export type MoveReason = 'drain' | 'watchdog' | 'deploy' | 'rebalance';

/** A planned move of a shard that has an owner. */
export interface Move {
  readonly shard: number;
  /** Of the shard when it was planned; a change of owner ends the move. */
  readonly epoch: number;
  readonly to: WorkerId;
  readonly reason: MoveReason;
  /** About how many connections it has. */
  readonly connections: number;
  /** When the row named the target, on the leader's monotonic clock. */
  readonly offeredAtMs: number | undefined;
}

/** What a leader remembers from plan to plan. A new leader begins with none of it and learns it from the table. */
export interface PlanMemory {
  readonly moves: readonly Move[];
  /** Connections that targets were given and may not have opened yet. */
  readonly owed: ReadonlyMap<WorkerId, OwedOpens>;
  /** Shards whose offer was withdrawn rest until then. */
  readonly restUntilMs: ReadonlyMap<number, number>;
  /** Who could take shards at the last plan, and since when it is the same. */
  readonly members: string;
  readonly membersSinceMs: number;
  readonly rebalancedAtMs: number;
  /** Since when the newest generation owns its canary share. */
  readonly canarySinceMs: number | undefined;
  readonly opens: OpenStatistics | undefined;
}

export const noMemory: PlanMemory = {
  moves: [],
  owed: new Map(),
  restUntilMs: new Map(),
  members: '',
  membersSinceMs: 0,
  rebalancedAtMs: 0,
  canarySinceMs: undefined,
  opens: undefined,
};

export interface Plan {
  /** For every worker that is not dead. */
  readonly orders: ReadonlyMap<WorkerId, Orders>;
  /** Rows that should name a next owner now. */
  readonly offers: readonly { readonly shard: ShardView; readonly to: WorkerId; readonly reason: MoveReason }[];
  /** Rows whose next owner should be removed. */
  readonly withdrawals: readonly ShardView[];
  readonly memory: PlanMemory;
}

/** Who may take shards, and who has some to lose. Each in the order of ids, so that any read gives the same plan. */
export interface SortedFleet {
  /** ALIVE, not silent, of the newest generation. */
  readonly targets: readonly LeaseView[];
  /** Targets that are not full. */
  readonly roomy: readonly LeaseView[];
  /** Who gets what must go somewhere: those with room, or all targets where nobody has any. */
  readonly takers: readonly LeaseView[];
  readonly drained: readonly LeaseView[];
  /** ALIVE and of an older generation. */
  readonly outdated: readonly LeaseView[];
}
