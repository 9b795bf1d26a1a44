import type { BinaryNode } from '@whiskeysockets/baileys';
import { chatReadKey, type ChatReadFact } from '../../../shared/event/facts/chatReadFact.ts';
import { receiptKey, type ReceiptFact } from '../../../shared/event/facts/receiptFact.ts';
import type { StanzaId } from '../../../shared/kernel/id.ts';
import { isStatus, withoutDevice } from '../../../shared/kernel/jid.ts';
import { tableEntry } from '../../../shared/kernel/tableEntry.ts';
import { goesToMany } from '../../../shared/message/recipient.ts';
import { addressOf, isMe, type Me } from './envelope.ts';

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

/** What a receipt says by which the account's own devices learn that one of them has shown a chat. Source: whatsmeow, `types.ReceiptType`. */
const OWN_READINGS: ReadonlySet<string | undefined> = new Set(['read', 'read-self', 'played', 'played-self']);

/**
 * Reads the receipt of another device of the account, which has shown what came in a chat; undefined for every other one. The server writes
 * whom a receipt is from, so nobody else can say this.
 */
export function readOwnReading(stanza: BinaryNode, me: Me): ChatReadFact | undefined {
  if (!OWN_READINGS.has(stanza.attrs['type'])) return undefined;
  const { fromMe, chat, chatAlias, atMs } = addressOf(stanza, me);
  if (!fromMe || isStatus(chat) || isMe(chat, me)) return undefined;
  const key = chatReadKey(chat, stanza.attrs['id'] ?? '', atMs);
  return { kind: 'chat_read', key, atMs, chat, ...(chatAlias === undefined ? {} : { chatAlias }) };
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
