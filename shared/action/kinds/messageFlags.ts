import { z } from 'zod';
import { chatSchema } from '../../message/party.ts';
import { actionRow } from '../actionRow.ts';
import { exampleChat, sharedStateAction } from '../sharedState.ts';

/** What the account does to a message for itself alone. It is kept in the state that its own devices share. */
const messageId = z
  .string()
  .min(1)
  .max(64)
  .meta({ description: 'A message of this connection, by its id in this API.' });
const request = z.strictObject({ messageId });
const about = { chat: chatSchema, messageId: z.string() } as const;
const example = 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H';
const common = { ...sharedStateAction, request } as const;
const SHARED =
  'Nobody but the account sees it; its phone and other devices follow. Asked again it does no harm. The phone has to have given this device its keys, which it does soon after linking.';

export const messageStar = actionRow({
  ...common,
  kind: 'message_star',
  path: 'messages/{messageId}/star',
  summary: 'Put a star on a message',
  description: `Any message, received or sent. ${SHARED}`,
  result: z.object({ ...about, starred: z.literal(true) }),
  example: { request: { messageId: example }, result: { chat: exampleChat, messageId: example, starred: true } },
});

export const messageUnstar = actionRow({
  ...common,
  kind: 'message_unstar',
  path: 'messages/{messageId}/unstar',
  summary: 'Take the star of a message down',
  description: `Also where it has none. ${SHARED}`,
  result: z.object({ ...about, starred: z.literal(false) }),
  example: { request: { messageId: example }, result: { chat: exampleChat, messageId: example, starred: false } },
});

export const messageDeleteForMe = actionRow({
  ...common,
  kind: 'message_delete_for_me',
  path: 'messages/{messageId}/delete-for-me',
  summary: 'Delete a message for the account alone',
  description: `Others still see it; to take it back for everybody, send a \`revoke\`. It stays readable in this API, with \`deletedForMeAt\`, and cannot be brought back on the phone. ${SHARED}`,
  result: z.object({ ...about, deletedForMe: z.literal(true) }),
  example: { request: { messageId: example }, result: { chat: exampleChat, messageId: example, deletedForMe: true } },
});
