import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, GetCommand, PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { EndpointId } from '../kernel/id.ts';
import { expiryOf, isExpired } from '../platform/expiry.ts';
import { attemptPartition, deliveryRoundKey, waitingDeliveryKey, WAITING_PREFIX } from '../platform/keys.ts';
import { firstOf, queryItems } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import { deliverySchema, sendDeliveries, type Delivery, type DeliveryQueue } from './delivery.ts';

/**
 * Deliveries that wait for their next attempt, so that they can go out as soon as their receiver is back. A message
 * that a queue hides cannot be called back; so each one that waits is noted here, and a released one is put into the
 * queue anew, as its next round. The message of the round before still comes at its time, finds that a newer one
 * exists, and ends.
 *
 * Nothing here can lose a delivery: until the new message is in the queue, the hidden one stands for it. Where a
 * process dies in between, the event is posted twice, and receivers recognise it by its id.
 */
export interface WaitingDependencies extends DeliveryQueue {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

/** The greatest number of deliveries that one call puts into the queue; each that succeeds then calls for the next. */
export const RELEASE_LIMIT = 25;
/**
 * The number of notes that one call reads: the first ones may be deliveries that the receiver asked us to hold back.
 */
const LOOKED_AT = 100;

/** Notes that a delivery waits. The write has no condition: a later wait takes the place of an earlier one. */
export async function noteWaiting(
  { table, stage }: Pick<WaitingDependencies, 'table' | 'stage'>,
  delivery: Delivery,
  wait: { readonly attempts: number; readonly notBeforeMs: number; readonly nowMs: number },
): Promise<void> {
  const { attempts, notBeforeMs, nowMs } = wait;
  // The event is in the log: a note of it here would cost a write unit for each of its kilobytes.
  const { event: _inLog, ...named } = delivery;
  const Item = {
    ...waitingDeliveryKey(delivery.endpointId, delivery.deliveryId),
    delivery: { ...named, attempts },
    notBeforeMs,
    ttl: expiryOf('waitingDelivery', nowMs),
  };
  await table.send(new PutCommand({ TableName: tableName(stage, 'core'), Item }));
}

/** Removes the note of a delivery that has ended. */
export async function forgetWaiting(
  { table, stage }: Pick<WaitingDependencies, 'table' | 'stage'>,
  { endpointId, deliveryId }: Delivery,
): Promise<void> {
  const Key = waitingDeliveryKey(endpointId, deliveryId);
  await table.send(new DeleteCommand({ TableName: tableName(stage, 'core'), Key }));
}

/** Whether a newer round of this delivery is on its way or over. Strongly consistent. */
export async function isOldRound(
  { table, stage }: Pick<WaitingDependencies, 'table' | 'stage'>,
  { endpointId, deliveryId, round = 0 }: Delivery,
): Promise<boolean> {
  const Key = deliveryRoundKey(endpointId, deliveryId);
  const answer = await table.send(new GetCommand({ TableName: tableName(stage, 'core'), Key, ConsistentRead: true }));
  return Number(answer.Item?.['round'] ?? 0) > round;
}

/**
 * Puts deliveries that wait for an endpoint into the queue at once.
 * @param options.evenIfAsked whether to release also deliveries that the receiver asked us to hold back
 * @returns how many; {@link RELEASE_LIMIT} at most
 */
export async function releaseWaiting(
  dependencies: WaitingDependencies,
  endpointId: EndpointId,
  options: { readonly nowMs: number; readonly evenIfAsked: boolean },
): Promise<number> {
  const { table, stage } = dependencies;
  const { nowMs, evenIfAsked } = options;
  const notes = queryItems(
    table,
    {
      TableName: tableName(stage, 'core'),
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': attemptPartition(endpointId), ':prefix': WAITING_PREFIX },
      ConsistentRead: true,
    },
    { pageSize: LOOKED_AT },
  );
  // The deliveries that this call sends out find the ones that are left.
  const found = await firstOf(notes, LOOKED_AT);
  const due = found
    .filter((item) => !isExpired(item, nowMs))
    .filter((item) => evenIfAsked || Number(item['notBeforeMs'] ?? 0) <= nowMs)
    .slice(0, RELEASE_LIMIT);
  const deliveries = due.flatMap((item) => {
    const parsed = deliverySchema.safeParse(item['delivery']);
    return parsed.success ? [parsed.data] : [];
  });
  const taken = await Promise.all(deliveries.map((delivery) => takeNote(dependencies, delivery)));
  const mine = deliveries.filter((_delivery, index) => taken[index] === true);
  if (mine.length === 0) return 0;
  const anew = mine.map((delivery) => ({ ...delivery, round: (delivery.round ?? 0) + 1 }));
  await sendDeliveries(dependencies, anew);
  await Promise.all(anew.map((delivery) => noteRound(dependencies, delivery, nowMs)));
  return anew.length;
}

/**
 * Removes the note of a delivery. Only the process that removes the note releases the delivery. Returns whether this
 * one did.
 */
async function takeNote({ table, stage }: WaitingDependencies, { endpointId, deliveryId }: Delivery): Promise<boolean> {
  try {
    await table.send(
      new DeleteCommand({
        TableName: tableName(stage, 'core'),
        Key: waitingDeliveryKey(endpointId, deliveryId),
        ConditionExpression: 'attribute_exists(pk)',
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

async function noteRound(
  { table, stage }: WaitingDependencies,
  { endpointId, deliveryId, round }: Delivery,
  nowMs: number,
): Promise<void> {
  const Item = { ...deliveryRoundKey(endpointId, deliveryId), round, ttl: expiryOf('waitingDelivery', nowMs) };
  await table.send(new PutCommand({ TableName: tableName(stage, 'core'), Item }));
}
