import { makeSteppedClock, type SteppedClock } from '../../worker/sending/steppedClock.ts';

/**
 * A stepped clock whose timers end one millisecond before it has reached their time, as a timer of Node may by the monotonic
 * clock. The first look of a woken sleeper finds the time not over yet.
 */
export function makeEarlyClock(startMs?: number): SteppedClock {
  const clock = makeSteppedClock(startMs);
  return { ...clock, sleep: (durationMs, signal) => clock.sleep(Math.max(0, durationMs - 1), signal) };
}

/** Moves a clock a millisecond at a time, so that every timer ends as early as it can, and lets what it wakes run. */
export async function pass(clock: SteppedClock, durationMs: number): Promise<void> {
  for (let passedMs = 0; passedMs < durationMs; passedMs += 1) {
    clock.advance(1);
    for (let turn = 0; turn < 4; turn += 1) await Promise.resolve();
  }
}
