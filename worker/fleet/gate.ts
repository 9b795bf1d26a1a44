import type { Clock } from '../../shared/kernel/clock.ts';
import { TimeoutError } from '../../shared/kernel/deadline.ts';

/**
 * The worker may not have outside effects: it has had no acknowledged heartbeat for too long, or it was declared dead.
 */
export class GateClosedError extends Error {
  override readonly name = 'GateClosedError';

  constructor() {
    super('the commit gate is closed');
  }
}

/**
 * The commit gate (docs/protocol.md, "The gate"). It is not a flag: it compares clocks at the moment of use, so that a
 * process that was frozen finds it closed on its first step. It is asked before each outside effect, and again after
 * every await before one.
 *
 * A worker whose gate is closed is *suspended*: it keeps its sockets and waits. When its lease turns out to be alive it
 * goes on as if nothing had happened; no other worker can have claimed meanwhile, because a claim needs the lease to be
 * DEAD.
 */
export interface CommitGate {
  /** Throws {@link GateClosedError} when the gate is closed. */
  readonly assertOpen: () => void;
  readonly isOpen: () => boolean;
  /** Milliseconds until the gate closes unless a heartbeat is acknowledged; 0 when it is closed. */
  readonly timeLeftMs: () => number;
  /**
   * For how long the gate has been open without a break, in milliseconds; 0 when it is closed. Input that waited for
   * longer waited because of this worker: a suspended worker reads and sends nothing.
   */
  readonly openForMs: () => number;
  /**
   * Resolves when the gate is open, which may be at once. Rejects with {@link GateClosedError} when it will never open
   * again, and with TimeoutError when it stays closed for `deadlineMs`. The effect that follows must still ask at the
   * moment of use.
   */
  readonly whenOpen: (deadlineMs: number) => Promise<void>;
}

/** Both clocks at one moment. */
export interface ClockReading {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** Reads both clocks. Callers read them before a lease write is sent, because the moment of sending counts. */
export function readClocks(clock: Clock): ClockReading {
  return { monotonicMs: clock.monotonicMs(), wallMs: clock.nowMs() };
}

/**
 * How much a wall clock may lose against the monotonic one, in milliseconds: less is the drift of a bad clock, more
 * means that it was set back.
 */
const SET_BACK_MS = 1_000;

/** The gate of one worker lease. The heartbeat loop calls it with each acknowledgement. */
export class LeaseGate implements CommitGate {
  readonly #clock: Clock;
  readonly #fenceMs: number;
  readonly #waiting = new Set<() => void>();
  #acknowledged: ClockReading;
  #openSinceMs: number;
  #fenced = false;

  /** @param sent the clocks before the write that made the lease was sent */
  constructor(clock: Clock, fenceMs: number, sent: ClockReading) {
    this.#clock = clock;
    this.#fenceMs = fenceMs;
    this.#acknowledged = sent;
    this.#openSinceMs = sent.monotonicMs;
  }

  /**
   * Notes that a heartbeat has been acknowledged.
   * @param sent the clocks before it was sent; older ones than before change nothing
   */
  acknowledge(sent: ClockReading): void {
    const wasOpen = this.isOpen();
    if (this.#elapsedMs(sent) < this.#elapsedMs(this.#acknowledged)) this.#acknowledged = sent;
    if (!this.isOpen()) return;
    if (!wasOpen) this.#openSinceMs = this.#clock.monotonicMs();
    this.#wake();
  }

  /** Closes the gate for ever: the lease is dead or gone, or about to be given up. */
  fence(): void {
    this.#fenced = true;
    this.#wake();
  }

  readonly timeLeftMs = (): number => {
    if (this.#fenced) return 0;
    return Math.max(0, this.#fenceMs - this.#elapsedMs(this.#acknowledged));
  };

  readonly isOpen = (): boolean => this.timeLeftMs() > 0;

  readonly openForMs = (): number => (this.isOpen() ? this.#clock.monotonicMs() - this.#openSinceMs : 0);

  readonly assertOpen = (): void => {
    if (!this.isOpen()) throw new GateClosedError();
  };

  readonly whenOpen = async (deadlineMs: number): Promise<void> => {
    const untilMs = this.#clock.monotonicMs() + deadlineMs;
    while (!this.isOpen()) {
      if (this.#fenced) throw new GateClosedError();
      const leftMs = untilMs - this.#clock.monotonicMs();
      if (leftMs <= 0) throw new TimeoutError('waiting for the commit gate', deadlineMs);
      await this.#change(leftMs);
    }
  };

  /** Resolves when the gate is acknowledged or fenced, or when some time has passed. */
  async #change(durationMs: number): Promise<void> {
    const woken = new AbortController();
    const wake = (): void => woken.abort();
    this.#waiting.add(wake);
    await this.#clock.sleep(durationMs, woken.signal);
    this.#waiting.delete(wake);
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  /**
   * The time since a reading. Some machines stop the monotonic clock while they sleep; the wall clock then runs ahead,
   * and the longer time counts. When the wall clock was set back, neither clock shows how long it was: only a heartbeat
   * that is sent after it does.
   */
  #elapsedMs(since: ClockReading): number {
    const now = readClocks(this.#clock);
    const [monotonicMs, wallMs] = [now.monotonicMs - since.monotonicMs, now.wallMs - since.wallMs];
    return wallMs < monotonicMs - SET_BACK_MS ? Infinity : Math.max(monotonicMs, wallMs);
  }
}
