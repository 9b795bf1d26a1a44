import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { AppError } from '../kernel/appError.ts';
import type { ConnectionId } from '../kernel/id.ts';
import { expiryOf, isExpired } from '../platform/expiry.ts';
import { idempotencyKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';

/**
 * The ids that a request with an `Idempotency-Key` got: the same key with the same body gets the same ones for a day,
 * and with another body it is refused. The keys of one connection are one space, whatever they are used for.
 */
export interface ReserveDependencies {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

export interface ReservedKey {
  readonly connectionId: ConnectionId;
  /** The key as the caller chose it; nothing is reserved without one. */
  readonly callerKey: string | undefined;
  /** The hash of all parts that make two requests the same. */
  readonly bodyHash: string;
  readonly nowMs: number;
}

/** The ids of an earlier request under the key; undefined when there was none. Throws `idempotency_conflict`. */
export async function findReserved<Ids extends Readonly<Record<string, string>>>(
  { table, stage }: ReserveDependencies,
  { connectionId, callerKey, bodyHash, nowMs }: ReservedKey,
): Promise<Ids | undefined> {
  if (callerKey === undefined) return undefined;
  const Key = { ...idempotencyKey(connectionId, callerKey) };
  const { Item } = await table.send(new GetCommand({ TableName: tableName(stage, 'core'), Key, ConsistentRead: true }));
  if (Item === undefined || isExpired(Item, nowMs)) return undefined;
  if (Item['bodyHash'] !== bodyHash) throw new AppError('idempotency_conflict');
  return Item as unknown as Ids;
}

/** Reserves fresh ids for the key, or returns those that it has. Throws `idempotency_conflict`. */
export async function reserveIds<Ids extends Readonly<Record<string, string>>>(
  { table, stage }: ReserveDependencies,
  { connectionId, callerKey, bodyHash, nowMs }: ReservedKey,
  fresh: Ids,
): Promise<Ids> {
  if (callerKey === undefined) return fresh;
  const Item = {
    ...idempotencyKey(connectionId, callerKey),
    ...fresh,
    bodyHash,
    ttl: expiryOf('idempotency', nowMs),
  };
  try {
    await table.send(
      new PutCommand({
        TableName: tableName(stage, 'core'),
        Item,
        // DynamoDB deletes expired items late, so an expired row counts as absent.
        ConditionExpression: 'attribute_not_exists(pk) OR #ttl <= :now',
        ExpressionAttributeNames: { '#ttl': 'ttl' },
        ExpressionAttributeValues: { ':now': Math.floor(nowMs / 1_000) },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      }),
    );
    return fresh;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException) || error.Item === undefined) throw error;
    const found = error.Item;
    if (found['bodyHash']?.S !== bodyHash) throw new AppError('idempotency_conflict');
    return Object.fromEntries(Object.keys(fresh).map((name) => [name, found[name]?.S ?? ''])) as Ids;
  }
}
