import { z } from 'zod';
import { toRecipient } from '../../kernel/jid.ts';
import { chatSchema } from '../../message/party.ts';
import { actionRow } from '../actionRow.ts';
import { exampleChat, sharedStateAction } from '../sharedState.ts';

/** What the account does to a whole chat for itself alone. It is kept in the state that its own devices share. */
const request = z.strictObject({
  chat: z
    .string()
    .min(1)
    .max(64)
    .refine(
      (text) => toRecipient(text) !== undefined,
      'Write it like +49 151 23456789, or as the address of a person or group that this API showed you.',
    )
    .meta({ description: 'Phone number in international form, or the address of a person or group.' }),
});
const common = { ...sharedStateAction, request } as const;

export const chatRead = actionRow({
  ...common,
  kind: 'chat_read',
  path: 'chats/{chat}/read',
  summary: 'Mark a chat as read for the account alone',
  description:
    'Its phone and other devices no longer show it as unread. Nobody else learns of it: to tell senders that their messages are read, use `POST …/messages/{messageId}/read`. Asked again it does no harm.',
  result: z.object({ chat: chatSchema, unread: z.literal(false) }),
  example: { request: { chat: '+4915123456789' }, result: { chat: exampleChat, unread: false } },
});

export const chatUnread = actionRow({
  ...common,
  kind: 'chat_unread',
  path: 'chats/{chat}/unread',
  summary: 'Mark a chat as unread for the account alone',
  description:
    'Its phone and other devices show it as unread until it is opened there or marked as read. Receipts that were sent stay sent. Asked again it does no harm.',
  result: z.object({ chat: chatSchema, unread: z.literal(true) }),
  example: { request: { chat: '+4915123456789' }, result: { chat: exampleChat, unread: true } },
});
