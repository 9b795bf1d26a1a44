import type { WorkerId } from '../kernel/id.ts';

/**
 * The contents of the Fleet table: worker leases, shard ownership, and the leader. The file is pure; workers and
 * operators read it.
 */
export interface FleetView {
  readonly leases: readonly LeaseView[];
  readonly shards: readonly ShardView[];
  readonly leadership: Leadership;
}

/** The leader and its deputy. */
export interface Leadership {
  readonly leader: WorkerId | undefined;
  /** The worker that observes beside the leader, so that it has nothing to wait for when it takes over. */
  readonly deputy: WorkerId | undefined;
}

/** DEAD is for ever. A worker that drains keeps its shards until they are given or released. */
export type LeaseState = 'ALIVE' | 'DRAINING' | 'DEAD';

/** One worker process. */
export interface LeaseView {
  readonly workerId: WorkerId;
  readonly taskId: string;
  readonly state: LeaseState;
  readonly heartbeat: number;
  /** The deploy generation: workers of a newer one take over from workers of older ones. */
  readonly deployGeneration: number;
  readonly zone: string | undefined;
  /** The start by the wall clock, for people; nothing is decided by it. */
  readonly startedAtMs: number;
  readonly seenAtMs: number;
  /** The kind of proof of its death, once it is DEAD. */
  readonly proof: 'clean' | 'observed' | 'stopped' | undefined;
  readonly load: WorkerLoad;
  /**
   * Shards whose rows the worker watches now, because the leader announced them: it becomes the owner at once when one
   * is given.
   */
  readonly expecting: readonly number[];
  readonly orders: Orders;
  /** Whether an operator or the watchdog has asked the worker to drain. */
  readonly drainRequested: boolean;
  /** Shards that the watchdog wants another worker to own. */
  readonly handOffs: readonly HandOffRequest[];
}

/**
 * A request that a shard leave its owner. It is for one ownership only: under another epoch the shard has left already.
 */
export interface HandOffRequest {
  readonly shard: number;
  readonly epoch: number;
}

/** The load that a worker reports with each heartbeat. Counters grow from its start. */
export interface WorkerLoad {
  readonly connections: number;
  readonly online: number;
  /** The number of opens that wait for their turn. */
  readonly waiting: number;
  readonly opened: number;
  readonly openFailed: number;
  /** The total time for which its gate was closed, in milliseconds. */
  readonly suspendedMs: number;
  /** Whether it holds the brake: many workers look dead to it at once. */
  readonly braking: boolean;
  /** Whether it takes no more shards: its memory is short, or its event loop late. */
  readonly full: boolean;
  readonly recycle: RecycleReason;
}

/** The reasons for which a worker asks to be recycled. */
export const recycleReasons = ['none', 'age', 'memory'] as const;
export type RecycleReason = (typeof recycleReasons)[number];

export const noLoad: WorkerLoad = {
  connections: 0,
  online: 0,
  waiting: 0,
  opened: 0,
  openFailed: 0,
  suspendedMs: 0,
  braking: false,
  full: false,
  recycle: 'none',
};

/**
 * The orders that the leader leaves in a lease; the worker's next heartbeat brings them. They are only proposals: each
 * write has its condition.
 */
export interface Orders {
  /** Orphaned shards to claim. */
  readonly claim: readonly number[];
  /** Shards that other workers will give to this one, which should watch their rows. */
  readonly expect: readonly number[];
  /** Shards of this worker to give away, each to the worker that its row names as next. */
  readonly give: readonly number[];
  /** The worker's share of the fleet's socket opens, larger while it has many to open; undefined leaves it at its own setting. */
  readonly opensPerSecond: number | undefined;
  readonly mode: FleetMode;
  /** Whether it is this worker's turn to be recycled, as it asked: it drains and ends. */
  readonly recycle: boolean;
  /**
   * Whether a newer deploy generation takes over from this worker, shard by shard: it keeps its task from being stopped meanwhile,
   * and its polls short.
   */
  readonly outgoing: boolean;
}

/** `outage`: WhatsApp refuses nearly all opens, so only a few are tried. */
export type FleetMode = 'normal' | 'outage';

export const noOrders: Orders = {
  claim: [],
  expect: [],
  give: [],
  opensPerSecond: undefined,
  mode: 'normal',
  recycle: false,
  outgoing: false,
};

/** A shard and its owner. */
export interface ShardView {
  readonly shard: number;
  readonly owner: WorkerId | undefined;
  /** A number that grows with each change of owner; 0 before the first claim. */
  readonly epoch: number;
  /** The worker to which the owner is to give it. */
  readonly next: WorkerId | undefined;
}

/** Shards without an owner: never claimed, released, or their owner's lease is dead or missing. */
export function orphansOf({ leases, shards }: Pick<FleetView, 'leases' | 'shards'>): readonly ShardView[] {
  const living = new Set(leases.filter(({ state }) => state !== 'DEAD').map(({ workerId }) => workerId));
  return shards.filter(({ owner }) => owner === undefined || !living.has(owner));
}

/** The shards of one worker. */
export function ownedBy(view: Pick<FleetView, 'shards'>, workerId: WorkerId): readonly ShardView[] {
  return view.shards.filter(({ owner }) => owner === workerId);
}
