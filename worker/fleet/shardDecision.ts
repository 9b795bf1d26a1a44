import type { FleetView, LeaseView, ShardView } from '../../shared/fleet/fleetView.ts';
import type { WorkerId } from '../../shared/kernel/id.ts';

/** What a worker does about one shard after a consistent read of its row and of the leases that it names. */
export type ShardDecision =
  /** The row names us and we did not know: a give to us, or a claim of ours whose answer was lost. */
  | { readonly decision: 'take'; readonly epoch: number }
  /** Nobody owns it, and it is ours to claim. */
  | { readonly decision: 'claim'; readonly row: ShardView }
  /** Ours, and promised to another who is alive. */
  | { readonly decision: 'give'; readonly row: ShardView; readonly to: LeaseView }
  /** We took it for ours, and it is not: nothing more may be done with it. */
  | { readonly decision: 'lose'; readonly owner: WorkerId | undefined }
  | { readonly decision: 'none' };

export interface Belief {
  readonly me: WorkerId;
  /** Epoch under which we hold it, if we do. */
  readonly epoch: number | undefined;
  /** Whether we were told to claim it, or claim whatever we find. */
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
