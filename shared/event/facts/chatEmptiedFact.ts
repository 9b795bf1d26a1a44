import { z } from 'zod';
import { chatSchema, toChat } from '../../message/party.ts';
import { eventRow, toDraft } from './eventRow.ts';
import { address, commonFields, timeMs } from './factField.ts';
import { factRow } from './factRow.ts';

const schema = z.object({
  ...commonFields,
  kind: z.literal('chat_emptied'),
  chat: address,
  chatAlias: address.optional(),
  /** `deleted`: the chat has gone from the list, with its messages. */
  how: z.enum(['cleared', 'deleted']),
  keptStarred: z.boolean(),
  /** The time of the newest message that has gone; absent where the device did not say. */
  untilMs: timeMs.optional(),
});

/** One of the account's own devices, or this connection, has taken the messages out of a chat, for the account alone. */
export type ChatEmptiedFact = z.infer<typeof schema>;

const common = {
  chat: chatSchema,
  until: z.iso.datetime().optional().meta({
    description: 'The time of the newest message that has gone, to a second; what came later is still there.',
  }),
} as const;
const example = {
  chat: { id: '236471520047@lid', phoneNumber: '+4915123456789', lid: '236471520047@lid' },
  until: '2026-08-01T12:00:05.000Z',
} as const;

const chatCleared = eventRow({
  type: 'chat.cleared',
  data: z
    .object({
      ...common,
      keptStarred: z.boolean().meta({ description: 'Whether messages with a star are still there.' }),
    })
    .meta({ id: 'ChatClearedData' }),
  description:
    'The account has taken all messages out of a chat for itself alone: on its phone, another device, or here. They stay readable in this API, and others still see them.',
  example: { ...example, keptStarred: true },
});

const chatDeleted = eventRow({
  type: 'chat.deleted',
  data: z.object(common).meta({ id: 'ChatDeletedData' }),
  description:
    'The account has deleted a chat for itself alone: on its phone, another device, or here. Its messages stay readable in this API.',
  example,
});

export const chatEmptiedFact = factRow({
  schema,
  writtenBy: 'strangers',
  people: [['chat', 'chatAlias']],
  decide: ({ chat, chatAlias, atMs, how, keptStarred, untilMs }, { origin }) => {
    const data = {
      chat: toChat(chat, chatAlias),
      ...(untilMs === undefined ? {} : { until: new Date(untilMs).toISOString() }),
    };
    const draft =
      how === 'deleted'
        ? toDraft(chatDeleted, origin, atMs, data)
        : toDraft(chatCleared, origin, atMs, { ...data, keptStarred });
    return { plan: 'stored', draft };
  },
  events: [chatCleared, chatDeleted],
});
