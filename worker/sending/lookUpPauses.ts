import { backoffMs } from '../../shared/kernel/backoff.ts';
import type { Clock } from '../../shared/kernel/clock.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { LookUp } from '../socket/port/connectionSocket.ts';

export interface LookUpPausesOptions extends Pick<Surroundings, 'random'> {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** A look-up is not asked for so long. @param limited whether WhatsApp said that it limits it; else it did not answer */
  readonly onPaused: (durationMs: number, limited: boolean) => void;
  /** All look-ups are answered again, after a pause of which `onPaused` told. */
  readonly onResumed: () => void;
}

interface Pause {
  readonly untilMs: number;
  readonly failures: number;
}

/** The first is short: a limit may be over in seconds. The longest bounds what a message waits for nothing. */
const PAUSE = { firstMs: 5_000, capMs: 60_000 } as const;

/**
 * Which look-ups are not asked for a while, because WhatsApp limits them or did not answer. Each rests alone: a message that
 * needs none of those that rest is sent as always. After a pause one message asks; the others wait for what becomes of it.
 */
export class LookUpPauses {
  readonly #options: LookUpPausesOptions;
  /** One for each kind of look-up at most; most connections never have any. */
  #pauses: Partial<Record<LookUp, Pause>> = {};

  constructor(options: LookUpPausesOptions) {
    this.#options = options;
  }

  /** Whether any look-up rests or has not been answered since. */
  get isAny(): boolean {
    return Object.keys(this.#pauses).length > 0;
  }

  /** How long a message waits that needs these look-ups; 0 when it need not. */
  waitMs(needed: ReadonlySet<LookUp>): number {
    const nowMs = this.#options.clock.monotonicMs();
    return Math.max(0, ...[...needed].map((lookUp) => (this.#pauses[lookUp]?.untilMs ?? nowMs) - nowMs));
  }

  /** It was asked, and limited or not answered. Returns how long it rests. */
  fail(lookUp: LookUp, limited: boolean): number {
    const { clock, random, onPaused } = this.#options;
    const failures = this.#pauses[lookUp]?.failures ?? 0;
    const durationMs = backoffMs(PAUSE, failures, random.unit());
    this.#pauses = { ...this.#pauses, [lookUp]: { untilMs: clock.monotonicMs() + durationMs, failures: failures + 1 } };
    onPaused(durationMs, limited);
    return durationMs;
  }

  /** A message got past these look-ups. */
  pass(needed: ReadonlySet<LookUp>): void {
    if (!this.isAny) return;
    const left = Object.entries(this.#pauses).filter(([lookUp]) => !needed.has(lookUp as LookUp));
    this.#pauses = Object.fromEntries(left);
    if (!this.isAny) this.#options.onResumed();
  }

  /** A new login: whatever was wrong may be over. */
  reset(): void {
    if (!this.isAny) return;
    this.#pauses = {};
    this.#options.onResumed();
  }
}
