import type { BinaryNode } from '@whiskeysockets/baileys';
import { receiptKey, type ReceiptFact } from '../../../shared/event/facts/receiptFact.ts';
import type { StanzaId } from '../../../shared/kernel/id.ts';
import { withoutDevice } from '../../../shared/kernel/jid.ts';
import { tableEntry } from '../../../shared/kernel/tableEntry.ts';
import { goesToMany } from '../../../shared/message/recipient.ts';
import { isMe, type Me } from './envelope.ts';

const RECEIPT_STATES: Readonly<Record<string, ReceiptFact['state']>> = {
  '': 'delivered',
  read: 'read',
  played: 'played',
};

/** The contents of a receipt, for any number of messages. */
export interface NamedReceipt extends Pick<ReceiptFact, 'atMs' | 'chat' | 'recipient' | 'recipientAlias' | 'state'> {
  /** The messages that it names, each once. */
  readonly stanzaIds: readonly StanzaId[];
}

/**
 * Reads a receipt; undefined for receipts of our own devices and for requests to repeat. The store decides whether the
 * messages went to the sender of the receipt (`shared/message/recipient.ts`).
 */
export function readReceipt(stanza: BinaryNode, me: Me): NamedReceipt | undefined {
  const { attrs } = stanza;
  const state = tableEntry(RECEIPT_STATES, attrs['type'] ?? '');
  const chat = withoutDevice(attrs['from'] ?? '');
  const participant = attrs['participant'] === undefined ? undefined : withoutDevice(attrs['participant']);
  // Only in a group, and for a status, does the server name a person beside the chat that a receipt comes from.
  if (participant !== undefined && participant !== chat && !goesToMany(chat)) return undefined;
  const recipient = participant ?? chat;
  if (state === undefined || isMe(recipient, me)) return undefined;
  const list = Array.isArray(stanza.content) ? stanza.content.find(({ tag }) => tag === 'list')?.content : undefined;
  const more = Array.isArray(list) ? list.map((item) => item.attrs['id'] ?? '') : [];
  const named = new Set([attrs['id'] ?? '', ...more].filter((id) => id !== ''));
  return { atMs: Number(attrs['t'] ?? 0) * 1_000, chat, recipient, state, stanzaIds: [...named] as StanzaId[] };
}

/** The facts of a receipt for some of the messages that it names: one for each. */
export function toReceiptFacts(
  { atMs, chat, recipient, recipientAlias, state }: NamedReceipt,
  stanzaIds: readonly StanzaId[],
): readonly ReceiptFact[] {
  return stanzaIds.map((stanzaId) => ({
    kind: 'receipt',
    key: receiptKey({ stanzaId, recipient, state }),
    atMs,
    stanzaId,
    chat,
    recipient,
    ...(recipientAlias === undefined ? {} : { recipientAlias }),
    state,
  }));
}
