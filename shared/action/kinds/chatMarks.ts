import { z } from 'zod';
import { LAST_MS } from '../../kernel/lastMs.ts';
import { shownMarks } from '../../message/chatMarks.ts';
import { chatSchema } from '../../message/party.ts';
import { actionRow } from '../actionRow.ts';
import { chatAddress, exampleChat, sharedStateAction } from '../sharedState.ts';

/** What the account does to a whole chat for itself alone. It is kept in the state that its own devices share. */
const request = z.strictObject({ chat: chatAddress });
const exampleRequest = { chat: '+4915123456789' };
const common = { ...sharedStateAction, request } as const;
const SHARED = 'Nobody but the account sees it; its phone and other devices follow. Asked again it does no harm.';

export const chatRead = actionRow({
  ...common,
  kind: 'chat_read',
  path: 'chats/{chat}/read',
  summary: 'Mark a chat as read for the account alone',
  description:
    'Its phone and other devices no longer show it as unread. Nobody else learns of it: to tell senders that their messages are read, use `POST …/messages/{messageId}/read`. Asked again it does no harm.',
  result: z.object({ chat: chatSchema, unread: z.literal(false) }),
  example: { request: exampleRequest, result: { chat: exampleChat, unread: false } },
});

export const chatUnread = actionRow({
  ...common,
  kind: 'chat_unread',
  path: 'chats/{chat}/unread',
  summary: 'Mark a chat as unread for the account alone',
  description:
    'Its phone and other devices show it as unread until it is opened there or marked as read. Receipts that were sent stay sent. Asked again it does no harm.',
  result: z.object({ chat: chatSchema, unread: z.literal(true) }),
  example: { request: exampleRequest, result: { chat: exampleChat, unread: true } },
});

export const chatArchive = actionRow({
  ...common,
  kind: 'chat_archive',
  path: 'chats/{chat}/archive',
  summary: 'Put a chat into the archive',
  description: `It is taken from the top of the list, too, where it was pinned. The phone brings it back with the next message unless it is set to keep chats archived. ${SHARED}`,
  result: z.object({ chat: chatSchema, archived: z.literal(true) }),
  example: { request: exampleRequest, result: { chat: exampleChat, archived: true } },
});

export const chatUnarchive = actionRow({
  ...common,
  kind: 'chat_unarchive',
  path: 'chats/{chat}/unarchive',
  summary: 'Bring a chat back from the archive',
  description: `Also where it is not in there. ${SHARED}`,
  result: z.object({ chat: chatSchema, archived: z.literal(false) }),
  example: { request: exampleRequest, result: { chat: exampleChat, archived: false } },
});

export const chatPin = actionRow({
  ...common,
  kind: 'chat_pin',
  path: 'chats/{chat}/pin',
  summary: 'Pin a chat to the top of the list',
  description: `How many may be pinned is a matter of the phone: it shows three or more, by its version, and WhatsApp refuses none. ${SHARED}`,
  result: z.object({ chat: chatSchema, pinned: z.literal(true) }),
  example: { request: exampleRequest, result: { chat: exampleChat, pinned: true } },
});

export const chatUnpin = actionRow({
  ...common,
  kind: 'chat_unpin',
  path: 'chats/{chat}/unpin',
  summary: 'Unpin a chat from the top of the list',
  description: `Also where it is not pinned. ${SHARED}`,
  result: z.object({ chat: chatSchema, pinned: z.literal(false) }),
  example: { request: exampleRequest, result: { chat: exampleChat, pinned: false } },
});

export const chatMute = actionRow({
  ...common,
  kind: 'chat_mute',
  path: 'chats/{chat}/mute',
  summary: 'Mute a chat, until a time or for ever',
  description: `The phone is silent about its messages; they come here as ever. A time that has passed by then ends a mute. ${SHARED}`,
  request: request.extend({
    until: z.iso
      .datetime({ offset: true })
      .refine(
        (text) => Date.parse(text) > 0 && Date.parse(text) <= LAST_MS,
        'must be a time since 1970, and before the year 10000 in UTC',
      )
      .optional()
      .meta({ description: 'When it ends by itself; left out, never.', example: '2026-12-24T18:00:00Z' }),
  }),
  result: z.object({ chat: chatSchema, muted: shownMarks.muted, mutedUntil: shownMarks.mutedUntil.optional() }),
  example: {
    request: { ...exampleRequest, until: '2026-12-24T18:00:00Z' },
    result: { chat: exampleChat, muted: true, mutedUntil: '2026-12-24T18:00:00.000Z' },
  },
});

export const chatUnmute = actionRow({
  ...common,
  kind: 'chat_unmute',
  path: 'chats/{chat}/unmute',
  summary: 'End the silence about a chat',
  description: `Also where it is not muted. ${SHARED}`,
  result: z.object({ chat: chatSchema, muted: z.literal(false) }),
  example: { request: exampleRequest, result: { chat: exampleChat, muted: false } },
});
