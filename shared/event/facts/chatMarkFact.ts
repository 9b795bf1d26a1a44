import { z } from 'zod';
import { chatMarks, shownMarks, toShownMarks } from '../../message/chatMarks.ts';
import { chatSchema, toChat } from '../../message/party.ts';
import { eventRow, toDraft } from './eventRow.ts';
import { address, commonFields } from './factField.ts';
import { factRow } from './factRow.ts';

const schema = z.object({
  ...commonFields,
  kind: z.literal('chat_mark'),
  chat: address,
  chatAlias: address.optional(),
  ...chatMarks.shape,
});

/** One of the account's own devices, or this connection, has marked a whole chat: the fields that are present have changed. */
export type ChatMarkFact = z.infer<typeof schema>;

const chatUpdated = eventRow({
  type: 'chat.updated',
  data: z.object({ chat: chatSchema, ...z.object(shownMarks).partial().shape }).meta({ id: 'ChatUpdatedData' }),
  description:
    'The account has marked a chat for itself (read, unread, archived, pinned, muted): on its phone, another device, or here. Only what has changed is present.',
  example: {
    chat: { id: '236471520047@lid', phoneNumber: '+4915123456789', lid: '236471520047@lid' },
    muted: true,
    mutedUntil: '2026-08-02T08:00:00.000Z',
  },
});

export const chatMarkFact = factRow({
  schema,
  writtenBy: 'strangers',
  people: [['chat', 'chatAlias']],
  decide: ({ chat, chatAlias, atMs, ...marks }, { origin }) => ({
    plan: 'stored',
    draft: toDraft(chatUpdated, origin, atMs, { chat: toChat(chat, chatAlias), ...toShownMarks(marks) }),
  }),
  events: [chatUpdated],
});
