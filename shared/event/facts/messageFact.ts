import { z } from 'zod';
import {
  boundContent,
  contentSchema,
  inboundContentSchema,
  messageFlagsSchema,
  type InboundContent,
} from '../../content/content.ts';
import { boundWord, wellFormed } from '../../content/contentBounds.ts';
import { firstCharacters } from '../../kernel/firstCharacters.ts';
import { partOfSchema } from '../../content/partOf.ts';
import { boundedName } from '../../kernel/boundedName.ts';
import { deriveMessageId, type StanzaId } from '../../kernel/id.ts';
import { receivedMessageItem } from '../../message/messageWrites.ts';
import { chatSchema, senderSchema, toChat, toSender } from '../../message/party.ts';
import { eventRow, toDraft } from './eventRow.ts';
import { factBounds } from './factBounds.ts';
import { address, commonFields, fitted, stanzaId, timeMs } from './factField.ts';
import { digest } from './factKey.ts';
import { factRow } from './factRow.ts';
import { keptParts, partFields, shownParts } from './messageParts.ts';

const schema = z.object({
  ...commonFields,
  kind: z.literal('message'),
  stanzaId,
  /** The conversation: a person or a group, without device. */
  chat: address,
  /** The person who wrote it, without device. In a group this is not the chat. */
  sender: address,
  /** The phone-number address when chat or sender is a LID, and the other way round, where WhatsApp gave it. */
  chatAlias: address.optional(),
  senderAlias: address.optional(),
  fromMe: z.boolean(),
  senderName: fitted(z.string(), (name) => firstCharacters(wellFormed(name), factBounds.nameCharacters)).optional(),
  /** The time at which it reached the worker; it grows from message to message. Absent in facts of an earlier release. */
  receivedAtMs: timeMs.optional(),
  content: fitted(inboundContentSchema, (content) => boundContent(content as InboundContent)),
  /** The wrappings of the message, such as `viewOnce`; absent when it had none. */
  flags: fitted(messageFlagsSchema, (flags) => flags.slice(0, factBounds.flags).map(boundWord)).optional(),
  ...partFields,
});

/** A message that WhatsApp delivered: from a contact, or the account's own from another device (`fromMe`). */
export type MessageFact = z.infer<typeof schema>;

const data = z
  .object({
    messageId: z.string(),
    stanzaId: z.string().meta({ description: "WhatsApp's id of the message." }),
    chat: chatSchema,
    sender: senderSchema,
    content: contentSchema,
    flags: messageFlagsSchema.optional(),
    partOf: partOfSchema.optional(),
  })
  .meta({ id: 'MessageData' });

const ADA = { id: '236471520047@lid', phoneNumber: '+4915123456789', lid: '236471520047@lid' };
const received = eventRow({
  type: 'message.received',
  data,
  description: 'Somebody wrote to the account, or to a group that it is in.',
  example: {
    messageId: 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H',
    stanzaId: '3EB0C767D097B7B3E5D1',
    chat: ADA,
    sender: { ...ADA, name: 'Ada' },
    content: { type: 'text', text: { body: 'Has my order left?' } },
  },
});
const echo = eventRow({
  type: 'message.echo',
  data,
  description: "The account's own message, written on another of its devices.",
  example: {
    messageId: 'msg_01K3C5G2R5T7W9Y1A3C5E7G9J1',
    stanzaId: '3EB0F2A9B4C1D8E7A6B5',
    chat: ADA,
    sender: { id: '4915111111111@s.whatsapp.net', phoneNumber: '+4915111111111' },
    content: { type: 'text', text: { body: 'It left this morning.' } },
  },
});

export const messageFact = factRow({
  schema,
  writtenBy: 'strangers',
  people: [
    ['chat', 'chatAlias'],
    ['sender', 'senderAlias'],
  ],
  keysByName: messageKeysOf,
  // A message without an id was written all the same, so it gets an id.
  complete: (fact) =>
    fact.stanzaId === ''
      ? { ...fact, stanzaId: boundedName(`none~${fact.key}`, factBounds.idUnits) as StanzaId }
      : fact,
  // The fields that its sender did not write: that it came, from whom, and how large it was.
  remains: (
    { content: _content, flags: _flags, senderName: _name, partOf: _partOf, files: _files, ...envelope },
    refusal,
    bytes,
  ) => ({
    ...envelope,
    content: { type: 'unsupported', unsupported: { kind: refusal, bytes } },
  }),
  decide: (fact, { origin, nowMs }) => {
    const { tenantId, connectionId } = origin;
    const { chat, chatAlias, sender, senderAlias, senderName, content, flags, fromMe, atMs } = fact;
    // The id carries the time of arrival and not WhatsApp's whole second: so the list keeps the order of the log.
    const timestampMs = fact.receivedAtMs ?? atMs;
    const messageId = deriveMessageId(connectionId, { chat, sender, stanzaId: fact.stanzaId, timestampMs });
    const told = {
      messageId,
      stanzaId: fact.stanzaId,
      chat: toChat(chat, chatAlias),
      sender: toSender(senderName, sender, senderAlias),
      content,
      ...(flags === undefined ? {} : { flags }),
      ...shownParts(fact),
    };
    const message = {
      tenantId,
      connectionId,
      messageId,
      stanzaId: fact.stanzaId,
      chat,
      chatAlias,
      sender,
      senderAlias,
      senderName,
      content,
      flags,
      direction: fromMe ? 'echo' : 'in',
      createdAtMs: atMs,
      ...keptParts(fact),
    } as const;
    return {
      plan: 'stored',
      draft: toDraft(fromMe ? echo : received, origin, atMs, told),
      item: receivedMessageItem(message, nowMs),
    };
  },
  events: [received, echo],
});

/** The parts that make a message unique within its connection. */
export type MessageIdentity = Pick<MessageFact, 'chat' | 'sender' | 'fromMe'> & { readonly stanzaId: string };

/** The key of a message. Our own account is one writer, whichever of its addresses a stanza names. */
export function messageKey({ chat, sender, stanzaId: id, fromMe }: MessageIdentity): string {
  return `message:${digest(chat, fromMe ? 'me' : sender, id)}`;
}

function messageKeysOf(fact: MessageFact): readonly string[] {
  const { chat, chatAlias, sender, senderAlias } = fact;
  // In a chat with one person, chat and writer are that person, and change their name together.
  if (chat === sender) return [messageKey(fact), ...keyUnder(fact, chatAlias, chatAlias)];
  // One of the two has one key only: a group has one address, and our own account counts as one writer.
  return [messageKey(fact), ...keyUnder(fact, chatAlias, sender), ...keyUnder(fact, chat, senderAlias)];
}

function keyUnder(fact: MessageFact, chat: string | undefined, sender: string | undefined): readonly string[] {
  return chat === undefined || sender === undefined ? [] : [messageKey({ ...fact, chat, sender })];
}
