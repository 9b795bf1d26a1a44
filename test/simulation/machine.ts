import type { Clock, StopSignal } from '../../shared/kernel/clock.ts';
import type { Due, VirtualTime } from './virtualTime.ts';

/** Wall clock of the simulated world at its beginning. */
const EPOCH_MS = Date.UTC(2026, 7, 1);

/**
 * How a machine stands still. `stopped`: its process gets no processor, both clocks run on (SIGSTOP). `asleep`: the whole
 * machine sleeps, so its monotonic clock stands still and its wall clock jumps when it wakes.
 */
export type Pause = 'stopped' | 'asleep';

/** One process on a machine of its own: its clocks, its timers, and whether it runs. */
export class Machine {
  readonly name: string;
  readonly clock: Clock;
  readonly #time: VirtualTime;
  readonly #bornMs: number;
  #wallOffsetMs: number;
  #sleptMs = 0;
  #paused: { readonly kind: Pause; readonly sinceMs: number } | undefined;
  #waiting: (() => void)[] = [];
  #dead = false;

  /** @param wallOffsetMs how wrong its wall clock is */
  constructor(time: VirtualTime, name: string, wallOffsetMs: number) {
    this.#time = time;
    this.name = name;
    this.#bornMs = time.nowMs;
    this.#wallOffsetMs = wallOffsetMs;
    this.clock = {
      nowMs: () => Math.floor(EPOCH_MS + time.nowMs + this.#wallOffsetMs),
      monotonicMs: () => time.nowMs - this.#bornMs - this.#sleptMs + 1_000,
      sleep: (durationMs, signal) => this.#sleep(durationMs, signal),
    };
  }

  get isDead(): boolean {
    return this.#dead;
  }

  get isPaused(): boolean {
    return this.#paused !== undefined;
  }

  /** Runs a part of the process after a delay: a timer. */
  later(delayMs: number, run: () => void): Due {
    return this.#time.after(delayMs, () => this.arrive(run));
  }

  /** Something reaches the process: handled now, or when it runs again, or never. */
  arrive(run: () => void): void {
    if (this.#dead) return;
    if (this.#paused !== undefined) this.#waiting.push(run);
    else run();
  }

  pause(kind: Pause): void {
    if (!this.#dead) this.#paused ??= { kind, sinceMs: this.#time.nowMs };
  }

  resume(): void {
    if (this.#paused === undefined) return;
    if (this.#paused.kind === 'asleep') this.#sleptMs += this.#time.nowMs - this.#paused.sinceMs;
    this.#paused = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    // One after the other, as the event loop of a process that wakes up does.
    for (const run of waiting) this.#time.after(0, () => this.arrive(run));
  }

  /** Somebody sets its wall clock. */
  stepWallClock(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /** The process is gone; what it has sent is not. */
  kill(): void {
    this.#dead = true;
    this.#waiting = [];
  }

  #sleep(durationMs: number, signal: StopSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const finish = (): void => {
        due.run = undefined;
        signal?.removeEventListener('abort', finish);
        resolve();
      };
      const due = this.later(durationMs, finish);
      signal?.addEventListener('abort', finish, { once: true });
    });
  }
}
