import type { UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { fencedBy } from '../platform/fence.ts';
import { sendStates } from './message.ts';

/**
 * The write that begins a try to send, counts it, and returns the row, so that nothing is read before. Condition: a message
 * that is not done, that no newer owner has tried (`token`), and that was parked before or whose command came in time.
 * @param notBeforeMs when a message that was never tried must have been accepted at the earliest, in milliseconds since
 * 1970; undefined when its command is in time, whatever its row says
 */
export function beginTry(
  token: number,
  notBeforeMs: number | undefined,
): Omit<UpdateCommandInput, 'TableName' | 'Key'> {
  const fence = fencedBy('token', token);
  const inTime = notBeforeMs === undefined ? '' : ' AND (createdAtMs >= :notBefore OR #rank >= :parked)';
  return {
    UpdateExpression: `SET #state = :sending, #rank = :rank, ${fence.set} ADD attempts :one`,
    ConditionExpression: `direction = :out AND #rank < :sent AND ${fence.condition}${inTime}`,
    ExpressionAttributeNames: { '#state': 'state', '#rank': 'rank', ...fence.names },
    ExpressionAttributeValues: {
      ':out': 'out',
      ':sending': 'sending',
      ':rank': sendStates.sending,
      ':sent': sendStates.sent,
      ':one': 1,
      ...(notBeforeMs === undefined ? {} : { ':notBefore': notBeforeMs, ':parked': sendStates.parked }),
      ...fence.values,
    },
    ReturnValues: 'ALL_NEW',
  };
}
