import { toldMedia, type Media } from '../../media/media.ts';
import type { ReceivedMessage } from '../../message/message.ts';
import { partsOf, toShownParts, withPart } from '../../message/messageParts.ts';
import { toChat, toSender } from '../../message/party.ts';
import { toDraft } from './eventRow.ts';
import type { FactContext, FactPlan } from './factRow.ts';
import type { NextPlace } from './foldMessage.ts';
import { messageUpdated, type MessageDraft } from './messageEvents.ts';
import type { MessageFact } from './messageFactSchema.ts';
import type { FoundOriginal } from './originalRule.ts';

type Origin = FactContext['origin'];

/** The event that tells that a message has got a further part. */
export function toUpdated(
  message: ReceivedMessage,
  media: readonly Media[],
  into: FoundOriginal,
  origin: Origin,
): MessageDraft {
  const { messageId, stanzaId, content, partOf, direction, createdAtMs } = message;
  const kind = partOf?.kind ?? '';
  const parts = withPart(partsOf(into.message), { messageId, stanzaId, kind, type: content.type }) ?? [];
  return toDraft(messageUpdated, origin, createdAtMs, {
    messageId: into.messageId,
    stanzaId,
    chat: toChat(message.chat, message.chatAlias),
    sender: toSender(message),
    direction,
    content: into.message.content,
    parts: toShownParts(parts),
    part: { messageId, stanzaId, kind, content, ...toldMedia(media) },
  });
}

/** A live location that has moved on. */
export function planMove(fact: MessageFact, { of, change }: NextPlace, origin: Origin): FactPlan<MessageDraft> {
  const { atMs, stanzaId, content, fromMe } = fact;
  const draft = toDraft(messageUpdated, origin, atMs, {
    messageId: of.messageId,
    stanzaId,
    chat: toChat(fact.chat, fact.chatAlias),
    sender: toSender(fact),
    direction: fromMe ? 'echo' : 'in',
    content,
  });
  return { plan: 'stored', draft, changes: [change] };
}
