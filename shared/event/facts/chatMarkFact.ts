import { z } from 'zod';
import { chatSchema, toChat } from '../../message/party.ts';
import { eventRow, toDraft } from './eventRow.ts';
import { address, commonFields } from './factField.ts';
import { factRow } from './factRow.ts';

const schema = z.object({
  ...commonFields,
  kind: z.literal('chat_mark'),
  chat: address,
  chatAlias: address.optional(),
  unread: z.boolean(),
});

/** One of the account's own devices, or this connection, has marked a whole chat as read or as unread. */
export type ChatMarkFact = z.infer<typeof schema>;

const chatUpdated = eventRow({
  type: 'chat.updated',
  data: z
    .object({
      chat: chatSchema,
      unread: z.boolean().optional().meta({
        description: 'Present where that has changed: whether the chat is marked as unread.',
      }),
    })
    .meta({ id: 'ChatUpdatedData' }),
  description:
    'The account has changed a chat for itself, such as marked it as read or unread: on its phone, another device, or here. Only what has changed is present.',
  example: {
    chat: { id: '236471520047@lid', phoneNumber: '+4915123456789', lid: '236471520047@lid' },
    unread: true,
  },
});

/** Chats have no rows yet: what is told of them is told once for each change. */
export const chatMarkFact = factRow({
  schema,
  writtenBy: 'strangers',
  people: [['chat', 'chatAlias']],
  decide: ({ chat, chatAlias, unread, atMs }, { origin }) => ({
    plan: 'stored',
    draft: toDraft(chatUpdated, origin, atMs, { chat: toChat(chat, chatAlias), unread }),
  }),
  events: [chatUpdated],
});
