const EVERY_MS = 5;

/**
 * How late the event loop is: a timer each 5 ms, and by how much each comes later than asked for. A stall counts once for
 * each timer that it kept from being set, so that long ones weigh as much as they last.
 */
export class LoopDelay {
  readonly #delaysMs: number[] = [];
  #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = this.#wait();
  }

  /** Ends the measurement. Returns the 99th percentile and the longest delay, in milliseconds. */
  stop(): { readonly p99Ms: number; readonly maxMs: number } {
    clearTimeout(this.#timer);
    const sorted = this.#delaysMs.toSorted((left, right) => left - right);
    return { p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0, maxMs: sorted.at(-1) ?? 0 };
  }

  #wait(): NodeJS.Timeout {
    const startedMs = performance.now();
    return setTimeout(() => {
      const lateMs = performance.now() - startedMs - EVERY_MS;
      this.#delaysMs.push(lateMs);
      for (let rest = lateMs - EVERY_MS; rest > 0; rest -= EVERY_MS) this.#delaysMs.push(rest);
      this.#timer = this.#wait();
    }, EVERY_MS);
  }
}
