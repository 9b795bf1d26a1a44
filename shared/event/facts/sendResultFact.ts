import { z } from 'zod';
import type { InboundContent } from '../../content/content.ts';
import { filesOf } from '../../media/media.ts';
import { mediaKey } from '../../platform/keys.ts';
import { sentFileSchema } from '../../media/sentFileFacts.ts';
import type { MessageId } from '../../kernel/id.ts';
import { isSent, movesForward, type SendState, type SentMessage } from '../../message/message.ts';
import type { MessageStep } from '../../message/messageSteps.ts';
import { sendErrorSchema } from '../../message/sendError.ts';
import { contentAfter, deleteOriginal, editOriginal, type OriginalChange } from './changedOriginal.ts';
import { ASKED, askedItems } from './choiceFact.ts';
import { countOwnVote } from './countVote.ts';
import { address, brandedText, commonFields } from './factField.ts';
import { factRow, type RowChange } from './factRow.ts';
import type { NamedMessage } from './originals.ts';
import type { FoundOriginal } from './originalRule.ts';
import { messageStatus, messageStatusDraft, recipientOf } from './messageStatus.ts';

const schema = z.object({
  ...commonFields,
  kind: z.literal('send_result'),
  messageId: brandedText<MessageId>(),
  state: z.enum(['sent', 'failed', 'expired', 'cancelled']),
  error: sendErrorSchema.optional(),
  /** The other name of the recipient, where sending it told one. */
  toAlias: address.optional(),
  /** Whether the account wrote to itself. */
  toSelf: z.literal(true).optional(),
  /** The number of members of the group that it went to, without the account itself. */
  members: z.number().int().min(0).optional(),
  /** Whether its state is to be that of the first member. */
  statusBy: z.literal('first').optional(),
  /** What the message said of its file when it left. */
  sentFile: sentFileSchema.optional(),
  /** The message that the sent one changes, by its id here and by WhatsApp's: an edit, a deletion or a vote takes effect with it. */
  changedId: brandedText<MessageId>().optional(),
  changedStanzaId: z.string().optional(),
  /** Whether that one is taken back with it: its files are erased then. */
  deletes: z.literal(true).optional(),
});

/** The result of a send command, with all that the row of its message says of it. */
export type SendResultFact = z.infer<typeof schema>;

export const sendResultFact = factRow({
  schema,
  writtenBy: 'us',
  people: [],
  about: ({ messageId }) => ({ messageId }),
  names: ({ changedId, changedStanzaId = '' }) =>
    changedId === undefined
      ? []
      : [{ messageId: changedId, stanzaId: changedStanzaId, keys: [], mayBeOurs: false, needs: 'row' }],
  writes: ({ state }) => (state === 'sent' ? ASKED : undefined),
  step: () => 'result',
  decide: (fact, { message, triedUnder, origin, again, named, nowMs }) => {
    if (message?.direction !== 'out') return { plan: 'ignored' };
    const isForward = movesForward(message.state, fact.state);
    // The row may say it already, or more: the worker and receipts write it, too, and the event is still to be told.
    if (!isForward && !again && !saysAsMuch(message.state, fact.state)) return { plan: 'ignored' };
    // What a newer owner tries has not failed yet.
    const isOvertaken = fact.state !== 'sent' && triedUnder !== undefined && triedUnder > origin.token;
    if (isForward && isOvertaken) return { plan: 'ignored' };
    const atMs = timeOfResult(message, fact);
    const told = { status: fact.state, recipient: recipientOf(message, fact.toAlias), error: fact.error };
    return {
      plan: 'stored',
      draft: messageStatusDraft(message, atMs, told),
      step: stepOf(message, fact, { isForward, atMs, token: origin.token }),
      ...(fact.state === 'sent' ? whenSent(message, fact, named[0], { atMs, nowMs }) : {}),
    };
  },
  events: [messageStatus],
});

/** The key of the end of a message, or of its sending. */
export function resultKey(messageId: MessageId): string {
  return `result:${messageId}`;
}

/** The key of the end of a message that never reached the queue, which more than one may notice: one fact, one key. */
export function notEnqueuedKey(messageId: MessageId): string {
  return `not_enqueued:${messageId}`;
}

/** The time of a result: after the message was accepted, by another machine's clock, and before a receipt that was faster. */
function timeOfResult({ createdAtMs, deliveredAtMs, readAtMs }: SentMessage, { atMs }: SendResultFact): number {
  return Math.min(Math.max(atMs, createdAtMs), deliveredAtMs ?? Infinity, readAtMs ?? Infinity);
}

/** Whether a state tells what a result tells, or a message that has come further. */
function saysAsMuch(state: SendState, result: SendResultFact['state']): boolean {
  return result === 'sent' ? isSent(state) : state === result;
}

/** The rows that change with a message that was sent: the one that it acts on, or those that lead to its options. */
function whenSent(
  message: SentMessage,
  { toAlias }: SendResultFact,
  named: NamedMessage | undefined,
  times: { readonly atMs: number; readonly nowMs: number },
): Partial<OriginalChange> | undefined {
  const items = askedItems(message, toAlias, times.nowMs);
  return items.length > 0 ? { items } : changeOf(message, named, times);
}

/**
 * What a sent edit, deletion or vote changes, now that WhatsApp has it. The row of the other message may be gone, and then
 * nothing is changed; a result that is told again comes to the same.
 */
function changeOf(
  { content, stanzaId, connectionId }: SentMessage,
  named: NamedMessage | undefined,
  { atMs, nowMs }: { readonly atMs: number; readonly nowMs: number },
): Partial<OriginalChange> | undefined {
  if (named?.message === undefined) return undefined;
  const found = { messageId: named.messageId, message: named.message };
  if (content.type === 'revoke') {
    const { changes } = deleteOriginal(found, { stanzaId, atMs }, connectionId);
    return { changes: [...changes, ...eraseAskedOf(found, atMs)] };
  }
  if (content.type === 'poll_vote')
    return countOwnVote(found, { stanzaId, options: content.poll_vote.options }, connectionId);
  if (content.type !== 'edit') return undefined;
  const { text, caption } = content.edit;
  const { type } = found.message.content;
  const said = text === undefined ? { type, [type]: { caption } } : { type: 'text', text };
  const after = contentAfter(found.message.content, said as unknown as InboundContent);
  return editOriginal(found, { stanzaId, atMs, content: after }, { connectionId, nowMs });
}

/** What is taken back through the API loses its files, unlike what somebody else takes back: their rows say so before the job does. */
function eraseAskedOf({ message }: FoundOriginal, atMs: number): readonly RowChange[] {
  if (message.direction === 'out') return [];
  return filesOf(message).map(({ mediaId }) => ({
    key: mediaKey(mediaId),
    set: { eraseAskedAtMs: atMs },
    orGone: true,
  }));
}

function stepOf(
  message: SentMessage,
  { state, error, toAlias, toSelf, members, statusBy, sentFile }: SendResultFact,
  { isForward, atMs, token }: { readonly isForward: boolean; readonly atMs: number; readonly token: number },
): MessageStep {
  const names = { toAlias: message.toAlias === undefined ? toAlias : undefined, toSelf, members, statusBy, sentFile };
  if (state === 'sent') {
    return {
      ...names,
      state: isForward ? state : undefined,
      sentAtMs: message.sentAtMs === undefined ? atMs : undefined,
    };
  }
  if (!isForward) return names;
  return { ...names, state, endedAtMs: atMs, error: error?.code, whatsappCode: error?.whatsappCode, token };
}
