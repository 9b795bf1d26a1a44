import { isFolded } from '../../message/messageParts.ts';
import { askedNaming } from './choiceFact.ts';
import { digest } from './factKey.ts';
import type { MessageFact } from './messageFactSchema.ts';
import { chatOfAnswered, chatOfOriginal, type ChatNames } from './namedChat.ts';
import type { Naming } from './originals.ts';

/** The parts that make a message unique within its connection. */
export type MessageIdentity = Pick<MessageFact, 'chat' | 'sender' | 'fromMe'> & { readonly stanzaId: string };

/** The key of a message. Our own account is one writer, whichever of its addresses a stanza names. */
export function messageKey({ chat, sender, stanzaId: id, fromMe }: MessageIdentity): string {
  return `message:${digest(chat, fromMe ? 'me' : sender, id)}`;
}

/** All keys of a message by the other names of its people. */
export function messageKeysOf(fact: MessageFact): readonly string[] {
  return keysUnderNames({ ...fact, stanzaId: idWithin(fact) });
}

/** The keys of the message that a fact says it belongs to, which must be its own writer's; empty for what stands alone. */
export function ownKeysOf(fact: MessageFact): readonly string[] {
  const { content, partOf, stanzaId } = fact;
  if (content.type === 'live_location') return keysUnderNames(fact);
  if (partOf === undefined || !isFolded(partOf.kind) || partOf.stanzaId === stanzaId) return [];
  return keysUnderNames({ ...fact, stanzaId: partOf.stanzaId });
}

/**
 * The id of a message in its keys. All places of a live location come under one stanza id, so each is told apart by its
 * number.
 */
export function idWithin({ stanzaId, content }: Pick<MessageFact, 'stanzaId' | 'content'>): string {
  return content.type === 'live_location' ? `${stanzaId}~${content.live_location.sequence ?? 0}` : stanzaId;
}

function keysUnderNames(fact: Names): readonly string[] {
  const { chat, chatAlias, sender, senderAlias } = fact;
  // In a chat with one person, chat and writer are that person, and change their name together.
  if (chat === sender) return [messageKey(fact), ...keyUnder(fact, chatAlias, chatAlias)];
  // One of the two has one key only: a group has one address, and our own account counts as one writer.
  return [messageKey(fact), ...keyUnder(fact, chatAlias, sender), ...keyUnder(fact, chat, senderAlias)];
}

type Names = Pick<MessageFact, 'chat' | 'chatAlias' | 'sender' | 'senderAlias' | 'fromMe'> & {
  readonly stanzaId: string;
};

function keyUnder(fact: Names, chat: string | undefined, sender: string | undefined): readonly string[] {
  return chat === undefined || sender === undefined ? [] : [messageKey({ ...fact, chat, sender })];
}

/**
 * The message that a fact is about, the one that it belongs to, and the one that it answers or may answer, in this order and
 * each where there is one.
 */
export function namingsOf(fact: MessageFact): readonly Naming[] {
  const { originalFromMe, originalId, context } = fact;
  const namings: Naming[] = [];
  if (originalId !== undefined) {
    const fromMe = originalFromMe === true;
    const chat = chatOfOriginal(fact);
    const keys = keysNamed(chat, originalId, [fact.originalSender, fact.originalSenderAlias], fromMe);
    namings.push({ stanzaId: originalId, keys, chats: addressesOf(chat), mayBeOurs: fromMe, needs: 'row' });
  }
  const ofParent = ownKeysOf(fact);
  if (ofParent.length > 0) {
    const stanzaId = fact.partOf?.stanzaId ?? fact.stanzaId;
    namings.push({ stanzaId, keys: ofParent, mayBeOurs: false, needs: 'row' });
  }
  const replyTo = context?.replyTo;
  if (replyTo !== undefined) {
    const { stanzaId, sender } = replyTo;
    const chat = chatOfAnswered(fact);
    // The author may be the account itself, which has two addresses that ingest does not know.
    const keys = [...keysNamed(chat, stanzaId, [sender], false), ...keysNamed(chat, stanzaId, [], true)];
    namings.push({ stanzaId, keys, chats: addressesOf(chat), mayBeOurs: true, needs: 'id' });
  }
  const asked = askedNaming(fact);
  if (asked !== undefined) namings.push(asked);
  return namings;
}

function addressesOf({ chat, chatAlias }: ChatNames): readonly string[] {
  return [chat, chatAlias].filter((one) => one !== undefined);
}

function keysNamed(
  { chat, chatAlias }: ChatNames,
  stanzaId: string,
  senders: readonly (string | undefined)[],
  fromMe: boolean,
): readonly string[] {
  const chats = [chat, chatAlias].filter((one) => one !== undefined);
  if (fromMe) return chats.map((one) => messageKey({ chat: one, sender: '', fromMe, stanzaId }));
  const known = senders.filter((one) => one !== undefined);
  return [
    ...new Set(chats.flatMap((one) => known.map((sender) => messageKey({ chat: one, sender, fromMe, stanzaId })))),
  ];
}
