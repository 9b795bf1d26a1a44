import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { expiryOf } from '../platform/expiry.ts';
import { messageKey } from '../platform/keys.ts';
import type { ReceivedMessage } from './message.ts';

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
