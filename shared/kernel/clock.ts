/**
 * Time as an argument. Durations are measured on the monotonic clock; times that are stored or shown are wall-clock
 * milliseconds since 1970. Nothing else in the product reads a clock, so tests can own it.
 */
export interface Clock {
  /** Reads the wall clock, in milliseconds since 1970 UTC. It is for stored and shown times, never for durations. */
  readonly nowMs: () => number;
  /** Reads the monotonic clock, in milliseconds since an arbitrary start. It is for durations and deadlines. */
  readonly monotonicMs: () => number;
  /** Resolves after `durationMs`, or at once when `signal` aborts. Never rejects. */
  readonly sleep: (durationMs: number, signal?: StopSignal) => Promise<void>;
}

/** What a wait needs of an AbortSignal, and a {@link Stop} has. */
export interface StopSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/**
 * Ends waits early, one at a time. An AbortController does the same, with events that take longer to make than the timer
 * that they end: at each call that has a deadline.
 */
export class Stop implements StopSignal {
  #aborted = false;
  #listener: (() => void) | undefined;

  get aborted(): boolean {
    return this.#aborted;
  }

  /** Ends the wait, or the next one before it begins. Calling it again does nothing. */
  abort(): void {
    this.#aborted = true;
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.();
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listener = listener;
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    if (this.#listener === listener) this.#listener = undefined;
  }
}

/** The longest time that a timer of Node can be set to; a longer one would end at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

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
      const endsAtMs = performance.now() + durationMs;
      let timer: NodeJS.Timeout | undefined;
      const finish = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', finish);
        resolve();
      };
      // A timer of Node counts whole milliseconds of a clock of its own, and ends up to one before the monotonic clock says so.
      const arm = (): void => {
        const leftMs = endsAtMs - performance.now();
        if (leftMs > 0) timer = setTimeout(arm, Math.min(leftMs, LONGEST_TIMER_MS));
        else finish();
      };
      timer = setTimeout(arm, Math.min(durationMs, LONGEST_TIMER_MS));
      signal?.addEventListener('abort', finish, { once: true });
    }),
};

/** The wait of a timer that is set to less than a millisecond, so that a loop over one never runs hot. */
const SHORTEST_WAIT_MS = 1;

/**
 * Waits until the monotonic clock says that a moment has come, or until `signal` aborts. Never rejects. A timer may end
 * before the clock by which its end is judged has got there: a caller that then asks that clock once and gives up would
 * wait for ever. This function sets its timer again until both agree.
 * @param untilMs the moment, on the clock's own monotonic time
 */
export async function waitUntil(
  clock: Pick<Clock, 'monotonicMs' | 'sleep'>,
  untilMs: number,
  signal?: StopSignal,
): Promise<void> {
  for (;;) {
    const leftMs = untilMs - clock.monotonicMs();
    if (leftMs <= 0 || signal?.aborted === true) return;
    await clock.sleep(Math.max(leftMs, SHORTEST_WAIT_MS), signal);
  }
}
