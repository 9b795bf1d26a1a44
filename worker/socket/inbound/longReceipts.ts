import type { ReceiptFact } from '../../../shared/event/facts/receiptFact.ts';
import type { StanzaId } from '../../../shared/kernel/id.ts';
import type { Surroundings } from '../../../shared/platform/surroundings.ts';
import { Budgets } from '../port/budgets.ts';
import { FairRoom } from '../port/fairRoom.ts';
import type { UnrecordedSends } from '../sending/unrecordedSends.ts';
import { toReceiptFacts, type NamedReceipt } from '../wire/receiptFacts.ts';

/**
 * The number of messages of one receipt that are handled at once. Each is looked up where it is stored, in order with
 * all else of the connection: with more of them, a receipt that names twenty thousand would keep everybody else waiting
 * for minutes.
 */
export const AT_ONCE = 256;
/** How fast the other messages that one person names are handled: a thousand in twelve seconds. */
const BUDGET = { burst: AT_ONCE, perSecond: 64 } as const;
/** The number of parts of receipts that may wait, of one person and of all: ten thousand messages, twenty thousand. */
const MOST_WAITING = { ofOne: 40, ofAll: 80 } as const;

export interface LongReceiptsParts extends Pick<Surroundings, 'clock' | 'metrics'> {
  readonly unrecorded: Pick<UnrecordedSends, 'recorded'>;
  readonly publish: (facts: readonly ReceiptFact[]) => Promise<void>;
  /** Aborts when the socket has closed. */
  readonly signal: AbortSignal;
}

/**
 * Receipts that name more messages than are handled at once: the rest is handled part by part, beside everything else.
 */
export class LongReceipts {
  readonly #parts: LongReceiptsParts;
  readonly #budgets: Budgets;
  /** The promises that end the wait of a part for which there is no room any more, by person. */
  readonly #waiting = new FairRoom<PromiseWithResolvers<'no_room'>>(MOST_WAITING);

  constructor(parts: LongReceiptsParts) {
    this.#parts = parts;
    this.#budgets = new Budgets(BUDGET, parts.clock.monotonicMs);
  }

  /**
   * Publishes all messages of a receipt but the first ones, which are published already. Resolves when all of it is
   * durable or has no room; rejects when it is not durable, also because the socket has closed.
   */
  async tellRest(receipt: NamedReceipt): Promise<void> {
    this.#budgets.take(receipt.recipient, AT_ONCE);
    const parts: Promise<void>[] = [];
    for (let from = AT_ONCE; from < receipt.stanzaIds.length; from += AT_ONCE) {
      parts.push(this.#tellPart(receipt, receipt.stanzaIds.slice(from, from + AT_ONCE)));
    }
    await Promise.all(parts);
  }

  async #tellPart(receipt: NamedReceipt, stanzaIds: readonly StanzaId[]): Promise<void> {
    const { unrecorded, publish, metrics } = this.#parts;
    const room = Promise.withResolvers<'no_room'>();
    const displaced = this.#waiting.enter(receipt.recipient, room);
    displaced?.resolve('no_room');
    try {
      if (!(await this.#isItsTurn(receipt.recipient, stanzaIds.length, room.promise))) {
        metrics.count('ReceiptsNotCounted', {}, stanzaIds.length);
        return;
      }
      await unrecorded.recorded(stanzaIds);
      await publish(toReceiptFacts(receipt, stanzaIds));
    } finally {
      this.#waiting.leave(receipt.recipient, room);
    }
  }

  /**
   * Resolves to true when its turn has come, and to false when its room has ended. Rejects when the socket has closed.
   */
  async #isItsTurn(who: string, cost: number, noRoom: Promise<'no_room'>): Promise<boolean> {
    const { clock, signal } = this.#parts;
    for (let waitMs = 0; ; waitMs = Math.max(1, this.#budgets.waitMs(who, cost))) {
      if ((await Promise.race([noRoom, clock.sleep(waitMs, signal)])) === 'no_room') return false;
      if (signal.aborted) throw new Error('the socket has closed');
      if (this.#budgets.take(who, cost)) return true;
    }
  }
}
