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

/** A worker's share, in opens per second; never more than the budget of one worker. */
export function opensPerWorker(
  workers: number,
  mode: FleetMode,
  rules: { readonly opensPerSecond: number; readonly fleetOpensPerSecond: number },
): number {
  const share = Math.min(rules.opensPerSecond, rules.fleetOpensPerSecond / Math.max(1, workers));
  return mode === 'outage' ? Math.min(OUTAGE_OPENS_PER_SECOND, share) : share;
}

/** Connections that a worker was given and had not opened at a given moment. */
export interface OwedOpens {
  readonly connections: number;
  readonly atMs: number;
}

/** The number of opens that are still owed now, when the worker opens as fast as it may. */
export function owedNow(
  owed: OwedOpens | undefined,
  nowMs: number,
  { opensPerSecond }: { readonly opensPerSecond: number },
): number {
  if (owed === undefined) return 0;
  return Math.max(0, owed.connections - (opensPerSecond * (nowMs - owed.atMs)) / 1_000);
}

/** Adds connections that the worker was given. */
export function owe(
  owed: OwedOpens | undefined,
  connections: number,
  nowMs: number,
  rules: { readonly opensPerSecond: number },
): OwedOpens {
  return { connections: owedNow(owed, nowMs, rules) + connections, atMs: nowMs };
}
