import {
  noOrders,
  orphansOf,
  ownedBy,
  type FleetView,
  type LeaseView,
  type Orders,
} from '../../shared/fleet/fleetView.ts';
import type { WorkerId } from '../../shared/kernel/id.ts';
import { chooseOffers, chooseOpening, followMoves, leastLoaded, loadOf, planMoves } from './movePlan.ts';
import { judgeOpens, shareOpens, type OpenStatistics } from './openPlan.ts';
import type { Move, Plan, PlanMemory, PlanRules, SortedFleet } from './planTypes.ts';
import { chooseRecycled } from './recyclePlan.ts';

/**
 * The leader's plan (docs/protocol.md, "Leader"): who claims which orphan, who gives which shard to whom, and how fast sockets may open.
 * Pure, and only a proposal: each claim and each give is a conditional write, so a wrong plan is slow and never unsafe.
 *
 * A planned move goes through three steps, each seen in the table before the next:
 *   announced   the target's orders say `expect`; its next heartbeat says that it watches the row
 *   offered     the shard's row names the target as `next`, the owner's orders say `give`
 *   given       the owner's write has named the target as owner
 *
 * @param silent workers that look dead but are not declared so: they get nothing, and keep what they own
 */
export function plan(
  view: FleetView,
  silent: ReadonlySet<WorkerId>,
  before: PlanMemory,
  nowMs: number,
  rules: PlanRules,
): Plan {
  const fleet = sortFleet(view, silent);
  const members = fleet.targets.map(({ workerId }) => workerId).join();
  const remembered = { ...before, membersSinceMs: members === before.members ? before.membersSinceMs : nowMs, members };
  const followed = followMoves(view, fleet, remembered, nowMs, rules);
  const claims = assignOrphans(view, fleet, followed.moves);
  const planned = planMoves(view, fleet, { ...remembered, ...followed }, claims, nowMs, rules);
  const opening = chooseOpening(fleet, planned.memory, nowMs, rules);
  const offers = chooseOffers(view, fleet, planned.memory, opening, nowMs, rules);
  const offered = new Set(offers.map(({ shard }) => shard.shard));
  const moves = planned.memory.moves.map((move) => (offered.has(move.shard) ? { ...move, offeredAtMs: nowMs } : move));
  const opens = judgeOpens(view.leases, before.opens, nowMs);
  const restedMs = nowMs - remembered.membersSinceMs;
  const recycled = chooseRecycled(view, fleet, moves, restedMs, rules);
  return {
    orders: toOrders(view, fleet, { claims, moves, opens, opening, recycled }, rules),
    offers,
    withdrawals: followed.withdrawals,
    memory: { ...planned.memory, moves, opens },
  };
}

function sortFleet({ leases }: FleetView, silent: ReadonlySet<WorkerId>): SortedFleet {
  const sorted = [...leases].sort((left, right) => (left.workerId < right.workerId ? -1 : 1));
  const able = sorted.filter(({ state, workerId, drainRequested }) => {
    return state === 'ALIVE' && !drainRequested && !silent.has(workerId);
  });
  const newest = Math.max(...able.map(({ deployGeneration }) => deployGeneration));
  const targets = able.filter(({ deployGeneration }) => deployGeneration === newest);
  const roomy = targets.filter(({ load }) => !load.full);
  return {
    targets,
    roomy,
    takers: roomy.length > 0 ? roomy : targets,
    drained: sorted.filter(({ state, workerId }) => state === 'DRAINING' && !silent.has(workerId)),
    outdated: able.filter(({ deployGeneration }) => deployGeneration !== newest),
  };
}

/**
 * Assigns each orphan to the taker with the fewest shards. A taker that was told to claim it keeps that order, as long
 * as it has room.
 */
function assignOrphans(
  view: FleetView,
  { targets, takers }: SortedFleet,
  moves: readonly Move[],
): ReadonlyMap<WorkerId, readonly number[]> {
  const open = new Set(orphansOf(view).map(({ shard }) => shard));
  const claims = new Map(
    targets.map((lease) => [
      lease.workerId,
      takers.includes(lease) ? lease.orders.claim.filter((shard) => open.delete(shard)) : [],
    ]),
  );
  const load = new Map(takers.map(({ workerId }) => [workerId, loadOf(view, workerId, claims, moves)]));
  for (const shard of [...open].sort((left, right) => left - right)) {
    const target = leastLoaded(load, takers);
    if (target === undefined) break;
    claims.set(target, [...(claims.get(target) ?? []), shard]);
    load.set(target, (load.get(target) ?? 0) + 1);
  }
  return claims;
}

/** What was decided for this round. */
interface Decided {
  readonly claims: ReadonlyMap<WorkerId, readonly number[]>;
  readonly moves: readonly Move[];
  readonly opens: OpenStatistics;
  /** The targets that are given shards now. */
  readonly opening: ReadonlySet<WorkerId>;
  readonly recycled: WorkerId | undefined;
}

function toOrders(
  view: FleetView,
  { outdated }: SortedFleet,
  { claims, moves, opens, opening, recycled }: Decided,
  rules: PlanRules,
): ReadonlyMap<WorkerId, Orders> {
  const living = view.leases.filter(({ state }) => state !== 'DEAD');
  const shares = shareOpens(
    living.map(({ workerId }) => workerId),
    whoOpens(living, claims, opening, rules),
    opens.mode,
    rules,
  );
  const offered = new Set(moves.filter(({ offeredAtMs }) => offeredAtMs !== undefined).map(({ shard }) => shard));
  // All old workers stay until the last shard has left the last of them: their number says how many new ones will come.
  const isDeploying = outdated.some(({ workerId }) => ownedBy(view, workerId).length > 0);
  const kept = new Set(isDeploying ? outdated.map(({ workerId }) => workerId) : []);
  return new Map(
    living.map(({ workerId }) => [
      workerId,
      {
        ...noOrders,
        claim: claims.get(workerId) ?? [],
        // The order to watch and the pace at which to open are read together, so that a target that watches has its pace.
        expect: opening.has(workerId) ? moves.filter(({ to }) => to === workerId).map(({ shard }) => shard) : [],
        give: ownedBy(view, workerId)
          .map(({ shard }) => shard)
          .filter((shard) => offered.has(shard)),
        opensPerSecond: shares.get(workerId),
        mode: opens.mode,
        recycle: workerId === recycled,
        outgoing: kept.has(workerId),
      },
    ]),
  );
}

/** Workers that have many sockets to open: what they are given, what they claim, or what they lost. */
function whoOpens(
  living: readonly LeaseView[],
  claims: ReadonlyMap<WorkerId, readonly number[]>,
  opening: ReadonlySet<WorkerId>,
  { opensPerSecond }: PlanRules,
): ReadonlySet<WorkerId> {
  const opens = ({ workerId, load }: LeaseView): boolean =>
    opening.has(workerId) || (claims.get(workerId) ?? []).length > 0 || load.waiting >= opensPerSecond;
  return new Set(living.filter(opens).map(({ workerId }) => workerId));
}
