import type { BinaryNode, makeWASocket } from '@whiskeysockets/baileys';
import type { ReceiptFact } from '../../../shared/event/facts/fact.ts';
import { withDeadline } from '../../../shared/kernel/deadline.ts';
import { deadlines } from '../../../shared/kernel/deadlines.ts';
import { isGroup } from '../../../shared/message/recipient.ts';
import type { Surroundings } from '../../../shared/platform/surroundings.ts';
import type { Me } from '../wire/envelope.ts';
import { toReceiptFacts } from '../wire/receiptFacts.ts';
import type { Fate } from './inboundOrder.ts';
import type { Retries } from './retries.ts';
import type { UnrecordedSends } from '../sending/unrecordedSends.ts';

export interface ReceiptsParts extends Pick<Surroundings, 'logger'> {
  readonly retries: Pick<Retries, 'onRequest' | 'members'>;
  readonly socket: Pick<ReturnType<typeof makeWASocket>, 'sendMessageAck'>;
  readonly me: () => Me;
  readonly otherNameOf: (jid: string) => Promise<string | undefined>;
  readonly unrecorded: Pick<UnrecordedSends, 'isWaiting' | 'recorded'>;
  readonly publish: (facts: readonly ReceiptFact[]) => Promise<void>;
  /** What a receipt tells is not durable, and the receipt is out of its turn already: it must not be acknowledged. */
  readonly failed: (error: unknown) => void;
}

/** Receipts that wait beside everything else for the record of their messages; with more, the line waits. */
const MOST_LATE = 1_000;

/**
 * Receipts. Requests to repeat are judged, and those that may be answered are left to Baileys. All others tell of the progress
 * of our messages: they are published and acknowledged here, because Baileys would let them wait for its answers to requests.
 * One that comes before the result of its message is recorded waits for that by itself: whoever has the message may have
 * it long before WhatsApp's ack comes, and what others write waits for neither.
 */
export class Receipts {
  readonly #parts: ReceiptsParts;
  #late = 0;

  constructor(parts: ReceiptsParts) {
    this.#parts = parts;
  }

  /** Rejects when what a receipt tells is not durable: then it is not acknowledged. */
  async onReceipt(stanza: BinaryNode): Promise<Fate> {
    const { retries, me, unrecorded } = this.#parts;
    if (stanza.attrs['type'] === 'retry') return retries.onRequest(stanza);
    const told = toReceiptFacts(stanza, me());
    const [first] = told;
    const facts = first === undefined || (await this.#isOfStranger(first)) ? [] : told;
    const ids = facts.map(({ stanzaId }) => stanzaId);
    if (!unrecorded.isWaiting(ids) || this.#late >= MOST_LATE) {
      await this.#tell(stanza, facts);
      return 'taken';
    }
    this.#late += 1;
    unrecorded
      .recorded(ids)
      .then(() => this.#tell(stanza, facts))
      .catch((error: unknown) => this.#parts.failed(error))
      .finally(() => (this.#late -= 1));
    return 'taken';
  }

  /** Publishes what a receipt tells, then acknowledges it. */
  async #tell(stanza: BinaryNode, facts: readonly ReceiptFact[]): Promise<void> {
    const { publish, socket, logger } = this.#parts;
    await publish(facts);
    await withDeadline('acknowledging a stanza', deadlines.stanzaWrite.ms, () => socket.sendMessageAck(stanza)).catch(
      (error: unknown) => logger.warn('receipt not acknowledged', { error }),
    );
  }

  /**
   * Whether it is known that who speaks for a group is not in it. Nobody is asked: one receipt more or less is not worth a
   * query that everything behind it waits for. Who is in a group is known from the last time that something was sent to it.
   */
  async #isOfStranger({ chat, recipient }: ReceiptFact): Promise<boolean> {
    if (!isGroup(chat)) return false;
    const names = [recipient, await this.#parts.otherNameOf(recipient)];
    return this.#parts.retries.members.known(chat, names) === 'not_a_member';
  }
}
