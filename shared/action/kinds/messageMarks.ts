import { z } from 'zod';
import { chatSchema } from '../../message/party.ts';
import { actionRow } from '../actionRow.ts';

/** The greatest number of messages that one action marks. */
export const MOST_MARKED = 100;

const messageId = z.string().min(1).max(64).meta({ description: 'A received message, by its id in this API.' });
const result = z.object({
  chat: chatSchema,
  upTo: messageId.meta({ description: 'The newest message that was marked: the one that the request names.' }),
  messages: z.number().int().meta({ description: 'How many messages were marked.' }),
  told: z.boolean().meta({
    description:
      'Whether their senders are told; not while the account hides its read receipts, then its own devices alone are.',
  }),
});
const chat = { id: '236471520047@lid', phoneNumber: '+4915123456789', lid: '236471520047@lid' };
const example = 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H';
const common = { method: 'POST', effect: 'repeatable', deadlineMs: 16_000, access: 'tenant', result } as const;

export const messageRead = actionRow({
  ...common,
  kind: 'message_read',
  path: 'messages/{messageId}/read',
  summary: 'Mark a received message as read, and those before it in its chat',
  description:
    `At most ${MOST_MARKED} messages: back to the last one that was marked in this way, among the last 500 of the connection. In a group ` +
    'the receipt names the sender of each. Marking again does no harm. WhatsApp does not say whether anybody saw the receipt.',
  request: z.strictObject({
    messageId,
    earlier: z.boolean().default(true).meta({ description: 'Whether messages before it are marked, too.' }),
  }),
  example: { request: { messageId: example }, result: { chat, upTo: example, messages: 3, told: true } },
  budget: { burst: 20, perSecond: 5 },
});

export const messagePlayed = actionRow({
  ...common,
  kind: 'message_played',
  path: 'messages/{messageId}/played',
  summary: 'Mark a received voice note or video note as played',
  description:
    'The message is marked as read, and as played. It is meant for voice notes, video notes and what is shown once.',
  request: z.strictObject({ messageId }),
  example: { request: { messageId: example }, result: { chat, upTo: example, messages: 1, told: true } },
  budget: { burst: 20, perSecond: 5 },
});
