import type { Clock } from '../../shared/kernel/clock.ts';
import { TimeoutError } from '../../shared/kernel/deadline.ts';

/** The worker may not touch the world: it has had no acknowledged heartbeat for too long, or it was declared dead. */
export class GateClosedError extends Error {
  override readonly name = 'GateClosedError';

  constructor() {
    super('the commit gate is closed');
  }
}

/**
 * The commit gate (docs/protocol.md, "The gate"). Not a flag: it compares clocks at the moment of use, so that a process that was
 * frozen finds it closed on its first step. Ask it before each outside effect, and again after every await before one.
 *
 * A worker whose gate is closed is *suspended*: it keeps its sockets and waits. When its lease turns out to be alive it
 * goes on as if nothing had happened; nobody else can have claimed meanwhile, because a claim needs the lease to be DEAD.
 */
export interface CommitGate {
  /** Throws {@link GateClosedError} when closed. */
  readonly assertOpen: () => void;
  readonly isOpen: () => boolean;
  /** Milliseconds until it closes unless a heartbeat is acknowledged; 0 when closed. */
  readonly timeLeftMs: () => number;
  /**
   * For how long it has been open without a break, in milliseconds; 0 when closed. What waited for longer than that waited
   * for us: a suspended worker reads and sends nothing.
   */
  readonly openForMs: () => number;
  /**
   * Resolves when it is open, which may be at once. Rejects with {@link GateClosedError} when it will never open again,
   * and with TimeoutError when it stays closed for `deadlineMs`. What follows must still ask at the moment of use.
   */
  readonly whenOpen: (deadlineMs: number) => Promise<void>;
}

/** Both clocks at one moment. */
export interface ClockReading {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** Reads both clocks. Taken before a lease write is sent, because what counts is when it was sent. */
export function readClocks(clock: Clock): ClockReading {
  return { monotonicMs: clock.monotonicMs(), wallMs: clock.nowMs() };
}

/** A wall clock that lost more than this against the monotonic one was set back; less is the drift of a bad clock. */
const SET_BACK_MS = 1_000;

/** The gate of one worker lease. The heartbeat loop tells it what was acknowledged. */
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

  /** A heartbeat has been acknowledged; the clocks are those before it was sent. An older one changes nothing. */
  acknowledge(sent: ClockReading): void {
    const wasOpen = this.isOpen();
    if (this.#elapsedMs(sent) < this.#elapsedMs(this.#acknowledged)) this.#acknowledged = sent;
    if (!this.isOpen()) return;
    if (!wasOpen) this.#openSinceMs = this.#clock.monotonicMs();
    this.#wake();
  }

  /** The lease is dead or gone, or about to be given up: closed for ever. */
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

  /** Until the gate is acknowledged or fenced, or some time has passed. */
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
   * Some machines stop the monotonic clock while they sleep; the wall clock then runs ahead, and the longer one counts. When
   * the wall clock was set back neither tells how long it was: only a heartbeat that is sent after it does.
   */
  #elapsedMs(since: ClockReading): number {
    const now = readClocks(this.#clock);
    const [monotonicMs, wallMs] = [now.monotonicMs - since.monotonicMs, now.wallMs - since.wallMs];
    return wallMs < monotonicMs - SET_BACK_MS ? Infinity : Math.max(monotonicMs, wallMs);
  }
}
