import type { Clock } from '../../shared/kernel/clock.ts';

/** The rate may rise meanwhile: a wait that was reckoned with a low one does not hold opens up for longer than this. */
const LONGEST_WAIT_MS = 1_000;

/**
 * Paces socket opens of this worker (promise *no-storm*): so many per second with a burst of one shard, and so many
 * handshakes at once. Waiting opens are let in in the order in which they came.
 */
export class OpenBudget {
  readonly #clock: Clock;
  readonly #most: number;
  #perSecond: number;
  readonly #burst: number;
  readonly #handshakes: number;
  /** Functions that let a waiting open in, in the order in which they came. */
  readonly #queue = new Set<() => void>();
  #tokens: number;
  #filledAtMs: number;
  #inFlight = 0;
  #refilling = false;
  #paused = false;
  readonly #ended: AbortSignal | undefined;

  /**
   * The budget.
   * @param ended aborts when no open is let in any more
   */
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

  /** The number of opens that wait for their turn. */
  get waiting(): number {
    return this.#queue.size;
  }

  /**
   * Sets the leader's share for this worker, in opens per second; undefined means the worker's own setting, which is
   * never exceeded.
   */
  setRate(perSecond: number | undefined): void {
    this.#fill();
    this.#perSecond = Math.min(this.#most, perSecond ?? this.#most);
    this.#tokens = this.#capped(this.#tokens);
  }

  /**
   * Lets no open in while the event loop is late: a handshake would miss its deadlines, and make the loop later still.
   */
  setPaused(isPaused: boolean): void {
    this.#paused = isPaused;
    this.#admit();
  }

  /**
   * Waits for a turn. Resolves to a function that returns the handshake slot; calling it again does nothing. Rejects
   * with the signal's reason as soon as it aborts; an open that has not had its turn takes nothing from the budget.
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

  /** Lets in, in order, all opens that may go now. */
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
    const untilTokenMs = Math.ceil(((1 - this.#tokens) / this.#perSecond) * 1_000);
    void this.#clock.sleep(Math.min(untilTokenMs, LONGEST_WAIT_MS), this.#ended).then(() => {
      this.#refilling = false;
      if (this.#ended?.aborted !== true) this.#admit();
    });
  }

  /**
   * Limits the saved tokens. The limit is in proportion to the rate: in an outage a full burst would be the storm that
   * the rate prevents.
   */
  #capped(tokens: number): number {
    return Math.min(tokens, Math.max(1, (this.#burst * this.#perSecond) / this.#most));
  }

  #fill(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#tokens = this.#capped(this.#tokens + ((nowMs - this.#filledAtMs) / 1_000) * this.#perSecond);
    this.#filledAtMs = nowMs;
  }
}
