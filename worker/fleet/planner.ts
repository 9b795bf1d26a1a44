import type { WorkerId } from '../../shared/kernel/id.ts';
import { orphansOf, type FleetView } from './fleetView.ts';

/**
 * Who should claim which orphaned shard. Pure; safety never depends on it, because a claim is a conditional write.
 * Each orphan goes to the ALIVE worker with the fewest shards, counting those it is told to claim; the lower id wins a tie.
 * Draining, dead and silent workers get nothing; what the silent still own stays theirs until they are dead. Returns the new assignment of each of the others; shards that are not
 * orphaned any more leave it.
 */
export function plan(view: FleetView, silent: ReadonlySet<WorkerId>): ReadonlyMap<WorkerId, readonly number[]> {
  const alive = view.leases
    .filter(({ state, workerId }) => state === 'ALIVE' && !silent.has(workerId))
    .sort((left, right) => (left.workerId < right.workerId ? -1 : 1));
  const orphans = orphansOf(view).map(({ shard }) => shard);
  const open = new Set(orphans);
  const kept = new Map(alive.map((lease) => [lease.workerId, lease.assignment.filter((shard) => open.delete(shard))]));
  const owned = (workerId: WorkerId): number => view.shards.filter(({ owner }) => owner === workerId).length;
  const load = new Map(alive.map(({ workerId }) => [workerId, owned(workerId) + (kept.get(workerId)?.length ?? 0)]));
  for (const shard of [...open].sort((left, right) => left - right)) {
    const [target] = [...load].sort(([, left], [, right]) => left - right);
    if (target === undefined) break;
    const [workerId, count] = target;
    load.set(workerId, count + 1);
    kept.set(workerId, [...(kept.get(workerId) ?? []), shard]);
  }
  return kept;
}
