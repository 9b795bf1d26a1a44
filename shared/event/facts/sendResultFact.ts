import { z } from 'zod';
import type { MessageId } from '../../kernel/id.ts';
import type { SentMessage } from '../../message/message.ts';
import { sendErrorSchema } from '../../message/sendError.ts';
import { address, brandedText, commonFields } from './factField.ts';
import { factRow } from './factRow.ts';
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
});

/** The result of a send command, with all that the row of its message says of it. */
export type SendResultFact = z.infer<typeof schema>;

export const sendResultFact = factRow({
  schema,
  writtenBy: 'us',
  people: [],
  about: ({ messageId }) => ({ messageId }),
  decide: (fact, { message }) => {
    if (message?.direction !== 'out') return { plan: 'ignored' };
    const told = { status: fact.state, recipient: recipientOf(message, fact.toAlias), error: fact.error };
    return { plan: 'stored', draft: messageStatusDraft(message, timeOfResult(message, fact), told) };
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
