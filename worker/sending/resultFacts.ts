import { ownDeliveryKey, type ReceiptFact } from '../../shared/event/facts/receiptFact.ts';
import { notEnqueuedKey, resultKey, type SendResultFact } from '../../shared/event/facts/sendResultFact.ts';
import type { SentFileFacts } from '../../shared/media/sentFileFacts.ts';
import { changesOriginal } from '../../shared/message/actRule.ts';
import type { SentMessage } from '../../shared/message/message.ts';
import { toShownError, type SendError } from '../../shared/message/sendError.ts';

/** The result of a message, as it is told. */
export interface ToldResult extends Pick<SendResultFact, 'state' | 'atMs'> {
  readonly error?: SendError | undefined;
  readonly toAlias?: string | undefined;
  readonly toSelf?: true | undefined;
  readonly members?: number | undefined;
  readonly statusBy?: 'first' | undefined;
  readonly sentFile?: SentFileFacts | undefined;
}

/** The facts that tell a result. */
export function toFacts(message: SentMessage, result: ToldResult): readonly (SendResultFact | ReceiptFact)[] {
  const fact = toFact(message, result);
  if (result.toSelf !== true || result.state !== 'sent') return [fact];
  // No receipt says that this account has its own message: receipts of its own devices are about messages of others.
  // With the ack it has.
  const { stanzaId, to } = message;
  const key = ownDeliveryKey(message.messageId);
  return [fact, { kind: 'receipt', key, atMs: result.atMs, stanzaId, chat: to, recipient: to, state: 'delivered' }];
}

function toFact(
  { messageId, content, original }: SentMessage,
  { state, atMs, error, toAlias, toSelf, members, statusBy, sentFile }: ToldResult,
): SendResultFact {
  const isChange = state === 'sent' && changesOriginal(content.type);
  return {
    kind: 'send_result',
    // Reconcile may publish the same about a message that never reached the queue: one fact, one key.
    key: error?.code === 'not_enqueued' ? notEnqueuedKey(messageId) : resultKey(messageId),
    atMs,
    messageId,
    state,
    ...(error === undefined ? {} : { error: toShownError(error) }),
    ...(toAlias === undefined ? {} : { toAlias }),
    ...(toSelf === undefined ? {} : { toSelf }),
    ...(members === undefined ? {} : { members }),
    ...(statusBy === undefined ? {} : { statusBy }),
    ...(sentFile === undefined ? {} : { sentFile }),
    ...(isChange && original ? { changedId: original.messageId, changedStanzaId: original.stanzaId } : {}),
    ...(isChange && content.type === 'revoke' ? { deletes: true } : {}),
  };
}
