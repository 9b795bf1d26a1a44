import { z } from 'zod';
import { chatSchema } from '../../message/party.ts';
import { actionRow } from '../actionRow.ts';
import { chatAddress, exampleChat } from '../sharedState.ts';

/** The most messages that one request asks the phone for; WhatsApp's own clients ask for 50. */
const MOST_MESSAGES = 500;

export const chatHistoryFetch = actionRow({
  kind: 'chat_history_fetch',
  method: 'POST',
  path: 'chats/{chat}/history',
  summary: "Ask the account's phone for older messages of a chat",
  description:
    'The phone has to be online; where it does not answer within 12 s, the error is `phone_offline`, and what it answers later is taken in all the same. It gives what is older than the oldest message that is known here, which is then found with `GET …/messages?chat=` and told by `history.progress`, and never as new. The result says that the phone has answered; it may have had nothing.',
  request: z.strictObject({
    chat: chatAddress,
    messages: z.number().int().min(1).max(MOST_MESSAGES).default(50).meta({ description: 'How many at most.' }),
  }),
  result: z.object({
    chat: chatSchema,
    before: z.iso.datetime().meta({ description: 'When the message was written before which the phone was asked.' }),
  }),
  example: {
    request: { chat: '+4915123456789', messages: 50 },
    result: { chat: exampleChat, before: '2026-02-01T09:30:00.000Z' },
  },
  effect: 'repeatable',
  deadlineMs: 20_000,
  budget: { burst: 5, perSecond: 0.2 },
  access: 'tenant',
});
