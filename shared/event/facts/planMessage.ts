import { namesMessage, type InboundContent } from '../../content/content.ts';
import { withoutThumbnail } from '../../content/mediaFile.ts';
import type { MessageContext } from '../../content/messageContext.ts';
import { deriveMessageId } from '../../kernel/id.ts';
import { mediaOf, thumbnailsOf, toldMedia, type Media } from '../../media/media.ts';
import { toMediaItem, toThumbnailItem } from '../../media/mediaStore.ts';
import { receivedMessageItem } from '../../message/messageWrites.ts';
import type { ReceivedMessage } from '../../message/message.ts';
import { toChat, toSender } from '../../message/party.ts';
import { toShownContext } from '../../message/shownContext.ts';
import { choiceByText } from './choiceFact.ts';
import { countOnOriginal } from './countVote.ts';
import { toDraft } from './eventRow.ts';
import type { FactContext, FactPlan } from './factRow.ts';
import { messageEcho, messageReceived, type MessageData, type MessageDraft } from './messageEvents.ts';
import type { MessageFact } from './messageFactSchema.ts';
import { keptParts, shownPartOf } from './messageParts.ts';
import { findOriginal, isInChat, mayDelete, mayEdit, type FoundOriginal } from './originalRule.ts';
import { toShownOriginal } from '../../message/shownOriginal.ts';
import { planDelete, planEdit } from './planAct.ts';
import { planMove, toUpdated } from './planFolded.ts';
import { foldMessage, moveOn } from './foldMessage.ts';
import { ownKeysOf } from './messageKey.ts';
import { chatOfAnswered } from './namedChat.ts';
import { toShownParts } from '../../message/messageParts.ts';
import { openFact, type OpenedFact } from './sealedFact.ts';

/**
 * What becomes of a message. It is a message of its own, or it changes another one, if its writer may do that
 * (`originalRule`). An act that nobody may do is shown as the message that it is, and changes nothing.
 */
export function planMessage(closed: MessageFact, context: FactContext): FactPlan<MessageDraft> {
  const found = findOriginal(closed, context);
  const fact = openFact(closed, found);
  if (fact.originalId !== undefined) {
    if (fact.act === 'edit' && mayEdit(fact)) return planEdit(fact, found, context);
    if (fact.act === 'delete' && mayDelete(fact)) return planDelete(fact, found, context);
  }
  return planNew(fact, found, context);
}

function planNew(fact: OpenedFact, found: FoundOriginal | undefined, context: FactContext): FactPlan<MessageDraft> {
  const { origin, nowMs } = context;
  const { connectionId } = origin;
  const { chat, sender, fromMe, atMs, stanzaId } = fact;
  // The id carries the time of arrival and not WhatsApp's whole second: so the list keeps the order of the log.
  const timestampMs = fact.receivedAtMs ?? atMs;
  const messageId = deriveMessageId(connectionId, { chat, sender, stanzaId, timestampMs });
  const { content, changes } =
    choiceByText(fact, context) ?? countOnOriginal(fact, contentOf(fact, found), found, connectionId);
  if (content.type === 'live_location') {
    const next = moveOn({ ...fact, content }, messageId, context);
    if (next === 'late') return { plan: 'ignored' };
    if (next !== 'first') return planMove(fact, next, origin);
  }
  const { into, partOf, parts, changes: folded, waits } = foldMessage(fact, messageId, context);
  const message = {
    ...receivedOf(fact, found, context),
    messageId,
    content,
    ...(into === undefined ? {} : { foldedInto: into.messageId }),
    ...(partOf === undefined ? {} : { partOf }),
    ...(parts === undefined ? {} : { parts }),
  };
  const media = mediaOf({ ...message, correlationId: origin.correlationId, shard: origin.shard });
  return {
    plan: 'stored',
    draft:
      into === undefined
        ? toDraft(fromMe ? messageEcho : messageReceived, origin, atMs, toldOf(message, media))
        : toUpdated(message, media, into, origin),
    items: [
      receivedMessageItem(withoutThumbnails(message), nowMs),
      ...media.map((one) => toMediaItem(one, nowMs)),
      ...thumbnailsOf(message).map((one) => toThumbnailItem(one, nowMs)),
    ],
    messageId,
    ...(changes.length + folded.length === 0 ? {} : { changes: [...changes, ...folded] }),
    ...(waits === undefined ? {} : { waits }),
    ...(content.type === 'live_location' ? { leads: ownKeysOf(fact) } : {}),
  };
}

function withoutThumbnails(message: ReceivedMessage): ReceivedMessage {
  const { files } = message;
  return files === undefined ? message : { ...message, files: files.map(withoutThumbnail) };
}

/** The row of a message, without what is found out about it. */
function receivedOf(
  fact: OpenedFact,
  found: FoundOriginal | undefined,
  { origin: { tenantId, connectionId }, named }: FactContext,
): Omit<ReceivedMessage, 'messageId' | 'content'> {
  const { chat, chatAlias, sender, senderAlias, senderName, senderUsername, flags, stanzaId, secret, originalId } =
    fact;
  return {
    tenantId,
    connectionId,
    stanzaId,
    chat,
    chatAlias,
    sender,
    senderAlias,
    senderName,
    ...(senderUsername === undefined ? {} : { senderUsername }),
    flags,
    context: withReplyId(fact, named.at(-1)),
    secret,
    original: originalId === undefined ? undefined : originalOf(fact, originalId, found),
    direction: fact.fromMe ? 'echo' : 'in',
    createdAtMs: fact.atMs,
    ...keptParts(fact),
  };
}

function toldOf(message: ReceivedMessage, media: readonly Media[]): MessageData {
  const { messageId, stanzaId, flags, context, content, original, parts } = message;
  return {
    messageId,
    stanzaId,
    chat: toChat(message.chat, message.chatAlias),
    sender: toSender(message),
    content,
    ...(flags === undefined ? {} : { flags: [...flags] }),
    ...shownPartOf(message),
    ...(parts === undefined ? {} : { parts: toShownParts(parts) }),
    ...toldMedia(media),
    ...(context === undefined ? {} : { context: toShownContext(context) }),
    ...(original === undefined
      ? {}
      : { original: toShownOriginal(original.stanzaId, original.messageId, original.sender, original.senderAlias) }),
  };
}

function originalOf({ originalSender, originalSenderAlias }: MessageFact, stanzaId: string, found?: FoundOriginal) {
  const named = { messageId: found?.messageId, sender: originalSender, senderAlias: originalSenderAlias };
  const known = Object.entries(named).filter(([, value]) => value !== undefined);
  return { stanzaId, ...Object.fromEntries(known) };
}

/**
 * The content, with our id of the message that it is about, as the Cloud API names it. An act that its writer has no right to
 * may have any content, also one without a place for it.
 */
function contentOf({ content, originalId }: MessageFact, found: FoundOriginal | undefined): InboundContent {
  const { type } = content;
  if (originalId === undefined || found === undefined || !namesMessage(type)) return content;
  const body = (content as unknown as Readonly<Record<string, object>>)[type];
  return { type, [type]: { message_id: found.messageId, ...body } } as unknown as InboundContent;
}

/** The context, with our id of the message that is answered, if that is in the same chat, or a status. */
function withReplyId(fact: MessageFact, answered: FactContext['named'][number]): MessageContext | undefined {
  const { context } = fact;
  if (context?.replyTo === undefined || answered === undefined) return context;
  if (answered.message !== undefined && !isInChat(answered.message, chatOfAnswered(fact))) return context;
  return { ...context, replyTo: { ...context.replyTo, messageId: answered.messageId } };
}
