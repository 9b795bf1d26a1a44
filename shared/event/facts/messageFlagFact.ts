import { z } from 'zod';
import { chatSchema, toChat } from '../../message/party.ts';
import { originalSchema, toShownOriginal } from '../../message/shownOriginal.ts';
import { messageKey as rowKey } from '../../platform/keys.ts';
import { eventRow, toDraft, type DraftOf } from './eventRow.ts';
import { address, commonFields, stanzaId } from './factField.ts';
import { factRow, type FactContext, type FactPlan } from './factRow.ts';
import { isInChat } from './originalRule.ts';
import { messageKey } from './messageKey.ts';
import type { Naming } from './originals.ts';

/** The flags that the account itself puts on a message, which nobody else sees. */
export const messageFlags = ['starred', 'deleted_for_me'] as const;

const schema = z.object({
  ...commonFields,
  kind: z.literal('message_flag'),
  stanzaId,
  chat: address,
  chatAlias: address.optional(),
  /** The writer of the message; absent where that is the account itself. */
  sender: address.optional(),
  senderAlias: address.optional(),
  fromMe: z.boolean(),
  flag: z.enum(messageFlags),
  isSet: z.boolean(),
});

/** One of the account's own devices, or this connection, has put a flag on a message or taken it down. */
export type MessageFlagFact = z.infer<typeof schema>;

const ADA = { id: '236471520047@lid', phoneNumber: '+4915123456789', lid: '236471520047@lid' };
const exampleOriginal = { messageId: 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H', stanzaId: '3EB0C767D097B7B3E5D1', sender: ADA };
const messageStarred = eventRow({
  type: 'message.starred',
  data: z
    .object({
      original: originalSchema,
      chat: chatSchema,
      starred: z.boolean().meta({ description: 'Whether it has a star now.' }),
    })
    .meta({ id: 'MessageStarredData' }),
  description: 'The account has put a star on a message, or taken it down: on its phone, another device, or here.',
  example: { original: exampleOriginal, chat: ADA, starred: true },
});
const messageDeletedForMe = eventRow({
  type: 'message.deleted_for_me',
  data: z.object({ original: originalSchema, chat: chatSchema }).meta({ id: 'MessageDeletedForMeData' }),
  description:
    'The account has deleted a message for itself alone: on its phone, another device, or here. What it said is kept, and others still see it.',
  example: { original: exampleOriginal, chat: ADA },
});

/**
 * The row of the message says what flags it has. A change that the row has already is told no second time, whoever made it;
 * one of a message that is not known here is told without its id.
 */
export const messageFlagFact = factRow({
  schema,
  writtenBy: 'strangers',
  people: [
    ['chat', 'chatAlias'],
    ['sender', 'senderAlias'],
  ],
  names: (fact) => [namingOf(fact)],
  decide: (fact, context) => {
    const [found] = context.named;
    const message = found?.message !== undefined && isInChat(found.message, fact) ? found.message : undefined;
    if (message === undefined || found === undefined) return toTold(fact, undefined, context);
    const { connectionId } = context.origin;
    const key = rowKey(connectionId, found.messageId);
    if (fact.flag === 'starred') {
      const isAgain = context.again && message.starredBy === fact.key;
      if ((message.starred ?? false) === fact.isSet && !isAgain) return { plan: 'ignored' };
      const set = { starred: fact.isSet, starredBy: fact.key };
      const change = { key, set, after: { attribute: 'starredBy', was: message.starredBy } };
      return { ...toTold(fact, found.messageId, context), changes: [change] };
    }
    if (message.deletedForMeAtMs !== undefined && message.deletedForMeBy !== fact.key) return { plan: 'ignored' };
    const set = { deletedForMeAtMs: fact.atMs, deletedForMeBy: fact.key };
    const change = { key, set, after: { attribute: 'deletedForMeBy', was: message.deletedForMeBy } };
    return { ...toTold(fact, found.messageId, context), changes: [change] };
  },
  events: [messageStarred, messageDeletedForMe],
});

type Told = DraftOf<typeof messageStarred> | DraftOf<typeof messageDeletedForMe>;

function toTold(
  fact: MessageFlagFact,
  messageId: string | undefined,
  { origin }: FactContext,
): Extract<FactPlan<Told>, { plan: 'stored' }> {
  const senders = fact.fromMe ? [] : [fact.sender ?? fact.chat, fact.senderAlias ?? fact.chatAlias];
  const about = {
    original: toShownOriginal(fact.stanzaId, messageId, ...senders),
    chat: toChat(fact.chat, fact.chatAlias),
  };
  const draft = fact.flag === 'starred' ? starredDraft(fact, origin, about) : deletedDraft(fact, origin, about);
  return { plan: 'stored', draft };
}

type Shown = z.output<typeof messageDeletedForMe.data>;

function starredDraft({ atMs, isSet }: MessageFlagFact, origin: FactContext['origin'], about: Shown) {
  return toDraft(messageStarred, origin, atMs, { ...about, starred: isSet });
}

function deletedDraft({ atMs }: MessageFlagFact, origin: FactContext['origin'], about: Shown) {
  return toDraft(messageDeletedForMe, origin, atMs, about);
}

/** The message, under all names of its chat and its writer. A key without a writer means, in a chat with a person, that person. */
function namingOf({ chat, chatAlias, sender, senderAlias, fromMe, stanzaId: id }: MessageFlagFact): Naming {
  const chats = [chat, chatAlias].filter((name) => name !== undefined);
  const writers = [sender, senderAlias].filter((name) => name !== undefined);
  const keys = chats.flatMap((one) =>
    (fromMe ? [''] : writers.length === 0 ? chats : writers).map((writer) =>
      messageKey({ chat: one, sender: writer, fromMe, stanzaId: id }),
    ),
  );
  return { stanzaId: id, keys: [...new Set(keys)], mayBeOurs: fromMe, needs: 'row' };
}
