import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import type { ConnectionId, MessageId } from '../kernel/id.ts';
import { expiryOf } from '../platform/expiry.ts';
import { messageKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';
import { sendStates, type ReceivedMessage } from './message.ts';
import type { SendErrorCode } from './sendError.ts';

/** One write of a transaction. */
export type TransactionWrite = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/**
 * The write of a received message, for a transaction. It has no condition: the same stanza always makes the same row.
 */
export function receivedMessageWrite(stage: string, message: ReceivedMessage, nowMs: number): TransactionWrite {
  const Item = {
    ...messageKey(message.connectionId, message.messageId),
    ...message,
    // The expiry counts from now, not from the time of the stanza, which is WhatsApp's word.
    ttl: expiryOf('message', nowMs),
  };
  return { Put: { TableName: tableName(stage, 'core'), Item } };
}

/** The write of a receipt for a message that we sent, for a transaction. Condition: it moves the message forward. */
export function receiptWrite(
  stage: string,
  connectionId: ConnectionId,
  messageId: MessageId,
  receipt: {
    readonly state: 'delivered' | 'read' | 'played';
    readonly atMs: number;
    /** The other name of the recipient, where the receipt is the first to give it. */
    readonly toAlias?: string | undefined;
  },
): TransactionWrite {
  const { toAlias } = receipt;
  return {
    Update: {
      TableName: tableName(stage, 'core'),
      Key: messageKey(connectionId, messageId),
      UpdateExpression: `SET #state = :state, #rank = :rank, #at = :at${toAlias === undefined ? '' : ', toAlias = :toAlias'}`,
      ConditionExpression: 'attribute_exists(pk) AND #rank < :rank',
      ExpressionAttributeNames: {
        '#state': 'state',
        '#rank': 'rank',
        '#at': receipt.state === 'delivered' ? 'deliveredAtMs' : 'readAtMs',
      },
      ExpressionAttributeValues: {
        ':state': receipt.state,
        ':rank': sendStates[receipt.state],
        ':at': receipt.atMs,
        ...(toAlias === undefined ? {} : { ':toAlias': toAlias }),
      },
    },
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
      UpdateExpression: 'SET #state = :failed, #rank = :rank, #error = :error, endedAtMs = :at',
      ConditionExpression: 'attribute_exists(pk) AND #state = :accepting',
      ExpressionAttributeNames: { '#state': 'state', '#rank': 'rank', '#error': 'error' },
      ExpressionAttributeValues: {
        ':failed': 'failed',
        ':rank': sendStates.failed,
        ':error': error,
        ':at': atMs,
        ':accepting': 'accepting',
      },
    },
  };
}
