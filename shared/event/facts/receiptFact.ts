import { z } from 'zod';
import { isPerson, isStatus, otherNameOf } from '../../kernel/jid.ts';
import { messageIdOf } from '../../kernel/sentIds.ts';
import {
  noteReceipt,
  receiptStates,
  toMemberCounts,
  toMemberReceipts,
  type MemberReceipts,
  type ReceiptState,
} from '../../message/memberReceipts.ts';
import { movesForward, type SentMessage } from '../../message/message.ts';
import type { MessageStep } from '../../message/messageSteps.ts';
import { toContact, type Contact } from '../../message/party.ts';
import { goesToMany, isWordOfRecipient } from '../../message/recipient.ts';
import { receiptsKey } from '../../platform/keys.ts';
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
  state: z.enum(receiptStates),
});

/** The progress of a message that we sent, as a recipient's device reports it. */
export type ReceiptFact = z.infer<typeof schema>;

/**
 * A message moves forward once. In a group each member, and of a status each viewer, is noted in the row beside that of the message, and the message moves
 * with the slowest of them, or with the first where the settings ask for that.
 */
export const receiptFact = factRow({
  schema,
  writtenBy: 'strangers',
  people: [
    ['chat', 'chatAlias'],
    ['recipient', 'recipientAlias'],
  ],
  about: (fact) => ({ stanzaId: fact.stanzaId }),
  step: ({ state }) => state,
  beside: ({ chat, stanzaId: id }, connectionId) => {
    const messageId = goesToMany(chat) ? messageIdOf(connectionId, id) : undefined;
    return messageId === undefined ? undefined : receiptsKey(connectionId, messageId);
  },
  decide: (fact, { message, again, told, beside }) => {
    // A message that the phone or another device sent is not one of the messages that we report on.
    if (message?.direction !== 'out') return { plan: 'ignored' };
    // The id of a message is known to many: what counts is whether it went to whoever says this.
    if (!isWordOfRecipient(message, fact)) return { plan: 'ignored' };
    const isForward = movesForward(message.state, fact.state);
    // A status without its audience says nothing of who may speak.
    if (isStatus(message.to) && beside?.['isAudience'] !== true) return { plan: 'ignored' };
    if (!goesToMany(message.to)) {
      return isForward || again ? toStored(message, fact, isForward) : { plan: 'ignored' };
    }
    const before = toMemberReceipts(beside);
    const after = noteReceipt(before, fact, message.createdAtMs);
    const noted = after === before ? undefined : { ...after };
    if (!told && (again || (isForward && isReached(message, after, fact.state)))) {
      return { ...toStored(message, fact, isForward, after), ...(noted === undefined ? {} : { beside: noted }) };
    }
    return noted === undefined ? { plan: 'ignored' } : { plan: 'noted', beside: noted };
  },
  events: [messageStatus],
});

/** Whether a message to a group has come as far as its settings ask for. */
function isReached({ members, statusBy }: SentMessage, receipts: MemberReceipts, state: ReceiptState): boolean {
  return statusBy === 'first' || (members !== undefined && receipts[state] >= members);
}

function toStored(message: SentMessage, fact: ReceiptFact, isForward: boolean, receipts?: MemberReceipts) {
  const { state } = fact;
  const atMs = timeOfReceipt(message, fact);
  const step: MessageStep = {
    ...(isForward ? { state, [state === 'delivered' ? 'deliveredAtMs' : 'readAtMs']: atMs } : {}),
    toAlias: aliasLearned(message, fact),
  };
  const members = receipts === undefined ? undefined : toMemberCounts(message, receipts);
  const told = { status: state, recipient: recipientIn(message, fact), members };
  return { plan: 'stored', draft: messageStatusDraft(message, atMs, told), step } as const;
}

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
