import { backoffMs } from '../../shared/kernel/backoff.ts';
import type { Clock } from '../../shared/kernel/clock.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { LookUp } from '../socket/port/connectionSocket.ts';

export interface LookUpPausesOptions extends Pick<Surroundings, 'random'> {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /**
   * Called when a look-up pauses.
   * @param limited whether WhatsApp said that it limits it; otherwise it did not answer
   */
  readonly onPaused: (durationMs: number, limited: boolean) => void;
  /** Called when all look-ups are answered again, after a pause that `onPaused` reported. */
  readonly onResumed: () => void;
}

interface Pause {
  readonly untilMs: number;
  readonly failures: number;
}

/**
 * The pauses. The first is short, as a limit may be over in seconds. The longest bounds how long a message waits in
 * vain.
 */
const PAUSE = { firstMs: 5_000, capMs: 60_000 } as const;

/**
 * The look-ups that pause, because WhatsApp limits them or did not answer. Each pauses by itself: a message that needs
 * none of them is sent as always. After a pause one message tries; the others wait for the outcome.
 */
export class LookUpPauses {
  readonly #options: LookUpPausesOptions;
  /** The pauses by kind of look-up; most connections never have any. */
  #pauses: Partial<Record<LookUp, Pause>> = {};

  constructor(options: LookUpPausesOptions) {
    this.#options = options;
  }

  /** Whether any look-up pauses or has not been answered since. */
  get isAny(): boolean {
    return Object.keys(this.#pauses).length > 0;
  }

  /** How long a message waits that needs these look-ups; 0 when it need not. */
  waitMs(needed: ReadonlySet<LookUp>): number {
    const nowMs = this.#options.clock.monotonicMs();
    return Math.max(0, ...[...needed].map((lookUp) => (this.#pauses[lookUp]?.untilMs ?? nowMs) - nowMs));
  }

  /** Notes that a look-up was limited or not answered. Returns how long it pauses, in milliseconds. */
  fail(lookUp: LookUp, limited: boolean): number {
    const { clock, random, onPaused } = this.#options;
    const failures = this.#pauses[lookUp]?.failures ?? 0;
    const durationMs = backoffMs(PAUSE, failures, random.unit());
    this.#pauses = { ...this.#pauses, [lookUp]: { untilMs: clock.monotonicMs() + durationMs, failures: failures + 1 } };
    onPaused(durationMs, limited);
    return durationMs;
  }

  /** Notes that a message got past these look-ups. */
  pass(needed: ReadonlySet<LookUp>): void {
    if (!this.isAny) return;
    const left = Object.entries(this.#pauses).filter(([lookUp]) => !needed.has(lookUp as LookUp));
    this.#pauses = Object.fromEntries(left);
    if (!this.isAny) this.#options.onResumed();
  }

  /** Ends all pauses after a new login: the trouble may be over. */
  reset(): void {
    if (!this.isAny) return;
    this.#pauses = {};
    this.#options.onResumed();
  }
}
