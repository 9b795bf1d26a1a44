import type { WorkerId } from '../kernel/id.ts';

/** What the Fleet table shows: worker leases, shard ownership, and who leads. Pure; read by workers and by operators. */
export interface FleetView {
  readonly leases: readonly LeaseView[];
  readonly shards: readonly ShardView[];
  readonly leadership: Leadership;
}

/** `tick` grows with each look that the leader takes at the fleet. */
export interface Leadership {
  readonly leader: WorkerId | undefined;
  /** Observes beside the leader, so that it has nothing to wait for when it takes over. */
  readonly deputy: WorkerId | undefined;
  readonly tick: number;
}

/** DEAD is for ever. Who drains keeps its shards until they are given or released. */
export type LeaseState = 'ALIVE' | 'DRAINING' | 'DEAD';

/** One worker process. */
export interface LeaseView {
  readonly workerId: WorkerId;
  readonly taskId: string;
  readonly state: LeaseState;
  readonly heartbeat: number;
  /** Deploy generation: workers of a newer one take over from those of older ones. */
  readonly generation: number;
  readonly zone: string | undefined;
  /** Wall clock, for people; nothing is decided by it. */
  readonly startedAtMs: number;
  readonly seenAtMs: number;
  /** How it died, once it is DEAD. */
  readonly proof: 'clean' | 'observed' | 'stopped' | undefined;
  readonly load: WorkerLoad;
  /** Shards whose rows it watches now, because the leader announced them: a give to it is taken up at once. */
  readonly expecting: readonly number[];
  readonly orders: Orders;
  /** An operator, or the watchdog, wants it to drain. */
  readonly drainRequested: boolean;
  /** Shards that the watchdog wants another worker to own. */
  readonly handOffs: readonly HandOffWish[];
}

/** A wish that a shard leave its owner. It is for one ownership only: under another epoch the shard has left already. */
export interface HandOffWish {
  readonly shard: number;
  readonly epoch: number;
}

/** What a worker says of itself with each heartbeat. Counters grow from its start. */
export interface WorkerLoad {
  readonly connections: number;
  readonly online: number;
  /** Opens that wait for their turn. */
  readonly waiting: number;
  readonly opened: number;
  readonly openFailed: number;
  /** Milliseconds in all for which its gate was closed. */
  readonly suspendedMs: number;
  /** It holds the brake: many look dead to it at once. */
  readonly braking: boolean;
  /** It takes no more shards: its memory is short, or its event loop late. */
  readonly full: boolean;
  readonly recycle: RecycleWish;
}

/** Why a worker wishes to be replaced by a new one. */
export const recycleWishes = ['none', 'age', 'memory'] as const;
export type RecycleWish = (typeof recycleWishes)[number];

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

/** What the leader leaves in a lease; the worker's next heartbeat brings it. Only proposals: each write has its condition. */
export interface Orders {
  /** Orphaned shards to claim. */
  readonly claim: readonly number[];
  /** Shards that others will give to this worker: watch their rows. */
  readonly expect: readonly number[];
  /** Shards of this worker to give away, each to the worker that its row names as next. */
  readonly give: readonly number[];
  /** Its share of the fleet's socket opens; undefined leaves it at its own setting. */
  readonly opensPerSecond: number | undefined;
  readonly mode: FleetMode;
  /** It is this worker's turn to be replaced, as it wished: drain and end. */
  readonly recycle: boolean;
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
};

/** Who owns a shard. */
export interface ShardView {
  readonly shard: number;
  readonly owner: WorkerId | undefined;
  /** Grows with each change of owner; 0 before the first claim. */
  readonly epoch: number;
  /** To whom the owner is to give it. */
  readonly next: WorkerId | undefined;
}

/** Shards that nobody owns: never claimed, released, or their owner's lease is dead or missing. */
export function orphansOf({ leases, shards }: Pick<FleetView, 'leases' | 'shards'>): readonly ShardView[] {
  const living = new Set(leases.filter(({ state }) => state !== 'DEAD').map(({ workerId }) => workerId));
  return shards.filter(({ owner }) => owner === undefined || !living.has(owner));
}

/** Shards of one worker. */
export function ownedBy(view: Pick<FleetView, 'shards'>, workerId: WorkerId): readonly ShardView[] {
  return view.shards.filter(({ owner }) => owner === workerId);
}
