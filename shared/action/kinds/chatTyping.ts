import { z } from 'zod';
import { presences } from '../../connection/settings.ts';
import { toRecipient } from '../../kernel/jid.ts';
import { chatSchema } from '../../message/party.ts';
import { actionRow } from '../actionRow.ts';

export const chatTyping = actionRow({
  kind: 'chat_typing',
  method: 'POST',
  path: 'chats/{chat}/typing',
  summary: 'Show that you are typing or recording in a chat, or have stopped',
  description:
    'WhatsApp shows it for about 25 seconds, or until a message comes or `paused` is sent. It is shown only while your account counts as ' +
    'available: set `presence` of the connection to `available`, which is announced at its next login (`POST …/restart`). The result says what the connection announces. WhatsApp does not say ' +
    'whether anybody saw it.',
  request: z.strictObject({
    chat: z
      .string()
      .min(1)
      .max(64)
      .refine(
        (text) => toRecipient(text) !== undefined,
        'Write it like +49 151 23456789, or as the address of a person or group that this API showed you.',
      )
      .meta({ description: 'Phone number in international form, or the address of a person or group.' }),
    state: z.enum(['composing', 'recording', 'paused']),
  }),
  result: z.object({
    chat: chatSchema,
    state: z.enum(['composing', 'recording', 'paused']),
    presence: z.enum(presences).meta({ description: 'What the connection announces of the account.' }),
  }),
  example: {
    request: { chat: '+4915123456789', state: 'composing' },
    result: {
      chat: { id: '236471520047@lid', phoneNumber: '+4915123456789', lid: '236471520047@lid' },
      state: 'composing',
      presence: 'available',
    },
  },
  effect: 'repeatable',
  deadlineMs: 16_000,
  budget: { burst: 10, perSecond: 5 },
  access: 'tenant',
});
