import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import type { ConnectionId, MessageId } from '../kernel/id.ts';
import { expiryOf } from '../platform/expiry.ts';
import { messageKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';
import { sendStates, type ReceivedMessage } from './message.ts';
import { toldAttributes } from './messageSteps.ts';
import type { SendErrorCode } from './sendError.ts';

/** One write of a transaction. */
export type TransactionWrite = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/** The row of a received message: the same stanza in the same batch always makes the same row. */
export function receivedMessageItem(message: ReceivedMessage, nowMs: number): Readonly<Record<string, unknown>> {
  return {
    ...messageKey(message.connectionId, message.messageId),
    ...message,
    // The expiry counts from now, not from the time of the stanza, which is WhatsApp's word.
    ttl: expiryOf('message', nowMs),
  };
}

/**
 * The write that gives up a message which never reached the queue, for a transaction. Condition: it is still
 * `accepting`.
 */
export function notEnqueuedWrite(
  stage: string,
  connectionId: ConnectionId,
  messageId: MessageId,
  atMs: number,
): TransactionWrite {
  const error: SendErrorCode = 'not_enqueued';
  return {
    Update: {
      TableName: tableName(stage, 'core'),
      Key: messageKey(connectionId, messageId),
      UpdateExpression: 'SET #state = :failed, #rank = :rank, #error = :error, endedAtMs = :at, #told = :told',
      ConditionExpression: 'attribute_exists(pk) AND #state = :accepting',
      ExpressionAttributeNames: {
        '#state': 'state',
        '#rank': 'rank',
        '#error': 'error',
        '#told': toldAttributes.result,
      },
      ExpressionAttributeValues: {
        ':failed': 'failed',
        ':rank': sendStates.failed,
        ':error': error,
        ':at': atMs,
        // The event is told with this write: no result of a worker is told beside it.
        ':told': 'reconcile',
        ':accepting': 'accepting',
      },
    },
  };
}
