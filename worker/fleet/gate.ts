import type { Clock } from '../../shared/kernel/clock.ts';

/** The worker may not touch the world: it has had no acknowledged heartbeat for too long, or it was declared dead. */
export class GateClosedError extends Error {
  override readonly name = 'GateClosedError';

  constructor() {
    super('the commit gate is closed');
  }
}

/**
 * The commit gate (PROTOCOL.md §4). Not a flag: it compares clocks at the moment of use, so that a process that was
 * frozen finds it closed on its first step. Ask it before each outside effect, and again after every await before one.
 */
export interface CommitGate {
  /** Throws {@link GateClosedError} when closed. */
  readonly assertOpen: () => void;
  readonly isOpen: () => boolean;
  /** Milliseconds until it closes unless a heartbeat is acknowledged; 0 when closed. */
  readonly timeLeftMs: () => number;
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

/** The gate of one worker lease. The heartbeat loop tells it what was acknowledged. */
export class LeaseGate implements CommitGate {
  readonly #clock: Clock;
  readonly #fenceMs: number;
  #acknowledged: ClockReading;
  #fenced = false;

  /** @param sent the clocks before the write that made the lease was sent */
  constructor(clock: Clock, fenceMs: number, sent: ClockReading) {
    this.#clock = clock;
    this.#fenceMs = fenceMs;
    this.#acknowledged = sent;
  }

  /** A heartbeat has been acknowledged; the clocks are those before it was sent. An older one changes nothing. */
  acknowledge(sent: ClockReading): void {
    if (this.#elapsedMs(sent) < this.#elapsedMs(this.#acknowledged)) this.#acknowledged = sent;
  }

  /** The lease is dead or gone, or about to be given up: closed for ever. */
  fence(): void {
    this.#fenced = true;
  }

  readonly timeLeftMs = (): number => {
    if (this.#fenced) return 0;
    return Math.max(0, this.#fenceMs - this.#elapsedMs(this.#acknowledged));
  };

  readonly isOpen = (): boolean => this.timeLeftMs() > 0;

  readonly assertOpen = (): void => {
    if (!this.isOpen()) throw new GateClosedError();
  };

  /** Some machines stop the monotonic clock while they sleep; the wall clock then runs ahead. The longer one counts. */
  #elapsedMs(since: ClockReading): number {
    const now = readClocks(this.#clock);
    return Math.max(now.monotonicMs - since.monotonicMs, now.wallMs - since.wallMs);
  }
}
