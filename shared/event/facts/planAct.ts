import type { InboundContent } from '../../content/content.ts';
import { toChat, toSender } from '../../message/party.ts';
import { toShownContext } from '../../message/shownContext.ts';
import { versionItem } from '../../message/messageVersions.ts';
import { messageKey } from '../../platform/keys.ts';
import { toDraft } from './eventRow.ts';
import type { FactContext, FactPlan, RowChange } from './factRow.ts';
import { messageDeleted, messageEdited, type MessageDraft } from './messageEvents.ts';
import type { MessageFact } from './messageFactSchema.ts';
import type { FoundOriginal } from './originalRule.ts';
import { toShownOriginal } from '../../message/shownOriginal.ts';

/**
 * An edit: the row of the original says what it says now, and each version has a row of its own, also the first. A run that
 * is made again finds its own edit on the row and comes to the same.
 */
export function planEdit(
  fact: MessageFact,
  found: FoundOriginal | undefined,
  { origin, nowMs }: FactContext,
): FactPlan<MessageDraft> {
  const { atMs, stanzaId, flags, context } = fact;
  const content = found === undefined ? fact.content : edited(found.message.content, fact.content);
  const draft = toDraft(messageEdited, origin, atMs, {
    ...actOf(fact, found),
    content,
    ...(flags === undefined ? {} : { flags }),
    ...(context === undefined ? {} : { context: toShownContext(context) }),
  });
  if (found === undefined) return { plan: 'stored', draft };
  const { messageId, message } = found;
  const of = { connectionId: origin.connectionId, messageId, nowMs };
  const isAgain = message.editedBy === stanzaId;
  const before = {
    atMs: message.editedAtMs ?? message.createdAtMs,
    stanzaId: message.editedBy ?? message.stanzaId,
    content: message.content,
  };
  // Versions keep the order in which they came, whatever the clocks say.
  const editedAtMs = Math.max(fact.receivedAtMs ?? atMs, before.atMs + 1);
  const now = { atMs: isAgain ? before.atMs : editedAtMs, stanzaId, content };
  return {
    plan: 'stored',
    draft,
    items: [...(isAgain ? [] : [versionItem(of, before)]), versionItem(of, now)],
    changes: [change(of, 'editedBy', message.editedBy, { content, editedAtMs: now.atMs, editedBy: stanzaId })],
  };
}

/** A deletion: the row of the original says so, and keeps what it said. */
export function planDelete(
  fact: MessageFact,
  found: FoundOriginal | undefined,
  { origin }: FactContext,
): FactPlan<MessageDraft> {
  const { atMs, stanzaId } = fact;
  const draft = toDraft(messageDeleted, origin, atMs, actOf(fact, found));
  if (found === undefined) return { plan: 'stored', draft };
  const of = { connectionId: origin.connectionId, messageId: found.messageId };
  const { deletedBy } = found.message;
  return {
    plan: 'stored',
    draft,
    changes: [change(of, 'deletedBy', deletedBy, { deletedAtMs: atMs, deletedBy: stanzaId })],
  };
}

function actOf(fact: MessageFact, found: FoundOriginal | undefined) {
  const { originalId = '', originalSender, originalSenderAlias, stanzaId, fromMe } = fact;
  return {
    original: toShownOriginal(originalId, found?.messageId, originalSender, originalSenderAlias),
    stanzaId,
    chat: toChat(fact.chat, fact.chatAlias),
    sender: toSender(fact.senderName, fact.sender, fact.senderAlias),
    direction: fromMe ? ('echo' as const) : ('in' as const),
  };
}

function change(
  { connectionId, messageId }: Pick<Parameters<typeof versionItem>[0], 'connectionId' | 'messageId'>,
  attribute: string,
  was: unknown,
  set: RowChange['set'],
): RowChange {
  return { key: messageKey(connectionId, messageId), set, after: { attribute, was } };
}

/**
 * What a message says after an edit. An edit of a kind with parts, such as the caption of an image, brings only the parts that
 * it changes.
 */
function edited(before: { readonly type: string }, now: InboundContent): InboundContent {
  const { type } = now;
  if (before.type !== type || type === 'text' || type === 'unsupported') return now;
  const [old, next] = [before, now].map((content) => (content as unknown as Readonly<Record<string, object>>)[type]);
  return { type, [type]: { ...old, ...next } } as unknown as InboundContent;
}
