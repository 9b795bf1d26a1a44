import type { BinaryNode } from '@whiskeysockets/baileys';
import type { ReceiptFact } from '../../../shared/event/facts/fact.ts';
import type { StanzaId } from '../../../shared/kernel/id.ts';
import { withoutDevice } from '../../../shared/kernel/jid.ts';
import { tableEntry } from '../../../shared/kernel/tableEntry.ts';
import { isGroup } from '../../../shared/message/recipient.ts';
import { isMe, type Me } from './envelope.ts';
import { digest } from './factKey.ts';

const RECEIPT_STATES: Readonly<Record<string, ReceiptFact['state']>> = {
  '': 'delivered',
  read: 'read',
  played: 'played',
};

/** Messages for one receipt. Each is looked up, in order with all else of the connection: more would keep neighbours waiting. */
const MOST_MESSAGES = 256;

/**
 * The facts of a receipt: one per message that it names. Receipts of our own devices and requests to repeat are none. Whether
 * the messages went to who says this is decided where they are stored (`shared/message/recipient.ts`).
 */
export function toReceiptFacts(stanza: BinaryNode, me: Me): readonly ReceiptFact[] {
  const { attrs } = stanza;
  const state = tableEntry(RECEIPT_STATES, attrs['type'] ?? '');
  const chat = withoutDevice(attrs['from'] ?? '');
  const participant = attrs['participant'] === undefined ? undefined : withoutDevice(attrs['participant']);
  // Only in a group does the server name a member beside where a receipt comes from.
  if (participant !== undefined && participant !== chat && !isGroup(chat)) return [];
  const recipient = participant ?? chat;
  if (state === undefined || isMe(recipient, me)) return [];
  const list = Array.isArray(stanza.content) ? stanza.content.find(({ tag }) => tag === 'list')?.content : undefined;
  const more = Array.isArray(list) ? list.slice(0, MOST_MESSAGES).map((item) => item.attrs['id'] ?? '') : [];
  const named = new Set([attrs['id'] ?? '', ...more].filter((id) => id !== ''));
  return [...named].slice(0, MOST_MESSAGES).map((stanzaId) => ({
    kind: 'receipt',
    key: `receipt:${digest(stanzaId, recipient, state)}`,
    atMs: Number(attrs['t'] ?? 0) * 1_000,
    stanzaId: stanzaId as StanzaId,
    chat,
    recipient,
    state,
  }));
}
