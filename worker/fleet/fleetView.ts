import type { WorkerId } from '../../shared/kernel/id.ts';

/** What one consistent read of the Fleet table shows. */
export interface LeaseView {
  readonly workerId: WorkerId;
  readonly taskId: string;
  readonly state: 'ALIVE' | 'DRAINING' | 'DEAD';
  readonly heartbeat: number;
  /** Shards that the leader wants this worker to claim. */
  readonly assignment: readonly number[];
}

export interface ShardView {
  readonly shard: number;
  readonly owner: WorkerId | undefined;
  /** 0 before the first claim. */
  readonly epoch: number;
}

export interface FleetView {
  readonly leases: readonly LeaseView[];
  readonly shards: readonly ShardView[];
  readonly leader: WorkerId | undefined;
}

/** Shards that nobody owns: never claimed, released, or their owner's lease is dead or missing. */
export function orphansOf(view: FleetView): readonly ShardView[] {
  const living = new Set(view.leases.filter(({ state }) => state !== 'DEAD').map(({ workerId }) => workerId));
  return view.shards.filter(({ owner }) => owner === undefined || !living.has(owner));
}
