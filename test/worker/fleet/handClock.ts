import type { Clock } from '../../../shared/kernel/clock.ts';

/** Two clocks that the test moves apart or together; sleeping is not possible. */
export interface HandClock extends Clock {
  /** Time in which the machine runs. */
  readonly run: (durationMs: number) => void;
  /** Time in which the machine sleeps: the monotonic clock stands still. */
  readonly sleepMachine: (durationMs: number) => void;
  /** Somebody sets the wall clock. */
  readonly setWall: (byMs: number) => void;
}

export function makeHandClock(): HandClock {
  let monotonicMs = 1_000;
  let wallMs = Date.UTC(2026, 7, 1);
  return {
    nowMs: () => wallMs,
    monotonicMs: () => monotonicMs,
    sleep: () => Promise.reject(new Error('this clock is moved by hand')),
    run: (durationMs) => {
      monotonicMs += durationMs;
      wallMs += durationMs;
    },
    sleepMachine: (durationMs) => {
      wallMs += durationMs;
    },
    setWall: (byMs) => {
      wallMs += byMs;
    },
  };
}
