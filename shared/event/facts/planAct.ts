import { toChat, toSender } from '../../message/party.ts';
import { toShownContext } from '../../message/shownContext.ts';
import { contentAfter, deleteOriginal, editOriginal } from './changedOriginal.ts';
import { toDraft } from './eventRow.ts';
import type { FactContext, FactPlan } from './factRow.ts';
import { messageDeleted, messageEdited, type MessageDraft } from './messageEvents.ts';
import type { MessageFact } from './messageFactSchema.ts';
import type { FoundOriginal } from './originalRule.ts';
import { toShownOriginal } from '../../message/shownOriginal.ts';

/** An edit of a message, by whoever may do that. */
export function planEdit(
  fact: MessageFact,
  found: FoundOriginal | undefined,
  { origin, nowMs }: FactContext,
): FactPlan<MessageDraft> {
  const { atMs, stanzaId, flags, context } = fact;
  const content = found === undefined ? fact.content : contentAfter(found.message.content, fact.content);
  const draft = toDraft(messageEdited, origin, atMs, {
    ...actOf(fact, found),
    content,
    ...(flags === undefined ? {} : { flags }),
    ...(context === undefined ? {} : { context: toShownContext(context) }),
  });
  if (found === undefined) return { plan: 'stored', draft };
  const stanza = { stanzaId, atMs: fact.receivedAtMs ?? atMs, content };
  return { plan: 'stored', draft, ...editOriginal(found, stanza, { connectionId: origin.connectionId, nowMs }) };
}

/** A deletion of a message, by whoever may do that. */
export function planDelete(
  fact: MessageFact,
  found: FoundOriginal | undefined,
  { origin }: FactContext,
): FactPlan<MessageDraft> {
  const draft = toDraft(messageDeleted, origin, fact.atMs, actOf(fact, found));
  if (found === undefined) return { plan: 'stored', draft };
  return { plan: 'stored', draft, ...deleteOriginal(found, fact, origin.connectionId) };
}

function actOf(fact: MessageFact, found: FoundOriginal | undefined) {
  const { originalId = '', originalSender, originalSenderAlias, stanzaId, fromMe } = fact;
  return {
    original: toShownOriginal(originalId, found?.messageId, originalSender, originalSenderAlias),
    stanzaId,
    chat: toChat(fact.chat, fact.chatAlias),
    sender: toSender(fact),
    direction: fromMe ? ('echo' as const) : ('in' as const),
  };
}
