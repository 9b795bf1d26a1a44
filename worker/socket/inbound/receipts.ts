import type { BinaryNode, makeWASocket } from '@whiskeysockets/baileys';
import type { ChatReadFact } from '../../../shared/event/facts/chatReadFact.ts';
import type { ReceiptFact } from '../../../shared/event/facts/receiptFact.ts';
import { withDeadline } from '../../../shared/kernel/deadline.ts';
import { deadlines } from '../../../shared/kernel/deadlines.ts';
import { isStatus } from '../../../shared/kernel/jid.ts';
import { isGroup } from '../../../shared/message/recipient.ts';
import type { Surroundings } from '../../../shared/platform/surroundings.ts';
import type { Me } from '../wire/envelope.ts';
import { readOwnReading, readReceipt, toReceiptFacts, type NamedReceipt } from '../wire/receiptFacts.ts';
import type { Fate } from './inboundOrder.ts';
import { AT_ONCE, LongReceipts } from './longReceipts.ts';
import type { Retries } from './retries.ts';
import type { UnrecordedSends } from '../sending/unrecordedSends.ts';

export interface ReceiptsParts extends Pick<Surroundings, 'clock' | 'metrics' | 'logger'> {
  readonly retries: Pick<Retries, 'onRequest' | 'members'>;
  readonly socket: Pick<ReturnType<typeof makeWASocket>, 'sendMessageAck'>;
  readonly me: () => Me;
  readonly otherNameOf: (jid: string) => Promise<string | undefined>;
  readonly unrecorded: Pick<UnrecordedSends, 'isWaiting' | 'recorded'>;
  /** Aborts when the socket has closed. */
  readonly signal: AbortSignal;
  readonly publish: (facts: readonly (ReceiptFact | ChatReadFact)[]) => Promise<void>;
  /** Called when a receipt that is out of its turn already could not be made durable: it must not be acknowledged. */
  readonly failed: (error: unknown) => void;
}

/**
 * The number of receipts that may wait beside everything else for the record of their messages; beyond it, the line
 * waits.
 */
const MOST_LATE = 1_000;

/**
 * Handles receipts. Requests to repeat are judged, and the ones that may be answered are left to Baileys. All others
 * report the progress of our messages: they are published and acknowledged here, because Baileys would let them wait
 * for its answers to requests. A receipt that comes before the result of its message is recorded waits for that by
 * itself: a recipient may have the message long before WhatsApp's ack comes, and what others write waits for neither.
 */
export class Receipts {
  readonly #parts: ReceiptsParts;
  readonly #long: LongReceipts;
  #late = 0;

  constructor(parts: ReceiptsParts) {
    this.#parts = parts;
    this.#long = new LongReceipts(parts);
  }

  /** Handles a receipt. Rejects when its facts are not durable: then it is not acknowledged. */
  async onReceipt(stanza: BinaryNode): Promise<Fate> {
    const { retries, me, unrecorded } = this.#parts;
    if (stanza.attrs['type'] === 'retry') return retries.onRequest(stanza);
    const reading = readOwnReading(stanza, me());
    if (reading !== undefined) {
      await this.#tellReading(stanza, reading);
      return 'taken';
    }
    const said = readReceipt(stanza, me());
    const receipt = said === undefined || (await this.#isOfStranger(said)) ? undefined : await this.#withName(said);
    const ids = receipt?.stanzaIds.slice(0, AT_ONCE) ?? [];
    if (!unrecorded.isWaiting(ids) || this.#late >= MOST_LATE) {
      await this.#tell(stanza, receipt);
      return 'taken';
    }
    this.#late += 1;
    unrecorded
      .recorded(ids)
      .then(() => this.#tell(stanza, receipt))
      .catch((error: unknown) => this.#parts.failed(error))
      .finally(() => (this.#late -= 1));
    return 'taken';
  }

  /** Publishes that a chat was read on another device, under both names of the person, then acknowledges it. */
  async #tellReading(stanza: BinaryNode, reading: ChatReadFact): Promise<void> {
    const { publish, otherNameOf } = this.#parts;
    const { chat } = reading;
    const chatAlias = reading.chatAlias ?? (isGroup(chat) ? undefined : await otherNameOf(chat));
    await publish([{ ...reading, ...(chatAlias === undefined ? {} : { chatAlias }) }]);
    await this.#acknowledge(stanza);
  }

  /** Publishes the facts of a receipt, then acknowledges it; the rest of a long one is handled beside the line. */
  async #tell(stanza: BinaryNode, receipt: NamedReceipt | undefined): Promise<void> {
    const { publish, signal, failed } = this.#parts;
    if (receipt !== undefined) await publish(toReceiptFacts(receipt, receipt.stanzaIds.slice(0, AT_ONCE)));
    if (receipt === undefined || receipt.stanzaIds.length <= AT_ONCE) return this.#acknowledge(stanza);
    this.#long
      .tellRest(receipt)
      .then(() => this.#acknowledge(stanza))
      .catch((error: unknown) => {
        // The receipt comes again with the next login, as long as it is not acknowledged.
        if (!signal.aborted) failed(error);
      });
  }

  async #acknowledge(stanza: BinaryNode): Promise<void> {
    const { socket, logger } = this.#parts;
    await withDeadline('acknowledging a stanza', deadlines.stanzaWrite.ms, () => socket.sendMessageAck(stanza)).catch(
      (error: unknown) => logger.warn('receipt not acknowledged', { error }),
    );
  }

  /** The receipt with the other name of a member, as WhatsApp gave it with the group, or of a viewer, where it is known. */
  async #withName(receipt: NamedReceipt): Promise<NamedReceipt> {
    const { chat, recipient } = receipt;
    const { retries, otherNameOf } = this.#parts;
    const inGroup = isGroup(chat) ? retries.members.otherName(chat, recipient) : undefined;
    const other = isStatus(chat) ? await otherNameOf(recipient) : inGroup;
    return other === undefined ? receipt : { ...receipt, recipientAlias: other };
  }

  /**
   * Whether it is known that the sender of a group's receipt is not in the group. WhatsApp is not asked: one receipt
   * more or less is not worth a query that everything behind it waits for. The members of a group are known from the
   * last time that something was sent to it.
   */
  async #isOfStranger({ chat, recipient }: NamedReceipt): Promise<boolean> {
    if (!isGroup(chat)) return false;
    const names = [recipient, await this.#parts.otherNameOf(recipient)];
    return this.#parts.retries.members.known(chat, names) === 'not_a_member';
  }
}
