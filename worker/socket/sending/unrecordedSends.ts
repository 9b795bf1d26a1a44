import type { Clock } from '../../../shared/kernel/clock.ts';
import type { StanzaId } from '../../../shared/kernel/id.ts';

/**
 * How long receipts wait at most, in milliseconds: longer than a send with its ack, its record and its publish may
 * take.
 */
const RECORDED_DEADLINE_MS = 30_000;

/**
 * Messages that WhatsApp may have, while their result is not published yet: receipts for them wait, so that they come
 * after.
 */
export class UnrecordedSends {
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly #waiting = new Map<StanzaId, Promise<void>>();

  constructor(clock: Pick<Clock, 'sleep'>) {
    this.#clock = clock;
  }

  /** Lets receipts for a message wait until it is recorded; not for ever, in case its sender is gone. */
  hold(stanzaId: StanzaId, recorded: Promise<void>): void {
    const waiting = new AbortController();
    void recorded.finally(() => waiting.abort());
    const released = this.#clock.sleep(RECORDED_DEADLINE_MS, waiting.signal).then(() => {
      if (this.#waiting.get(stanzaId) === released) this.#waiting.delete(stanzaId);
    });
    this.#waiting.set(stanzaId, released);
  }

  /** Whether receipts for one of these messages have to wait. */
  isWaiting(stanzaIds: readonly StanzaId[]): boolean {
    return stanzaIds.some((stanzaId) => this.#waiting.has(stanzaId));
  }

  /** Resolves when receipts for all of these messages may be published. */
  async recorded(stanzaIds: readonly StanzaId[]): Promise<void> {
    for (const stanzaId of stanzaIds) await this.#waiting.get(stanzaId);
  }
}
