import { z } from 'zod';
import { presences } from '../../connection/settings.ts';
import { toRecipient } from '../../kernel/jid.ts';
import { chatSchema } from '../../message/party.ts';
import { actionRow } from '../actionRow.ts';

/** How long WhatsApp shows a chat state that is not renewed, in seconds. */
const MOST_SECONDS = 25;

export const chatTyping = actionRow({
  kind: 'chat_typing',
  method: 'POST',
  path: 'chats/{chat}/typing',
  summary: 'Show that you are typing or recording in a chat, or have stopped',
  description:
    `It ends by itself after \`seconds\`, which is as long as WhatsApp shows it (${MOST_SECONDS}), or when a message comes or \`paused\` is asked for; ask again to go on. ` +
    'It is shown only while your account counts as available: ask for that with `POST …/presence`, or choose it for good with the setting `presence`. ' +
    'The result says what the connection announces. WhatsApp does not say whether anybody saw it.',
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
    seconds: z
      .number()
      .int()
      .min(1)
      .max(MOST_SECONDS)
      .default(MOST_SECONDS)
      .meta({ description: 'How long it is shown at most.' }),
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
