import type { MessageReceiptType } from '@whiskeysockets/baileys';
import { MOST_MARKED } from '../../../shared/action/kinds/messageMarks.ts';
import { withDeadline } from '../../../shared/kernel/deadline.ts';
import { deadlines } from '../../../shared/kernel/deadlines.ts';
import { parseId } from '../../../shared/kernel/id.ts';
import { isGroup } from '../../../shared/message/recipient.ts';
import { toChat } from '../../../shared/message/party.ts';
import type { ReceivedMessage } from '../../../shared/message/message.ts';
import type { Ask, Asking } from './asking.ts';

/** The receipts by what is marked: what senders are told, and what our own devices alone are told. */
const receiptTypes = {
  read: { told: ['read'], hidden: ['read-self'] },
  played: { told: ['read', 'played'], hidden: ['read-self', 'played-self'] },
} as const satisfies Record<string, Readonly<Record<'told' | 'hidden', readonly string[]>>>;

/** How much earlier our wait for an answer ends than that of Baileys, which fails without a word where none comes. */
const EARLIER_MS = 500;

export const askMessageRead: Ask<'message_read'> = async (asking, { messageId, earlier }) =>
  mark(asking, 'read', messageId, earlier ? MOST_MARKED : 1);

export const askMessagePlayed: Ask<'message_played'> = async (asking, { messageId }) =>
  mark(asking, 'played', messageId, 1);

/**
 * Writes the receipts, and then notes on the message that it is marked, so that the next look back ends there. Where the
 * worker dies in between, the same messages are marked once more, which does no harm.
 */
async function mark(
  { socket, received, otherNameOf, queryTimeoutMs }: Asking,
  what: keyof typeof receiptTypes,
  id: string,
  most: number,
): ReturnType<Ask<'message_read'>> {
  const messageId = parseId('msg', id);
  const messages = messageId === undefined ? 'missing' : await received.listUpTo(messageId, most);
  if (messageId === undefined || messages === 'missing') return refused('message_not_found');
  const [newest] = messages === 'not_received' ? [] : messages;
  if (newest === undefined || messages === 'not_received' || !isMarkable(newest.chat)) {
    return refused('message_not_markable');
  }
  const { readreceipts } = await withDeadline(
    'asking whether senders are told',
    Math.max(1, queryTimeoutMs - EARLIER_MS),
    () => socket.fetchPrivacySettings(),
  );
  const told = readreceipts === 'all';
  const keys = messages.map(({ chat, sender, stanzaId }) => ({
    remoteJid: chat,
    id: stanzaId,
    fromMe: false,
    ...(chat === sender ? {} : { participant: sender }),
  }));
  for (const type of receiptTypes[what][told ? 'told' : 'hidden']) {
    // Baileys writes one receipt for each sender, with all ids of it.
    await withDeadline('writing receipts', deadlines.stanzaWrite.ms, () =>
      socket.sendReceipts(keys, type as MessageReceiptType),
    );
  }
  await received.noteMarked(messageId);
  const { chat, chatAlias } = newest;
  const alias = chatAlias ?? (isGroup(chat) ? undefined : await otherNameOf(chat));
  return {
    outcome: 'succeeded',
    result: { chat: toChat(chat, alias), upTo: messageId, messages: messages.length, told },
  };
}

/** Posts of newsletters know no receipts. */
function isMarkable(chat: ReceivedMessage['chat']): boolean {
  return !chat.endsWith('@newsletter');
}

function refused(code: 'message_not_found' | 'message_not_markable') {
  return { outcome: 'refused', error: { code } } as const;
}
