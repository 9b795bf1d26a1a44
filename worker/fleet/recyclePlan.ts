import { orphansOf, type FleetView, type LeaseView } from '../../shared/fleet/fleetView.ts';
import type { WorkerId } from '../../shared/kernel/id.ts';
import type { Move, SortedFleet } from './planTypes.ts';

/**
 * Chooses the worker that is told to drain because it has a reason to be recycled (docs/lifecycle.md, "Recycling
 * workers"): at most one of the fleet at a time, and only where another one takes over. The function is pure. It waits
 * while anything moves, while shards have no owner, or when the fleet has changed lately: the worker before has then
 * been replaced, and the fleet has come to rest, before the next one goes. A fleet of one waits for a second worker.
 * @param restedMs for how long the same workers can take shards
 */
export function chooseRecycled(
  view: FleetView,
  { targets, roomy, outdated }: SortedFleet,
  moves: readonly Move[],
  restedMs: number,
  rules: { readonly rebalanceEveryMs: number },
): WorkerId | undefined {
  // A silent worker that drains may still be draining.
  if (view.leases.some(({ state }) => state === 'DRAINING')) return undefined;
  const asking = targets.filter(({ load }) => load.recycle !== 'none');
  const chosen = asking.find(({ orders }) => orders.recycle);
  if (chosen !== undefined) return hasHeir(chosen, targets, roomy) ? chosen.workerId : undefined;
  // A deploy replaces all of them anyway.
  const isQuiet = moves.length === 0 && outdated.length === 0 && orphansOf(view).length === 0;
  if (!isQuiet || restedMs < rules.rebalanceEveryMs) return undefined;
  // Targets are in the order of their ids, and so the oldest first.
  const [first] = [...asking]
    .sort((left, right) => URGENCY[left.load.recycle] - URGENCY[right.load.recycle])
    .filter((lease) => hasHeir(lease, targets, roomy));
  return first?.workerId;
}

/** The order of the reasons: the smaller the number, the sooner. */
const URGENCY = { memory: 0, age: 1, none: 2 } as const;

/**
 * Whether another worker has room for the shards. A worker that is old can wait for room. A worker that is short of
 * memory cannot: where all leak alike, all are full at the same time.
 */
function hasHeir({ workerId, load }: LeaseView, targets: readonly LeaseView[], roomy: readonly LeaseView[]): boolean {
  return (load.recycle === 'memory' ? targets : roomy).some((other) => other.workerId !== workerId);
}
