import type { LeaseView, Orders, ShardView } from '../../shared/fleet/fleetView.ts';
import type { WorkerId } from '../../shared/kernel/id.ts';
import type { OpenStatistics, OwedOpens } from './openPlan.ts';

/** The rules that the leader's plan follows. */
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
  /** The shard's epoch when the move was planned; a change of owner ends the move. */
  readonly epoch: number;
  readonly to: WorkerId;
  readonly reason: MoveReason;
  /** The approximate number of its connections. */
  readonly connections: number;
  /** The time at which the row named the target, on the leader's monotonic clock; undefined before. */
  readonly offeredAtMs: number | undefined;
}

/** The memory of a leader from plan to plan. A new leader begins with an empty one and learns it from the table. */
export interface PlanMemory {
  readonly moves: readonly Move[];
  /** Connections that targets were given and may not have opened yet. */
  readonly owed: ReadonlyMap<WorkerId, OwedOpens>;
  /** Until when shards rest whose offer was withdrawn, on the leader's monotonic clock. */
  readonly restUntilMs: ReadonlyMap<number, number>;
  /**
   * The ids of the workers that could take shards at the last plan, joined; the time below says since when they are the
   * same.
   */
  readonly members: string;
  readonly membersSinceMs: number;
  readonly rebalancedAtMs: number;
  /** Since when the newest deploy generation owns its canary share; undefined while it does not. */
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
  /** The orders of every worker that is not dead. */
  readonly orders: ReadonlyMap<WorkerId, Orders>;
  /** Rows that should name a next owner now. */
  readonly offers: readonly { readonly shard: ShardView; readonly to: WorkerId; readonly reason: MoveReason }[];
  /** Rows whose next owner should be removed. */
  readonly withdrawals: readonly ShardView[];
  readonly memory: PlanMemory;
}

/**
 * The workers that may take shards, and the ones that have some to lose. Each list is in the order of ids, so that any
 * read gives the same plan.
 */
export interface SortedFleet {
  /** Workers that are ALIVE, not silent, and of the newest deploy generation. */
  readonly targets: readonly LeaseView[];
  /** Targets that are not full. */
  readonly roomy: readonly LeaseView[];
  /** The workers that get the shards which must leave: the targets with room, or all targets when none has room. */
  readonly takers: readonly LeaseView[];
  readonly drained: readonly LeaseView[];
  /** Workers that are ALIVE and of an older deploy generation. */
  readonly outdated: readonly LeaseView[];
}
