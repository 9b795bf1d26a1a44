import { z } from 'zod';
import { chatSchema, toChat } from '../../message/party.ts';
import { eventRow, toDraft } from './eventRow.ts';
import { address, commonFields } from './factField.ts';
import { digest } from './factKey.ts';
import { factRow } from './factRow.ts';

const schema = z.object({
  ...commonFields,
  kind: z.literal('chat_read'),
  chat: address,
  chatAlias: address.optional(),
});

/** Another device of the account has shown what had come in a chat. */
export type ChatReadFact = z.infer<typeof schema>;

const chatRead = eventRow({
  type: 'chat.read',
  data: z.object({ chat: chatSchema }).meta({ id: 'ChatReadData' }),
  description:
    'The account has read what had come in a chat, on its phone or another device. What came later is unread. Whether senders were told is a matter of its privacy settings.',
  example: { chat: { id: '236471520047@lid', phoneNumber: '+4915123456789', lid: '236471520047@lid' } },
});

export const chatReadFact = factRow({
  schema,
  writtenBy: 'strangers',
  people: [['chat', 'chatAlias']],
  decide: ({ chat, chatAlias, atMs }, { origin }) => ({
    plan: 'stored',
    draft: toDraft(chatRead, origin, atMs, { chat: toChat(chat, chatAlias) }),
  }),
  events: [chatRead],
});

/** The key of a reading. @param stanzaId of the message that the receipt names first */
export function chatReadKey(chat: string, stanzaId: string, atMs: number): string {
  return `chat_read:${digest(chat, stanzaId, String(atMs))}`;
}
