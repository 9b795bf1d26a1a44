import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  GetCommand,
  PutCommand,
  UpdateCommand,
  type DynamoDBDocumentClient,
} from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import type { DeliveryId, EndpointId } from '../kernel/id.ts';
import { BUCKETS, windowOf } from '../message/windowNotes.ts';
import { expiryOf, isExpired } from '../platform/expiry.ts';
import { deliveryRoundKey, retryNoteKey, waitingDeliveryKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';
import { failureSchema, type Failure } from './attempt.ts';
import { deliverySchema, type Delivery } from './delivery.ts';

/**
 * Deliveries that wait for their next attempt. Each has a row here, so that it can go out as soon as its receiver is back,
 * and so that it is known how it failed. There are four kinds of rows:
 *
 * | kind     | what stands for the delivery                | when it goes out by itself           |
 * | -------- | ------------------------------------------- | ------------------------------------ |
 * | hidden   | its message, which the queue hides          | when the queue shows it again        |
 * | aside    | this row alone; a note leads to it in time  | `releaseDue`, in the minutes of then |
 * | kept     | this row alone, as its webhook is disabled  | when that is resumed                 |
 * | given up | its dead letter; the row is kept for a look | never                                |
 *
 * A wait of up to a quarter of an hour is hidden, which costs one call. A longer one is put aside: a queue may hide 120,000
 * messages, and would give out none at all when one dead receiver had so many.
 *
 * A message that a queue hides cannot be called back. So what is released is put into the queue anew, as its next round; the
 * message of the round before still comes at its time, finds that a newer one exists, and ends.
 */
export interface WaitingTable {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

/** A delivery that waits, as it is stored. */
export interface WaitingDelivery {
  readonly delivery: Delivery;
  /** The receiver asked that it does not come before. */
  readonly notBeforeMs: number;
  /** When it is to go out, of one that is put aside. */
  readonly dueAtMs?: number | undefined;
  readonly isGivenUp: boolean;
  readonly firstFailure?: Failure | undefined;
  readonly lastFailure?: Failure | undefined;
}

const rowSchema = z.object({
  delivery: deliverySchema,
  notBeforeMs: z.number().default(0),
  dueAtMs: z.number().optional(),
  givenUp: z.boolean().default(false),
  firstFailure: failureSchema.optional(),
  lastFailure: failureSchema.optional(),
});

/** Reads a row; undefined for one that is over, or of a form that this release does not know. */
export function toWaiting(item: Readonly<Record<string, unknown>>, nowMs: number): WaitingDelivery | undefined {
  const { data } = rowSchema.safeParse(item);
  if (data === undefined || isExpired(item, nowMs)) return undefined;
  const { givenUp, ...row } = data;
  return { ...row, isGivenUp: givenUp };
}

/** How a delivery waits. */
export interface Wait {
  /** The number of its attempts so far, receives without an attempt included. */
  readonly attempts: number;
  readonly notBeforeMs: number;
  readonly nowMs: number;
  /** How the last attempt failed; undefined where there was none this time. */
  readonly failure?: Failure | undefined;
  /** When it is to go out by itself, where no message stands for it. */
  readonly dueAtMs?: number | undefined;
  readonly isGivenUp?: boolean;
}

/** Writes the row of a delivery that waits. Without a condition: a later wait takes the place of an earlier one. */
export async function noteWaiting(
  { table, stage }: WaitingTable,
  delivery: Delivery,
  { attempts, notBeforeMs, nowMs, failure, dueAtMs, isGivenUp }: Wait,
): Promise<Pick<WaitingDelivery, 'firstFailure' | 'lastFailure'>> {
  // The event is in the log: a copy of it here would cost a write unit for each of its kilobytes.
  const { event: _inLog, again: _given, ...named } = delivery;
  const first = delivery.firstFailure ?? failure;
  const set: readonly (readonly [name: string, value: unknown])[] = [
    ['delivery', { ...named, attempts }],
    ['notBeforeMs', notBeforeMs],
    ['ttl', expiryOf('waitingDelivery', nowMs)],
    ...(failure === undefined ? [] : [['lastFailure', failure] as const]),
    ...(dueAtMs === undefined ? [] : [['dueAtMs', dueAtMs] as const]),
    ...(isGivenUp === true ? [['givenUp', true] as const] : []),
  ];
  const sets = set.map(([name]) => `#${name} = :${name}`);
  const removed = ['takenUntilMs', ...['dueAtMs', 'givenUp'].filter((name) => !set.some(([one]) => one === name))];
  const answer = await table.send(
    new UpdateCommand({
      TableName: tableName(stage, 'core'),
      Key: waitingDeliveryKey(delivery.endpointId, delivery.deliveryId),
      UpdateExpression: `SET ${[...sets, ...(first === undefined ? [] : ['firstFailure = if_not_exists(firstFailure, :first)'])].join(', ')} REMOVE ${removed.join(', ')}`,
      ExpressionAttributeNames: Object.fromEntries(set.map(([name]) => [`#${name}`, name])),
      ExpressionAttributeValues: {
        ...Object.fromEntries(set.map(([name, value]) => [`:${name}`, value])),
        ...(first === undefined ? {} : { ':first': first }),
      },
      ReturnValues: 'ALL_NEW',
    }),
  );
  const { firstFailure, lastFailure } = rowSchema
    .pick({ firstFailure: true, lastFailure: true })
    .parse(answer.Attributes ?? {});
  return { firstFailure, lastFailure };
}

/**
 * Puts a delivery aside until a time: afterwards its message may leave the queue. The note that leads to the row is written first:
 * one that leads to none is passed over, and a row without a note would go out only with others.
 */
export async function putAside(
  dependencies: WaitingTable,
  delivery: Delivery,
  wait: Wait & { readonly dueAtMs: number },
): Promise<void> {
  const { table, stage } = dependencies;
  const { tenantId, endpointId, deliveryId } = delivery;
  const bucket = deliveryId.charCodeAt(deliveryId.length - 1) % BUCKETS;
  const Item = {
    ...retryNoteKey(windowOf(wait.dueAtMs), bucket, delivery),
    tenantId,
    endpointId,
    deliveryId,
    ttl: expiryOf('waitingDelivery', wait.dueAtMs),
  };
  await table.send(new PutCommand({ TableName: tableName(stage, 'core'), Item }));
  await noteWaiting(dependencies, delivery, wait);
}

/** Removes the row of a delivery that has ended. */
export async function forgetWaiting(
  { table, stage }: WaitingTable,
  { endpointId, deliveryId }: Pick<Delivery, 'endpointId' | 'deliveryId'>,
): Promise<void> {
  const Key = waitingDeliveryKey(endpointId, deliveryId);
  await table.send(new DeleteCommand({ TableName: tableName(stage, 'core'), Key }));
}

/** Whether a newer round of this delivery is on its way or over. Strongly consistent. */
export async function isOldRound(
  { table, stage }: WaitingTable,
  { endpointId, deliveryId, round = 0 }: Delivery,
): Promise<boolean> {
  const Key = deliveryRoundKey(endpointId, deliveryId);
  const answer = await table.send(new GetCommand({ TableName: tableName(stage, 'core'), Key, ConsistentRead: true }));
  return Number(answer.Item?.['round'] ?? 0) > round;
}

/** Records the newest round of a delivery. */
export async function noteRound(
  { table, stage }: WaitingTable,
  { endpointId, deliveryId, round }: Delivery,
  nowMs: number,
): Promise<void> {
  const Item = { ...deliveryRoundKey(endpointId, deliveryId), round, ttl: expiryOf('waitingDelivery', nowMs) };
  await table.send(new PutCommand({ TableName: tableName(stage, 'core'), Item }));
}

/**
 * How long a row is taken, in milliseconds: longer than it takes to put a delivery into the queue. If the process that took it died, another
 * may release it then.
 */
const TAKEN_MS = 60_000;

/** A row that this process releases. */
export interface TakenRow extends WaitingDelivery {
  readonly takenUntilMs: number;
}

/**
 * Takes the row of a delivery, so that this process alone releases it. Condition: it is there, nobody has taken it, and it is due
 * where that is asked. Returns the row, or why it was not taken: `held` by somebody else who may die over it, or `none`.
 */
export async function takeWaiting(
  { table, stage }: WaitingTable,
  of: { readonly endpointId: EndpointId; readonly deliveryId: DeliveryId },
  { nowMs, dueBeforeMs }: { readonly nowMs: number; readonly dueBeforeMs?: number | undefined },
): Promise<TakenRow | 'held' | 'none'> {
  const takenUntilMs = nowMs + TAKEN_MS;
  const isFree = '(attribute_not_exists(takenUntilMs) OR takenUntilMs <= :now)';
  const isDue = dueBeforeMs === undefined ? [] : ['dueAtMs < :due'];
  try {
    const answer = await table.send(
      new UpdateCommand({
        TableName: tableName(stage, 'core'),
        Key: waitingDeliveryKey(of.endpointId, of.deliveryId),
        UpdateExpression: 'SET takenUntilMs = :until',
        ConditionExpression: ['attribute_exists(pk)', isFree, ...isDue].join(' AND '),
        ExpressionAttributeValues: {
          ':until': takenUntilMs,
          ':now': nowMs,
          ...(dueBeforeMs === undefined ? {} : { ':due': dueBeforeMs }),
        },
        ReturnValues: 'ALL_NEW',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      }),
    );
    const row = toWaiting(answer.Attributes ?? {}, nowMs);
    return row === undefined ? 'none' : { ...row, takenUntilMs };
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    return Number(error.Item?.['takenUntilMs']?.N ?? 0) > nowMs ? 'held' : 'none';
  }
}

/** Removes a row that was released. Condition: it is the one that was taken, and no later wait. */
export async function dropTaken(
  { table, stage }: WaitingTable,
  { delivery, takenUntilMs }: Pick<TakenRow, 'delivery' | 'takenUntilMs'>,
): Promise<void> {
  try {
    await table.send(
      new DeleteCommand({
        TableName: tableName(stage, 'core'),
        Key: waitingDeliveryKey(delivery.endpointId, delivery.deliveryId),
        ConditionExpression: 'takenUntilMs = :taken',
        ExpressionAttributeValues: { ':taken': takenUntilMs },
      }),
    );
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}
