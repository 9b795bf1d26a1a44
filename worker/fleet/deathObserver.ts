import type { LeaseView } from '../../shared/fleet/fleetView.ts';
import type { WorkerId } from '../../shared/kernel/id.ts';

/** When a heartbeat number of a lease was first seen, on the observer's monotonic clock. */
export interface Observation {
  readonly heartbeat: number;
  readonly sinceMs: number;
}

/** What one observer has seen by consistent reads, up to its last read. */
export interface Observations {
  readonly readAtMs: number;
  readonly workers: ReadonlyMap<WorkerId, Observation>;
}

/**
 * Folds one consistent read into what was seen before. A new number starts a new observation; leases that are gone or
 * dead leave it. Stored times play no part, so skewed clocks cannot kill a worker. All observations start anew when the
 * last read is longer ago than half of `deathMs`: a worker that could not read did not observe, and when the store was
 * away nobody could renew a lease either.
 */
export function observe(
  before: Observations | undefined,
  leases: readonly LeaseView[],
  nowMs: number,
  deathMs: number,
): Observations {
  const known = before !== undefined && nowMs - before.readAtMs <= deathMs / 2 ? before.workers : new Map();
  const workers = new Map(
    leases
      .filter(({ state }) => state !== 'DEAD')
      .map(({ workerId, heartbeat }): [WorkerId, Observation] => {
        const seen: Observation | undefined = known.get(workerId);
        return [workerId, seen?.heartbeat === heartbeat ? seen : { heartbeat, sinceMs: nowMs }];
      }),
  );
  return { readAtMs: nowMs, workers };
}

/** A worker without a new heartbeat, and the last number that it showed. */
export interface SilentWorker {
  readonly workerId: WorkerId;
  readonly heartbeat: number;
}

/**
 * Workers whose heartbeat number had not changed for this long at the last read, with that number: the condition of
 * writing their death.
 */
export function findSilent({ readAtMs, workers }: Observations, silentMs: number): readonly SilentWorker[] {
  return [...workers]
    .filter(([, { sinceMs }]) => readAtMs - sinceMs >= silentMs)
    .map(([workerId, { heartbeat }]) => ({ workerId, heartbeat }));
}

/**
 * How much earlier, in heartbeats, a worker counts for the brake than it looks dead. Workers that stop together are not
 * found together: their last heartbeats, and the reads that saw them, are each up to a jittered heartbeat apart, and
 * otherwise the brake would see one death at a time.
 */
const SPREAD_HEARTBEATS = 2.2;

/** How many workers look dead at once, and out of how many, the observer included. */
export function countSilent(
  observations: Observations,
  { deathMs, heartbeatMs }: { readonly deathMs: number; readonly heartbeatMs: number },
): { readonly dead: number; readonly living: number } {
  const silent = findSilent(observations, deathMs - SPREAD_HEARTBEATS * heartbeatMs);
  return { dead: silent.length, living: observations.workers.size };
}

/** Whether many workers looked dead at once, and since when, on the observer's monotonic clock. */
export type Brake = 'released' | { readonly sinceMs: number };

/**
 * The brake: when more than a fifth of the workers, and at least three, look dead at once, the store is more likely ill than
 * they are (docs/protocol.md, "Death"). Once pulled it stays for `brakeMs`, also when fewer look dead: a proven death among them says
 * nothing about the others.
 */
export function brake(
  before: Brake,
  { dead, living }: { readonly dead: number; readonly living: number },
  nowMs: number,
  brakeMs: number,
): Brake {
  const isMassDeath = dead >= 3 && dead * 5 > living;
  if (before === 'released') return isMassDeath ? { sinceMs: nowMs } : before;
  return isMassDeath || brakeHolds(before, nowMs, brakeMs) ? before : 'released';
}

/**
 * Whether no worker may be declared dead now: for `brakeMs`, long enough for a store that was ill to accept heartbeats
 * again. The brake does not hold for ever: workers that are still silent after it are dead.
 */
export function brakeHolds(state: Brake, nowMs: number, brakeMs: number): boolean {
  return state !== 'released' && nowMs - state.sinceMs < brakeMs;
}
