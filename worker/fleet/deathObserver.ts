import type { WorkerId } from '../../shared/kernel/id.ts';
import type { LeaseView } from './fleetView.ts';

/** When a heartbeat number of a lease was first seen, on the observer's monotonic clock. */
export interface Observation {
  readonly heartbeat: number;
  readonly sinceMs: number;
}
export type Observations = ReadonlyMap<WorkerId, Observation>;

/**
 * Folds one consistent read into what was seen before. A new number starts a new observation; leases that are gone or dead
 * leave it. Stored times play no part, so skewed clocks cannot kill a worker.
 */
export function observe(before: Observations, leases: readonly LeaseView[], nowMs: number): Observations {
  return new Map(
    leases
      .filter(({ state }) => state !== 'DEAD')
      .map(({ workerId, heartbeat }) => {
        const known = before.get(workerId);
        return [workerId, known?.heartbeat === heartbeat ? known : { heartbeat, sinceMs: nowMs }];
      }),
  );
}

/** Workers whose heartbeat number has not changed for `deathMs`, with that number: the condition of the death sentence. */
export function looksDead(
  observations: Observations,
  nowMs: number,
  deathMs: number,
): readonly { readonly workerId: WorkerId; readonly heartbeat: number }[] {
  return [...observations]
    .filter(([, { sinceMs }]) => nowMs - sinceMs >= deathMs)
    .map(([workerId, { heartbeat }]) => ({ workerId, heartbeat }));
}

/**
 * The brake: when more than a fifth of the workers, and at least three, look dead at once, the store is more likely ill than
 * they are, and nobody is sentenced (PROTOCOL.md §1).
 */
export function isMassDeath(dead: number, living: number): boolean {
  return dead >= 3 && dead > living * 0.2;
}
