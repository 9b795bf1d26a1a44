import { z } from 'zod';
import { chatSchema, toChat } from '../../message/party.ts';
import { eventRow, toDraft } from './eventRow.ts';
import { address, commonFields, LAST_MS } from './factField.ts';
import { factRow } from './factRow.ts';

/** The end of a mute that has none. */
export const FOR_EVER = -1;

const schema = z.object({
  ...commonFields,
  kind: z.literal('chat_mark'),
  chat: address,
  chatAlias: address.optional(),
  unread: z.boolean().optional(),
  archived: z.boolean().optional(),
  pinned: z.boolean().optional(),
  /** The time up to which the chat is muted; 0 where it is not muted, {@link FOR_EVER} where that has no end. */
  mutedUntilMs: z.number().int().min(FOR_EVER).max(LAST_MS).optional(),
});

/** One of the account's own devices, or this connection, has marked a whole chat: the fields that are present have changed. */
export type ChatMarkFact = z.infer<typeof schema>;
export type ChatMarks = Pick<ChatMarkFact, 'unread' | 'archived' | 'pinned' | 'mutedUntilMs'>;

/** The marks of a chat, as events show them and as results of actions do. */
export const shownMarks = {
  unread: z.boolean().meta({ description: 'Whether the chat is marked as unread.' }),
  archived: z.boolean().meta({ description: 'Whether the chat is in the archive.' }),
  pinned: z.boolean().meta({ description: 'Whether the chat is at the top of the list.' }),
  muted: z.boolean().meta({ description: 'Whether the phone is silent about the chat.' }),
  mutedUntil: z.iso.datetime().meta({ description: 'Beside `muted`, where that ends by itself: when.' }),
} as const;

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

/** The marks that are present, as they are shown. */
export function toShownMarks({ unread, archived, pinned, mutedUntilMs }: ChatMarks) {
  return {
    ...(unread === undefined ? {} : { unread }),
    ...(archived === undefined ? {} : { archived }),
    ...(pinned === undefined ? {} : { pinned }),
    ...(mutedUntilMs === undefined ? {} : { muted: mutedUntilMs !== 0 }),
    ...(mutedUntilMs === undefined || mutedUntilMs <= 0 ? {} : { mutedUntil: new Date(mutedUntilMs).toISOString() }),
  };
}
