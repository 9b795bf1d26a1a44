import type { FleetView, LeaseView, ShardView } from '../../shared/fleet/fleetView.ts';
import type { WorkerId } from '../../shared/kernel/id.ts';

/** What a worker does about one shard after a consistent read of its row and of the leases that it names. */
export type ShardDecision =
  /** The row names this worker, which did not know: a give to it, or a claim of its own whose answer was lost. */
  | { readonly decision: 'take'; readonly epoch: number }
  /** No worker owns the shard, and this worker may claim it. */
  | { readonly decision: 'claim'; readonly row: ShardView }
  /** This worker owns the shard, and the row names another worker that is alive as the next owner. */
  | { readonly decision: 'give'; readonly row: ShardView; readonly to: LeaseView }
  /** This worker took the shard for its own, and it is not: nothing more may be done with it. */
  | { readonly decision: 'lose'; readonly owner: WorkerId | undefined }
  | { readonly decision: 'none' };

export interface Belief {
  readonly me: WorkerId;
  /** The epoch under which this worker holds the shard; undefined when it does not. */
  readonly epoch: number | undefined;
  /** Whether this worker was ordered to claim the shard, or may claim any orphan. */
  readonly mayClaim: boolean;
}

const none: ShardDecision = { decision: 'none' };

/**
 * The rule of ownership (docs/protocol.md, "Shards"). An owner whose lease is missing counts as dead: only a death gives a lease an
 * expiry. Stored times play no part.
 */
export function decideShard(
  row: ShardView,
  { leases }: Pick<FleetView, 'leases'>,
  { me, epoch, mayClaim }: Belief,
): ShardDecision {
  const leaseOf = (workerId: WorkerId | undefined): LeaseView | undefined =>
    leases.find((lease) => lease.workerId === workerId);
  if (row.owner === me) {
    if (epoch === undefined) return { decision: 'take', epoch: row.epoch };
    if (epoch !== row.epoch) return { decision: 'lose', owner: me };
    const to = leaseOf(row.next);
    return to?.state === 'ALIVE' && to.workerId !== me ? { decision: 'give', row, to } : none;
  }
  if (epoch !== undefined) return { decision: 'lose', owner: row.owner };
  const owner = leaseOf(row.owner);
  const isOrphan = owner === undefined || owner.state === 'DEAD';
  return isOrphan && mayClaim ? { decision: 'claim', row } : none;
}
