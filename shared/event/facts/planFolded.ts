import { toldMedia, type Media } from '../../media/media.ts';
import type { ReceivedMessage } from '../../message/message.ts';
import { boundOther } from '../../content/contentBounds.ts';
import type { Content } from '../../content/content.ts';
import { partsOf, toShownParts, withPart } from '../../message/messageParts.ts';
import { toChat, toSender } from '../../message/party.ts';
import { toDraft } from './eventRow.ts';
import { factBounds } from './factBounds.ts';
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
    content: besides(into.message.content, content),
    parts: toShownParts(parts),
    part: { messageId, stanzaId, kind, content, ...toldMedia(media) },
  });
}

/** The bytes of an event that are left to what is beside its two contents: up to a hundred parts, and people. */
const BESIDE_BYTES = 24_000;

/**
 * What a message says, beside the content of its new part. Each of them fits into an event, and both may not: then the
 * beginnings of its texts stand for those of the message, which the API shows whole.
 */
function besides(whole: Content, part: Content): Content {
  const bytes = Buffer.byteLength(JSON.stringify(whole)) + Buffer.byteLength(JSON.stringify(part));
  if (bytes <= factBounds.eventBytes - BESIDE_BYTES) return whole;
  const { type } = whole;
  const body = boundOther((whole as unknown as Readonly<Record<string, object>>)[type]);
  return { type, [type]: { ...body, truncated: true } } as unknown as Content;
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
