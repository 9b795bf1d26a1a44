import type { FleetMode, LeaseView } from '../../shared/fleet/fleetView.ts';
import type { WorkerId } from '../../shared/kernel/id.ts';

/**
 * The leader's part of promise *no-storm*: it shares the fleet's socket opens out, and turns them down to a trickle
 * while WhatsApp refuses nearly all of them, so that sockets do not all come back at once.
 */
export interface OpenStatistics {
  readonly mode: FleetMode;
  /** The time at which this period began, on the leader's monotonic clock. */
  readonly sinceMs: number;
  /** Counters of each worker when the period began. */
  readonly counters: ReadonlyMap<WorkerId, Counters>;
}

interface Counters {
  readonly opened: number;
  readonly openFailed: number;
}

const PERIOD_MS = 10_000;
/** The number of tries below which their outcome says little. */
const FEWEST_TRIES = 20;
const OUTAGE_FAILED_SHARE = 0.8;
/** The share of successful tries that ends an outage. */
const RECOVERED_SHARE = 0.5;
/** Tries per second and worker while WhatsApp is out. They find out whether it is back. */
const OUTAGE_OPENS_PER_SECOND = 1;

/** Judges the opens that the workers report, one period after another. */
export function judgeOpens(
  leases: readonly LeaseView[],
  before: OpenStatistics | undefined,
  nowMs: number,
): OpenStatistics {
  const counters = new Map(leases.map(({ workerId, load }): [WorkerId, Counters] => [workerId, load]));
  if (before === undefined) return { mode: 'normal', sinceMs: nowMs, counters };
  if (nowMs - before.sinceMs < PERIOD_MS) return before;
  let opened = 0;
  let failed = 0;
  for (const [workerId, now] of counters) {
    const then = before.counters.get(workerId) ?? { opened: 0, openFailed: 0 };
    opened += now.opened - then.opened;
    failed += now.openFailed - then.openFailed;
  }
  return { mode: nextMode(before.mode, opened, failed), sinceMs: nowMs, counters };
}

function nextMode(mode: FleetMode, opened: number, failed: number): FleetMode {
  const tries = opened + failed;
  if (mode === 'normal') return tries >= FEWEST_TRIES && failed / tries >= OUTAGE_FAILED_SHARE ? 'outage' : 'normal';
  return tries > 0 && opened / tries >= RECOVERED_SHARE ? 'normal' : 'outage';
}

/** The pace of opens that the rules allow a worker and the fleet, each in opens per second. */
interface OpenRules {
  readonly opensPerSecond: number;
  readonly fleetOpensPerSecond: number;
}

/** The part of the fleet's opens that all workers share alike, while others open: for sockets that are lost meanwhile. */
const SHARE_OF_ALL = 0.1;

/** The number of workers that can open at their own full pace at the same time. */
export function mostOpening({ opensPerSecond, fleetOpensPerSecond }: OpenRules): number {
  return Math.max(1, Math.floor(fleetOpensPerSecond / opensPerSecond));
}

/**
 * Shares the fleet's opens out: each worker's part, in opens per second. While nobody has more to open than another, all
 * have the same. Otherwise a tenth goes to all alike and the rest to those who open, so that a fleet in which most are
 * idle still opens as fast as it may. A worker never gets more than its own budget, and all together never more than the
 * fleet's. Parts are rounded down, so that a worker more or less does not change the orders of all the others.
 * @param opening those of the workers that have many sockets to open
 */
export function shareOpens(
  workers: readonly WorkerId[],
  opening: ReadonlySet<WorkerId>,
  mode: FleetMode,
  { opensPerSecond, fleetOpensPerSecond }: OpenRules,
): ReadonlyMap<WorkerId, number> {
  const count = workers.filter((workerId) => opening.has(workerId)).length;
  const isAlike = count === 0 || count === workers.length;
  const ofAll = (fleetOpensPerSecond * (isAlike ? 1 : SHARE_OF_ALL)) / Math.max(1, workers.length);
  const ofOpening = isAlike ? ofAll : ofAll + (fleetOpensPerSecond * (1 - SHARE_OF_ALL)) / count;
  const most = mode === 'outage' ? Math.min(OUTAGE_OPENS_PER_SECOND, opensPerSecond) : opensPerSecond;
  const busy = Math.min(most, roundDown(ofOpening, 2));
  const idle = Math.min(most, roundDown(ofAll, isAlike ? 2 : 1));
  return new Map(workers.map((workerId) => [workerId, opening.has(workerId) ? busy : idle]));
}

function roundDown(value: number, digits: number): number {
  if (value <= 0) return 0;
  const step = 10 ** (Math.floor(Math.log10(value)) + 1 - digits);
  // Steps below one are counted by their inverse, which is a whole number.
  return step >= 1 ? Math.floor(value / step) * step : Math.floor(value * Math.round(1 / step)) / Math.round(1 / step);
}

/**
 * The pace at which a target opens, as far as its orders say, in opens per second. In an outage the pace of a worker says
 * nothing of how many shards it may hold.
 */
export function paceOf(
  { orders }: Pick<LeaseView, 'orders'>,
  { opensPerSecond }: Pick<OpenRules, 'opensPerSecond'>,
): number {
  return orders.mode === 'outage' ? opensPerSecond : Math.min(opensPerSecond, orders.opensPerSecond ?? opensPerSecond);
}

/** Connections that a worker was given and had not opened at a given moment. */
export interface OwedOpens {
  readonly connections: number;
  readonly atMs: number;
}

/**
 * The number of opens that are still owed now, when the worker opens as fast as it may.
 * @param pace its opens per second
 */
export function owedNow(owed: OwedOpens | undefined, nowMs: number, pace: number): number {
  if (owed === undefined) return 0;
  return Math.max(0, owed.connections - (pace * (nowMs - owed.atMs)) / 1_000);
}

/** Adds connections that the worker was given. */
export function owe(owed: OwedOpens | undefined, connections: number, nowMs: number, pace: number): OwedOpens {
  return { connections: owedNow(owed, nowMs, pace) + connections, atMs: nowMs };
}
