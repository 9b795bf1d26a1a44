import { z } from 'zod';
import { isPerson, otherNameOf } from '../../kernel/jid.ts';
import { movesForward, type SentMessage } from '../../message/message.ts';
import type { MessageStep } from '../../message/messageSteps.ts';
import { toContact, type Contact } from '../../message/party.ts';
import { isWordOfRecipient } from '../../message/recipient.ts';
import { address, commonFields, stanzaId } from './factField.ts';
import { digest } from './factKey.ts';
import { factRow } from './factRow.ts';
import { messageStatus, messageStatusDraft, recipientOf } from './messageStatus.ts';

const schema = z.object({
  ...commonFields,
  kind: z.literal('receipt'),
  stanzaId,
  chat: address,
  recipient: address,
  chatAlias: address.optional(),
  recipientAlias: address.optional(),
  state: z.enum(['delivered', 'read', 'played']),
});

/** The progress of a message that we sent, as a recipient's device reports it. */
export type ReceiptFact = z.infer<typeof schema>;

/** A message moves forward once, whoever is named: in a group the first member counts that says so. */
export const receiptFact = factRow({
  schema,
  writtenBy: 'strangers',
  people: [
    ['chat', 'chatAlias'],
    ['recipient', 'recipientAlias'],
  ],
  about: (fact) => ({ stanzaId: fact.stanzaId }),
  step: ({ state }) => state,
  decide: (fact, { message, again }) => {
    // A message that the phone or another device sent is not one of the messages that we report on.
    if (message?.direction !== 'out') return { plan: 'ignored' };
    // The id of a message is known to many: what counts is whether it went to whoever says this.
    if (!isWordOfRecipient(message, fact)) return { plan: 'ignored' };
    const { state } = fact;
    const isForward = movesForward(message.state, state);
    if (!isForward && !again) return { plan: 'ignored' };
    const atMs = timeOfReceipt(message, fact);
    const step: MessageStep = {
      ...(isForward ? { state, [state === 'delivered' ? 'deliveredAtMs' : 'readAtMs']: atMs } : {}),
      toAlias: aliasLearned(message, fact),
    };
    const told = { status: state, recipient: recipientIn(message, fact) };
    return { plan: 'stored', draft: messageStatusDraft(message, atMs, told), step };
  },
  events: [messageStatus],
});

/** The key of a step that a recipient reports of a message. */
export function receiptKey(receipt: { readonly stanzaId: string } & Pick<ReceiptFact, 'recipient' | 'state'>): string {
  return `receipt:${digest(receipt.stanzaId, receipt.recipient, receipt.state)}`;
}

/** The key of the delivery of a message that the account wrote to itself, of which no stanza tells. */
export function ownDeliveryKey(messageId: string): string {
  return `delivered:${messageId}`;
}

/** The time of a receipt. WhatsApp's clock tells whole seconds and need not agree with ours: nothing is read before it was sent. */
function timeOfReceipt({ createdAtMs, sentAtMs, deliveredAtMs, readAtMs }: SentMessage, { atMs }: ReceiptFact): number {
  return Math.max(atMs, createdAtMs, sentAtMs ?? 0, deliveredAtMs ?? 0, readAtMs ?? 0);
}

/** The recipient with all names known; in a group it is the member who received the message. */
function recipientIn(message: SentMessage, { recipient, recipientAlias }: ReceiptFact): Contact {
  return isPerson(message.to) ? recipientOf(message, recipient, recipientAlias) : toContact(recipient, recipientAlias);
}

/** The other name of the recipient, where this is the first to tell it. */
function aliasLearned({ to, resolvedTo, toAlias }: SentMessage, receipt: ReceiptFact): string | undefined {
  if (toAlias !== undefined) return undefined;
  return otherNameOf(resolvedTo ?? to, [receipt.recipient, receipt.recipientAlias]);
}
