import type { BinaryNode, makeWASocket } from '@whiskeysockets/baileys';
import type { StanzaId } from '../../shared/kernel/id.ts';
import type { ReceiptFact } from '../../shared/event/internalEvent.ts';
import type { Logger } from '../../shared/platform/logger.ts';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import { isGroup } from '../../shared/message/recipient.ts';
import type { Me } from './facts/envelope.ts';
import { toReceiptFacts } from './facts/receiptFacts.ts';
import type { Fate } from './inboundOrder.ts';
import type { Retries } from './retries.ts';

export interface ReceiptsParts {
  readonly retries: Pick<Retries, 'onRequest' | 'members'>;
  readonly socket: Pick<ReturnType<typeof makeWASocket>, 'sendMessageAck'>;
  readonly logger: Logger;
  readonly me: () => Me;
  readonly otherNameOf: (jid: string) => Promise<string | undefined>;
  /** Resolves when receipts for these messages may be published. */
  readonly recorded: (stanzaIds: readonly StanzaId[]) => Promise<void>;
  readonly publish: (facts: readonly ReceiptFact[]) => Promise<void>;
}

/**
 * Receipts. Requests to repeat are judged, and those that may be answered are left to Baileys. All others tell of the progress
 * of our messages: they are published and acknowledged here, because Baileys would let them wait for its answers to requests.
 */
export class Receipts {
  readonly #parts: ReceiptsParts;

  constructor(parts: ReceiptsParts) {
    this.#parts = parts;
  }

  /** Rejects when what a receipt tells is not durable: then it is not acknowledged. */
  async onReceipt(stanza: BinaryNode): Promise<Fate> {
    const { retries, me, recorded, publish, socket, logger } = this.#parts;
    if (stanza.attrs['type'] === 'retry') return retries.onRequest(stanza);
    const facts = toReceiptFacts(stanza, me());
    const [first] = facts;
    if (first !== undefined && !(await this.#isOfStranger(first))) {
      await recorded(facts.map(({ stanzaId }) => stanzaId));
      await publish(facts);
    }
    await withDeadline('acknowledging a stanza', deadlines.stanzaWrite.ms, () => socket.sendMessageAck(stanza)).catch(
      (error: unknown) => logger.warn('receipt not acknowledged', { error }),
    );
    return 'taken';
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
