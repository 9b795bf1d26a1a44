import type { UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { fencedBy } from '../platform/fence.ts';
import { sendStates } from './message.ts';

/**
 * The write that begins a try to send, counts it, and returns the row, so that nothing is read before. Condition: a message
 * that is not done, that no newer owner has tried (`token`), that has not expired, and that was parked or scheduled before or
 * whose command came in time: a scheduled message is put into the queue until it is there, however long that takes.
 * @param acceptedFromMs when a message that was never tried must have been accepted at the earliest, in milliseconds since
 * 1970; undefined when its command is in time, whatever its row says
 */
export function beginTry(
  token: number,
  acceptedFromMs: number | undefined,
  nowMs: number,
): Omit<UpdateCommandInput, 'TableName' | 'Key'> {
  const fence = fencedBy('token', token);
  const inTime =
    acceptedFromMs === undefined
      ? ''
      : ' AND (createdAtMs >= :acceptedFrom OR #rank >= :parked OR attribute_exists(notBeforeMs))';
  const isOpen = 'direction = :out AND #rank < :sent AND (attribute_not_exists(expiresAtMs) OR expiresAtMs > :now)';
  return {
    UpdateExpression: `SET #state = :sending, #rank = :rank, ${fence.set} ADD attempts :one`,
    ConditionExpression: `${isOpen} AND ${fence.condition}${inTime}`,
    ExpressionAttributeNames: { '#state': 'state', '#rank': 'rank', ...fence.names },
    ExpressionAttributeValues: {
      ':out': 'out',
      ':sending': 'sending',
      ':rank': sendStates.sending,
      ':sent': sendStates.sent,
      ':one': 1,
      ':now': nowMs,
      ...(acceptedFromMs === undefined ? {} : { ':acceptedFrom': acceptedFromMs, ':parked': sendStates.parked }),
      ...fence.values,
    },
    ReturnValues: 'ALL_NEW',
  };
}
