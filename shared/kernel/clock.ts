/**
 * Time as an argument. Durations are measured on the monotonic clock; times that are stored or shown are wall-clock
 * milliseconds since 1970. Nothing else in the product reads a clock, so tests can own it.
 */
export interface Clock {
  /** Wall clock, milliseconds since 1970 UTC. For stored and shown times, never for durations. */
  readonly nowMs: () => number;
  /** Monotonic milliseconds since an arbitrary start. For durations and deadlines. */
  readonly monotonicMs: () => number;
  /** Resolves after `durationMs`, or at once when `signal` aborts. Never rejects. */
  readonly sleep: (durationMs: number, signal?: AbortSignal) => Promise<void>;
}

/** The machine's own clocks. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (durationMs, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) {
        resolve();
        return;
      }
      const finish = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', finish);
        resolve();
      };
      const timer = setTimeout(finish, durationMs);
      signal?.addEventListener('abort', finish, { once: true });
    }),
};
