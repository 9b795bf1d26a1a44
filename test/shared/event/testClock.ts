import type { Clock } from '../../../shared/kernel/clock.ts';

/** A clock that stands still until it is moved; a sleep takes no time and moves nothing. */
export interface TestClock extends Clock {
  readonly advance: (durationMs: number) => void;
}

/** Starts at a time in 2026, in whole minutes. */
export function makeTestClock(startMs = Date.UTC(2026, 7, 1, 12, 0)): TestClock {
  let nowMs = startMs;
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs - startMs,
    sleep: () => Promise.resolve(),
    advance: (durationMs) => {
      nowMs += durationMs;
    },
  };
}
