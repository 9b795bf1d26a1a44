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

/** A difference between wall and monotonic clock that jumps by more than this means that the machine slept. */
const CLOCK_JUMP_MS = 2_000;

/** The gate of one worker lease. The heartbeat loop tells it what was acknowledged. */
export class LeaseGate implements CommitGate {
  readonly #clock: Clock;
  readonly #fenceMs: number;
  #acknowledgedSendAtMs: number;
  #offsetMs: number;
  #fenced = false;

  /** @param sentAtMs monotonic time at which the write that made the lease was sent */
  constructor(clock: Clock, fenceMs: number, sentAtMs: number) {
    this.#clock = clock;
    this.#fenceMs = fenceMs;
    this.#acknowledgedSendAtMs = sentAtMs;
    this.#offsetMs = clock.nowMs() - clock.monotonicMs();
  }

  /** A heartbeat that was sent at this monotonic time has been acknowledged. */
  acknowledge(sentAtMs: number): void {
    this.#acknowledgedSendAtMs = Math.max(this.#acknowledgedSendAtMs, sentAtMs);
    this.#offsetMs = this.#clock.nowMs() - this.#clock.monotonicMs();
  }

  /** The lease is dead or gone: closed for ever. */
  fence(): void {
    this.#fenced = true;
  }

  readonly timeLeftMs = (): number => {
    if (this.#fenced) return 0;
    // Some machines stop the monotonic clock while they sleep; the wall clock then runs ahead.
    const monotonicMs = this.#clock.monotonicMs();
    const jumpMs = this.#clock.nowMs() - monotonicMs - this.#offsetMs;
    const sleptMs = jumpMs > CLOCK_JUMP_MS ? jumpMs : 0;
    return Math.max(0, this.#acknowledgedSendAtMs + this.#fenceMs - monotonicMs - sleptMs);
  };

  readonly isOpen = (): boolean => this.timeLeftMs() > 0;

  readonly assertOpen = (): void => {
    if (!this.isOpen()) throw new GateClosedError();
  };
}
