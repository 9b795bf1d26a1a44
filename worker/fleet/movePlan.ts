import { orphansOf, ownedBy, type FleetView, type LeaseView, type ShardView } from '../../shared/fleet/fleetView.ts';
import type { WorkerId } from '../../shared/kernel/id.ts';
import { mostOpening, owe, owedNow, paceOf } from './openPlan.ts';
import type { Move, MoveReason, Plan, PlanMemory, PlanRules, SortedFleet } from './planTypes.ts';

/** Moves of shards that have an owner: the state of planned ones, new ones, and which may go now. The file is pure. */
/** A target takes no more connections at once than it can open in this time. */
const BURST_SECONDS = 2;
/** After so many rests without a new worker no more of them are awaited. Fargate starts a task within about a minute. */
const COMPLETE_AFTER_RESTS = 2;

/** Follows the moves that were planned, and adopts offers that an earlier leader made. */
export function followMoves(
  view: FleetView,
  { targets, takers }: SortedFleet,
  before: PlanMemory,
  nowMs: number,
  rules: PlanRules,
): Pick<PlanMemory, 'moves' | 'owed' | 'restUntilMs'> & { readonly withdrawals: readonly ShardView[] } {
  const able = new Map(targets.map((lease) => [lease.workerId, lease]));
  const taking = new Set(takers.map(({ workerId }) => workerId));
  const living = new Set(view.leases.filter(({ state }) => state !== 'DEAD').map(({ workerId }) => workerId));
  const owed = new Map([...before.owed].filter(([workerId]) => able.has(workerId)));
  const rest = new Map([...before.restUntilMs].filter(([, untilMs]) => untilMs > nowMs));
  const known = new Map(before.moves.map((move) => [move.shard, move]));
  const moves: Move[] = [];
  const withdrawals: ShardView[] = [];
  for (const row of view.shards) {
    const move = known.get(row.shard);
    if (move !== undefined && row.epoch !== move.epoch) {
      const target = able.get(move.to);
      if (row.owner === move.to && target !== undefined) {
        owed.set(move.to, owe(owed.get(move.to), move.connections, nowMs, paceOf(target, rules)));
      }
      known.delete(row.shard);
    }
    const isOwned = row.owner !== undefined && living.has(row.owner);
    // The offer ends: a claim removes the target that an orphan's row names.
    if (!isOwned) continue;
    const current = known.get(row.shard);
    if (row.next === undefined) {
      // A target that is full by now does not get a shard that it was not offered yet.
      if (current === undefined || !taking.has(current.to)) continue;
      moves.push({ ...current, offeredAtMs: undefined });
      continue;
    }
    const connections = connectionsOf(view, row);
    const adopted = current ?? { shard: row.shard, epoch: row.epoch, to: row.next, reason: 'drain', connections };
    const offeredAtMs = current?.offeredAtMs ?? nowMs;
    const isOverdue = nowMs - offeredAtMs >= rules.giveDeadlineMs;
    if (isOverdue) rest.set(row.shard, nowMs + rules.giveDeadlineMs);
    if (isOverdue || adopted.to !== row.next || !able.has(adopted.to)) withdrawals.push(row);
    else moves.push({ ...adopted, offeredAtMs });
  }
  return { moves, owed, restUntilMs: rest, withdrawals };
}

/** Moves while they are planned: who has how much, and what moves already. */
class Moving {
  readonly moves: Move[];
  readonly load: Map<WorkerId, number>;
  readonly #view: FleetView;
  readonly #unwelcome: ReadonlyMap<number, ReadonlySet<WorkerId>>;
  readonly #moving: Set<number>;
  readonly #restUntilMs: PlanMemory['restUntilMs'];

  constructor(
    view: FleetView,
    { targets }: Pick<SortedFleet, 'targets'>,
    memory: PlanMemory,
    claims: ReadonlyMap<WorkerId, readonly number[]>,
  ) {
    this.moves = [...memory.moves];
    this.load = new Map(targets.map(({ workerId }) => [workerId, loadOf(view, workerId, claims, this.moves)]));
    this.#view = view;
    this.#unwelcome = unwelcomeAt(view);
    this.#moving = new Set(this.moves.map(({ shard }) => shard));
    this.#restUntilMs = memory.restUntilMs;
  }

