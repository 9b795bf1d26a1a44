import type { BinaryNode } from '@whiskeysockets/baileys';
import type { StanzaId } from '../../shared/kernel/id.ts';
import type { ReceiptFact } from '../../shared/event/internalEvent.ts';
import { isGroup } from '../../shared/message/recipient.ts';
import type { Me } from './facts/envelope.ts';
import { toReceiptFacts } from './facts/receiptFacts.ts';
import type { Retries } from './retries.ts';

export interface ReceiptsParts {
  readonly retries: Pick<Retries, 'onReceipt' | 'members'>;
  readonly me: () => Me;
  readonly otherNameOf: (jid: string) => Promise<string | undefined>;
  /** Resolves when receipts for these messages may be published. */
  readonly recorded: (stanzaIds: readonly StanzaId[]) => Promise<void>;
  readonly publish: (facts: readonly ReceiptFact[]) => Promise<void>;
}

/** Receipts, before Baileys sees them: requests to repeat are judged, and progress of our messages is published. */
export class Receipts {
  readonly #parts: ReceiptsParts;

  constructor(parts: ReceiptsParts) {
    this.#parts = parts;
  }

  /** Takes a receipt that Baileys must not see. */
  async onReceipt(stanza: BinaryNode): Promise<'taken' | undefined> {
    const { retries, me, recorded, publish } = this.#parts;
    if ((await retries.onReceipt(stanza)) === 'taken') return 'taken';
    const facts = toReceiptFacts(stanza, me());
    const [first] = facts;
    if (first === undefined || (await this.#isOfStranger(first))) return undefined;
    await recorded(facts.map(({ stanzaId }) => stanzaId));
    await publish(facts);
    return undefined;
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
