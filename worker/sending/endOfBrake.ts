import { waitUntil, type Clock, type StopSignal } from '../../shared/kernel/clock.ts';

/**
 * Awaits the end of a brake that stops all messages: while it is on nothing may be sent, so nothing else leads to what is parked
 * when it is over. A brake that is longer than it was when this began is awaited anew.
 */
export class EndOfBrake {
  readonly #clock: Clock;
  readonly #stop: StopSignal;
  readonly #onEnd: () => void;
  #isAwaited = false;

  /** @param stop aborts when nothing more may begin */
  constructor(clock: Clock, stop: StopSignal, onEnd: () => void) {
    this.#clock = clock;
    this.#stop = stop;
    this.#onEnd = onEnd;
  }

  /** @param brakedMs how long all messages still wait, in milliseconds; 0 when they need not */
  await(brakedMs: number): void {
    if (brakedMs <= 0 || this.#isAwaited || this.#stop.aborted) return;
    this.#isAwaited = true;
    void waitUntil(this.#clock, this.#clock.monotonicMs() + brakedMs, this.#stop).then(() => {
      this.#isAwaited = false;
      if (!this.#stop.aborted) this.#onEnd();
    });
  }
}
