import { decide, type Decision } from '../../../functions/watchdog/decide.ts';
import { noWatchdogMemory, type WatchdogMemory } from '../../../functions/watchdog/watchdogMemory.ts';
import type { ConnectionVitals } from '../../../shared/connection/liveness.ts';
import type { FleetView, LeaseView } from '../../../shared/fleet/fleetView.ts';
import { aFleet, aLease, aWorkerId, shardsOf } from '../../worker/fleet/views.ts';
import { aFrozenConnection, digestsOf, rules } from './builders.ts';

export const MINUTE_MS = 60_000;
export const START_MS = 1_000_000_000;

/** What is so at one run; what is left out is as it should be. */
export interface Minute {
  readonly suspects?: readonly ConnectionVitals[];
  /** Workers that show the same heartbeat again. */
  readonly silent?: readonly number[];
  /** Workers that write no digest. */
  readonly mute?: readonly number[];
  readonly fleet?: FleetView;
  /** Since the run before. */
  readonly afterMs?: number;
}

/** Three workers with a shard each. */
export const threeWorkers = aFleet([aLease(1), aLease(2), aLease(3)], shardsOf(1, 2, 3));

/** Runs the watchdog minute by minute. Each worker writes two digests and twelve heartbeats in between. */
export function live(minutes: readonly Minute[], start: WatchdogMemory = noWatchdogMemory) {
  const decisions: Decision[] = [];
  const heartbeats = new Map<string, number>();
  const numbers = new Map<string, number>();
  let memory = start;
  let nowMs = START_MS;
  for (const { suspects = [], silent = [], mute = [], fleet = threeWorkers, afterMs = MINUTE_MS } of minutes) {
    nowMs += afterMs;
    const isAmong = (some: readonly number[], { workerId }: LeaseView): boolean =>
      some.some((number) => aWorkerId(number) === workerId);
    for (const lease of fleet.leases) {
      const { workerId } = lease;
      if (!isAmong(silent, lease)) heartbeats.set(workerId, (heartbeats.get(workerId) ?? 0) + 12);
      if (!isAmong([...silent, ...mute], lease)) numbers.set(workerId, (numbers.get(workerId) ?? 0) + 2);
    }
    const leases = fleet.leases.map((lease) => ({ ...lease, heartbeat: heartbeats.get(lease.workerId) ?? 0 }));
    const digests = new Map(
      [...digestsOf(fleet, 0, suspects)].flatMap(([workerId, digest]) => {
        const number = numbers.get(workerId);
        return number === undefined ? [] : [[workerId, { ...digest, number }] as const];
      }),
    );
    const decision = decide(memory, { ...fleet, leases }, digests, nowMs, rules);
    decisions.push(decision);
    memory = decision.memory;
  }
  return { decisions, memory, rungs: decisions.map(({ steps }) => steps.map(({ rung }) => rung)) };
}

export const times = (count: number, minute: Minute): readonly Minute[] => Array.from({ length: count }, () => minute);
export const frozen: Minute = { suspects: [aFrozenConnection(1, 0)] };