  readonly mayMove = ({ shard }: ShardView): boolean => !this.#moving.has(shard) && !this.#restUntilMs.has(shard);

  move(row: ShardView, to: WorkerId, reason: MoveReason): void {
    const { shard, epoch } = row;
    const connections = connectionsOf(this.#view, row);
    this.moves.push({ shard, epoch, to, reason, connections, offeredAtMs: undefined });
    this.#moving.add(shard);
    this.load.set(to, (this.load.get(to) ?? 0) + 1);
    const from = row.owner === undefined ? undefined : this.load.get(row.owner);
    if (row.owner !== undefined && from !== undefined) this.load.set(row.owner, from - 1);
  }

  /** The load without the workers that the watchdog has found unable to keep this shard well. */
  loadWithout({ shard }: ShardView): ReadonlyMap<WorkerId, number> {
    const without = this.#unwelcome.get(shard);
    return without === undefined ? this.load : new Map([...this.load].filter(([workerId]) => !without.has(workerId)));
  }

  isUnwelcome(workerId: WorkerId, { shard }: ShardView): boolean {
    return this.#unwelcome.get(shard)?.has(workerId) ?? false;
  }

  shardsOf(leases: readonly LeaseView[]): readonly ShardView[] {
    return leases.flatMap(({ workerId }) => ownedBy(this.#view, workerId)).filter(this.mayMove);
  }
}

/**
 * Plans new moves: away from workers that drain, away from workers that the watchdog wants a shard to leave, else from
 * older deploy generations, else from the fullest to the emptiest.
 */
export function planMoves(
  view: FleetView,
  sorted: SortedFleet,
  memory: PlanMemory,
  claims: ReadonlyMap<WorkerId, readonly number[]>,
  nowMs: number,
  rules: PlanRules,
): { readonly memory: PlanMemory } {
  const { targets, roomy, takers, drained, outdated } = sorted;
  const moving = new Moving(view, sorted, memory, claims);
  for (const row of moving.shardsOf(drained)) {
    // A worker that drains will end: then even a worker that the watchdog wants this shard to leave is better than
    // none.
    const target = leastLoaded(moving.loadWithout(row), takers) ?? leastLoaded(moving.load, takers);
    if (target !== undefined) moving.move(row, target, 'drain');
  }
  for (const row of shardsToMoveAway(view, [...targets, ...outdated]).filter(moving.mayMove)) {
    const target = leastLoaded(moving.loadWithout(row), takers);
    if (target !== undefined) moving.move(row, target, 'watchdog');
  }
  const share = shareOfNew(view, sorted, nowMs - memory.membersSinceMs, rules);
  const canary = judgeCanary(view, targets, outdated, memory, moving.moves, nowMs, rules);
  let room = canary.room;
  for (const row of outdated.length === 0 ? [] : moving.shardsOf(outdated)) {
    // Most looks find every new worker with its share already.
    if (room <= 0 || !roomy.some(({ workerId }) => hasShareLeft(moving.load, workerId, share))) break;
    const target = leastLoaded(moving.loadWithout(row), roomy);
    if (target === undefined || !hasShareLeft(moving.load, target, share)) continue;
    room -= 1;
    moving.move(row, target, 'deploy');
  }
  const isQuiet = moving.moves.length === 0 && outdated.length === 0 && orphansOf(view).length === 0;
  const isDue = (sinceMs: number): boolean => nowMs - sinceMs >= rules.rebalanceEveryMs;
  const isRebalanced =
    isQuiet && isDue(memory.membersSinceMs) && isDue(memory.rebalancedAtMs) && rebalance(view, moving, roomy, rules);
  const rebalancedAtMs = isRebalanced ? nowMs : memory.rebalancedAtMs;
  return { memory: { ...memory, moves: moving.moves, rebalancedAtMs, canarySinceMs: canary.sinceMs } };
}

/** Shards spread evenly: each worker has at least so many, and so many of them have one more. */
interface EvenShare {
  readonly least: number;
  readonly withOneMore: number;
}

/**
 * The shards that a new worker takes from workers of an older deploy generation. There will be as many new ones as there are old
 * ones, since the old ones stay until all shards have left: so the first new one takes what it will have in the end, and no
 * shard moves twice. Only when no new one has come for a while is the fleet what it will be.
 * @param restedMs for how long the same workers can take shards
 */
function shareOfNew(
  { shards }: FleetView,
  { targets, outdated }: SortedFleet,
  restedMs: number,
  rules: PlanRules,
): EvenShare {
  const isComplete = restedMs >= COMPLETE_AFTER_RESTS * rules.rebalanceEveryMs;
  const workers = Math.max(1, targets.length, isComplete ? 0 : outdated.length);
  return { least: Math.floor(shards.length / workers), withOneMore: shards.length % workers };
}

function hasShareLeft(load: ReadonlyMap<WorkerId, number>, target: WorkerId, share: EvenShare): boolean {
  const own = load.get(target) ?? 0;
  if (own !== share.least) return own < share.least;
  return [...load.values()].filter((count) => count > share.least).length < share.withOneMore;
}

/** Moves a few shards from the fullest to the emptiest. Returns whether there was anything to move. */
function rebalance(view: FleetView, moving: Moving, roomy: SortedFleet['roomy'], rules: PlanRules): boolean {
  const most = Math.max(1, Math.floor((view.shards.length * rules.rebalancePercent) / 100));
  for (let count = 0; count < most; count += 1) {
    const { load } = moving;
    const [full, empty] = [fullest(load), leastLoaded(load, roomy)];
    // A difference of one is even: moving a shard would only turn it round.
    if (full === undefined || empty === undefined || (load.get(full) ?? 0) - (load.get(empty) ?? 0) < 2) {
      return count > 0;
    }
    const row = ownedBy(view, full).find((one) => moving.mayMove(one) && !moving.isUnwelcome(empty, one));
    if (row === undefined) return count > 0;
    moving.move(row, empty, 'rebalance');
  }
  return true;
}

/** Shards that the watchdog wants away from the workers that own them now. */
function shardsToMoveAway(view: FleetView, leases: readonly LeaseView[]): readonly ShardView[] {
  return leases.flatMap(({ workerId, handOffs }) =>
    ownedBy(view, workerId).filter((row) =>
      handOffs.some(({ shard, epoch }) => shard === row.shard && epoch === row.epoch),
    ),
  );
}

/**
 * The workers that the watchdog wants a shard to leave, for each shard of which it wants that: those whose lease has such a
 * request, also when they have given the shard away.
 */
function unwelcomeAt({ leases }: FleetView): ReadonlyMap<number, ReadonlySet<WorkerId>> {
  const found = new Map<number, Set<WorkerId>>();
  for (const { workerId, handOffs } of leases) {
    for (const { shard } of handOffs) found.set(shard, (found.get(shard) ?? new Set()).add(workerId));
  }
  return found;
}

function fullest(load: ReadonlyMap<WorkerId, number>): WorkerId | undefined {
  let most: WorkerId | undefined;
  for (const [workerId, count] of load) if (most === undefined || count > (load.get(most) ?? 0)) most = workerId;
  return most;
}

/**
 * How many more shards may move to the newest deploy generation now: its canary share first, the rest when that share was
 * watched for long enough.
 */
function judgeCanary(
  view: FleetView,
  targets: readonly LeaseView[],
  outdated: readonly LeaseView[],
  { canarySinceMs }: PlanMemory,
  moves: readonly Move[],
  nowMs: number,
  rules: PlanRules,
): { readonly room: number; readonly sinceMs: number | undefined } {
  if (outdated.length === 0) return { room: 0, sinceMs: undefined };
  const share = Math.max(1, Math.ceil((view.shards.length * rules.canaryPercent) / 100));
  const there = targets.reduce((count, { workerId }) => count + ownedBy(view, workerId).length, 0);
  const sinceMs = there >= share ? (canarySinceMs ?? nowMs) : undefined;
  if (sinceMs !== undefined && nowMs - sinceMs >= rules.canaryHoldMs) return { room: view.shards.length, sinceMs };
  return { room: share - there - moves.length, sinceMs };
}

/** The approximate number of connections of a shard: its owner reports only how many it holds in all. */
function connectionsOf(view: FleetView, { owner }: ShardView): number {
  const lease = view.leases.find(({ workerId }) => workerId === owner);
  if (lease === undefined) return 0;
  return lease.load.connections / Math.max(1, ownedBy(view, lease.workerId).length);
}

/**
 * Chooses the targets that are given shards now: no more than can open at their full pace at the same time, since at a
 * lower one a socket would be away for longer. A target that was told to watch goes on until it has all its shards, because
 * an offer relies on it watching. A worker that must end waits for nobody: its targets come on top. The others follow in the
 * order of ids.
 */
export function chooseOpening(
  { targets }: SortedFleet,
  { moves, owed }: Pick<PlanMemory, 'moves' | 'owed'>,
  nowMs: number,
  rules: PlanRules,
): ReadonlySet<WorkerId> {
  const coming = Map.groupBy(moves, ({ to }) => to);
  const isOpening = (lease: LeaseView): boolean => {
    const own = coming.get(lease.workerId) ?? [];
    const isTold = own.some(
      ({ shard, offeredAtMs }) => offeredAtMs !== undefined || lease.orders.expect.includes(shard),
    );
    return isTold || owedNow(owed.get(lease.workerId), nowMs, paceOf(lease, rules)) > 0;
  };
  const chosen = new Set(targets.filter(isOpening).map(({ workerId }) => workerId));
  for (const { workerId } of targets) {
    const own = coming.get(workerId) ?? [];
    const isUrgent = own.some(({ reason }) => reason === 'drain');
    if (isUrgent || (own.length > 0 && chosen.size < mostOpening(rules))) chosen.add(workerId);
  }
  return chosen;
}

/**
 * Chooses the announced moves that may be offered: the target is one of those who open now, watches the row, and its open
 * budget has room for the connections. So a drain never closes sockets faster than they can be opened again; a target
 * that owes nothing takes any shard.
 */
export function chooseOffers(
  view: FleetView,
  { targets }: SortedFleet,
  { moves, owed }: Pick<PlanMemory, 'moves' | 'owed'>,
  opening: ReadonlySet<WorkerId>,
  nowMs: number,
  rules: PlanRules,
): Plan['offers'] {
  const able = new Map(targets.map((lease) => [lease.workerId, { lease, pace: paceOf(lease, rules) }]));
  const coming = new Map([...able].map(([workerId, { pace }]) => [workerId, owedNow(owed.get(workerId), nowMs, pace)]));
  for (const { to, connections, offeredAtMs } of moves) {
    if (offeredAtMs !== undefined) coming.set(to, (coming.get(to) ?? 0) + Math.max(1, connections));
  }
  const offers: Plan['offers'][number][] = [];
  for (const { shard, to, reason, connections, offeredAtMs } of moves) {
    const target = able.get(to);
    const row = view.shards.find((found) => found.shard === shard);
    if (offeredAtMs !== undefined || target === undefined || row === undefined || !opening.has(to)) continue;
    const before = coming.get(to) ?? 0;
    const hasRoom = before === 0 || before + connections <= BURST_SECONDS * target.pace;
    if (!hasRoom || !target.lease.expecting.includes(shard)) continue;
    coming.set(to, before + Math.max(1, connections));
    offers.push({ shard: row, to, reason });
  }
  return offers;
}

/** The number of shards that each worker has, is told to claim, or is to be given, less the ones that it gives away. */
export function loadOf(
  view: FleetView,
  workerId: WorkerId,
  claims: ReadonlyMap<WorkerId, readonly number[]>,
  moves: readonly Move[],
): number {
  const leaving = new Set(moves.map(({ shard }) => shard));
  const staying = ownedBy(view, workerId).filter(({ shard }) => !leaving.has(shard)).length;
  return staying + (claims.get(workerId)?.length ?? 0) + moves.filter(({ to }) => to === workerId).length;
}

/** The worker among these with the lowest load, of those whose load is known; the first one of several. */
export function leastLoaded(load: ReadonlyMap<WorkerId, number>, among: readonly LeaseView[]): WorkerId | undefined {
  let least: WorkerId | undefined;
  for (const { workerId } of among) {
    const own = load.get(workerId);
    if (own !== undefined && (least === undefined || own < (load.get(least) ?? 0))) least = workerId;
  }
  return least;
}
