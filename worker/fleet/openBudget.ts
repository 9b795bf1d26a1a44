import type { Clock } from '../../shared/kernel/clock.ts';

/**
 * Paces socket opens of this worker (promise *no-storm*): so many per second with a burst of one shard, and so many
 * handshakes at once. First come, first served.
 */
export class OpenBudget {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #handshakes: number;
  #tokens: number;
  #filledAtMs: number;
  #inFlight = 0;
  #turn: Promise<void> = Promise.resolve();
  #freed: (() => void) | undefined;

  constructor(
    clock: Clock,
    options: { readonly perSecond: number; readonly burst: number; readonly handshakes: number },
  ) {
    this.#clock = clock;
    this.#perSecond = options.perSecond;
    this.#burst = options.burst;
    this.#handshakes = options.handshakes;
    this.#tokens = options.burst;
    this.#filledAtMs = clock.monotonicMs();
  }

  /** Waits for a turn. Resolves to what gives the handshake slot back; calling it again does nothing. Rejects on abort. */
  async acquire(signal: AbortSignal): Promise<() => void> {
    const mine = this.#turn.then(() => this.#take(signal));
    this.#turn = mine.catch(() => undefined);
    await mine;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#inFlight -= 1;
      this.#freed?.();
    };
  }

  async #take(signal: AbortSignal): Promise<void> {
    while (this.#inFlight >= this.#handshakes) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#freed = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    this.#fill();
    while (this.#tokens < 1) {
      signal.throwIfAborted();
      await this.#clock.sleep(Math.ceil(((1 - this.#tokens) / this.#perSecond) * 1_000), signal);
      this.#fill();
    }
    signal.throwIfAborted();
    this.#tokens -= 1;
    this.#inFlight += 1;
  }

  #fill(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((nowMs - this.#filledAtMs) / 1_000) * this.#perSecond);
    this.#filledAtMs = nowMs;
  }
}
