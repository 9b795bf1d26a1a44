import type { Clock } from '../../shared/kernel/clock.ts';

/**
 * Paces socket opens of this worker (promise *no-storm*): so many per second with a burst of one shard, and so many
 * handshakes at once. First come, first served.
 */
export class OpenBudget {
  readonly #clock: Clock;
  readonly #most: number;
  #perSecond: number;
  readonly #burst: number;
  readonly #handshakes: number;
  /** What lets each waiting one in, in the order of coming. */
  readonly #queue = new Set<() => void>();
  #tokens: number;
  #filledAtMs: number;
  #inFlight = 0;
  #refilling = false;
  #paused = false;
  readonly #ended: AbortSignal | undefined;

  /** @param ended aborts when nobody is let in any more */
  constructor(
    clock: Clock,
    options: { readonly perSecond: number; readonly burst: number; readonly handshakes: number },
    ended?: AbortSignal,
  ) {
    this.#clock = clock;
    this.#ended = ended;
    this.#most = options.perSecond;
    this.#perSecond = options.perSecond;
    this.#burst = options.burst;
    this.#handshakes = options.handshakes;
    this.#tokens = options.burst;
    this.#filledAtMs = clock.monotonicMs();
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** The leader's share for this worker; undefined is the worker's own setting, which is never exceeded. */
  setRate(perSecond: number | undefined): void {
    this.#fill();
    this.#perSecond = Math.min(this.#most, perSecond ?? this.#most);
    this.#tokens = this.#capped(this.#tokens);
  }

  /** Lets nobody in while the event loop is late: a handshake would miss its deadlines, and make the loop later still. */
  setPaused(isPaused: boolean): void {
    this.#paused = isPaused;
    this.#admit();
  }

  /**
   * Waits for a turn. Resolves to what gives the handshake slot back; calling it again does nothing. Rejects with the
   * signal's reason as soon as it aborts; who has not had its turn takes nothing from the budget.
   */
  async acquire(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    await this.#turn(signal);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#inFlight -= 1;
      this.#admit();
    };
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#queue.delete(enter);
        reject(signal.reason as Error);
      };
      const enter = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#queue.add(enter);
      this.#admit();
    });
  }

  /** Lets in, in order, all who may open now. */
  #admit(): void {
    this.#fill();
    if (this.#paused) return;
    for (const enter of this.#queue) {
      if (this.#inFlight >= this.#handshakes) return;
      if (this.#tokens < 1) {
        this.#admitLater();
        return;
      }
      this.#queue.delete(enter);
      this.#tokens -= 1;
      this.#inFlight += 1;
      enter();
    }
  }

  #admitLater(): void {
    if (this.#refilling) return;
    this.#refilling = true;
    void this.#clock.sleep(Math.ceil(((1 - this.#tokens) / this.#perSecond) * 1_000), this.#ended).then(() => {
      this.#refilling = false;
      if (this.#ended?.aborted !== true) this.#admit();
    });
  }

  /** What may be saved is in proportion to the rate: in an outage a full burst would be the storm that the rate prevents. */
  #capped(tokens: number): number {
    return Math.min(tokens, Math.max(1, (this.#burst * this.#perSecond) / this.#most));
  }

  #fill(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#tokens = this.#capped(this.#tokens + ((nowMs - this.#filledAtMs) / 1_000) * this.#perSecond);
    this.#filledAtMs = nowMs;
  }
}
