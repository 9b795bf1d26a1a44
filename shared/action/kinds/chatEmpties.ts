import { z } from 'zod';
import { chatSchema } from '../../message/party.ts';
import { actionRow } from '../actionRow.ts';
import { chatAddress, exampleChat, sharedStateAction } from '../sharedState.ts';

/** What takes the messages of a chat from the account's own devices. Nobody else loses any. */
const exampleRequest = { chat: '+4915123456789' };
const SHARED =
  'It holds up to the newest message that this API knows of the chat, and where it knows none, up to now; what comes later stays. Others still see every message, and this API shows them as before. It cannot be undone on the phone.';

export const chatClear = actionRow({
  ...sharedStateAction,
  kind: 'chat_clear',
  path: 'chats/{chat}/clear',
  summary: 'Take all messages out of a chat, on the devices of the account',
  description: `The chat stays in the list. ${SHARED}`,
  request: z.strictObject({
    chat: chatAddress,
    keepStarred: z
      .boolean()
      .default(false)
      .meta({ description: 'Whether messages with a star stay where they are.', example: true }),
  }),
  result: z.object({ chat: chatSchema, cleared: z.literal(true), keptStarred: z.boolean() }),
  example: {
    request: { ...exampleRequest, keepStarred: true },
    result: { chat: exampleChat, cleared: true, keptStarred: true },
  },
});

export const chatDelete = actionRow({
  ...sharedStateAction,
  kind: 'chat_delete',
  path: 'chats/{chat}/delete',
  summary: 'Delete a chat from the devices of the account',
  description: `Its messages go with it, those with a star, too; the next message brings the chat back without them. A group is not left. ${SHARED}`,
  request: z.strictObject({ chat: chatAddress }),
  result: z.object({ chat: chatSchema, deleted: z.literal(true) }),
  example: { request: exampleRequest, result: { chat: exampleChat, deleted: true } },
});
