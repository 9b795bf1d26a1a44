import type { Clock } from '../../../shared/kernel/clock.ts';

/** A clock that stands still until it is moved; sleeps end when their time has come, or with their signal. */
export interface SteppedClock extends Clock {
  readonly advance: (durationMs: number) => void;
}

export function makeSteppedClock(startMs = Date.UTC(2026, 7, 1)): SteppedClock {
  let nowMs = startMs;
  const sleeping = new Set<{ readonly atMs: number; readonly wake: () => void }>();
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs - startMs,
    sleep: (durationMs, signal) =>
      new Promise((resolve) => {
        const sleeper = {
          atMs: nowMs + durationMs,
          wake: (): void => {
            sleeping.delete(sleeper);
            resolve();
          },
        };
        sleeping.add(sleeper);
        if (signal?.aborted) sleeper.wake();
        signal?.addEventListener('abort', sleeper.wake, { once: true });
      }),
    advance: (durationMs) => {
      nowMs += durationMs;
      for (const sleeper of sleeping) if (sleeper.atMs <= nowMs) sleeper.wake();
    },
  };
}
