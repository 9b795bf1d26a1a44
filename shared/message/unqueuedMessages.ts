import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, GetCommand, PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ConnectionId, MessageId, TenantId } from '../kernel/id.ts';
import { expiryOf } from '../platform/expiry.ts';
import { unqueuedCursorKey, unqueuedKey, unqueuedPartition } from '../platform/keys.ts';
import { allOf, queryItems } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';

/**
 * Markers of messages that are accepted and not known to be in the queue, by the minute of creation. A marker is
 * written before the message row and removed when the row says `queued`, so the few that were left behind are found
 * without a scan.
 */
export interface UnqueuedDependencies {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

export interface UnqueuedMessage {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly messageId: MessageId;
  readonly createdAtMs: number;
}

/** The number of partitions of a minute, which all tenants share: four take 4,000 messages a second. */
const BUCKETS = 4;
const MINUTE_MS = 60_000;

/** The minute in which a message was made, counted from 1970. */
export function minuteOf(atMs: number): number {
  return Math.floor(atMs / MINUTE_MS);
}

/** Notes a message before its row is written. The write has no condition: the same message makes the same marker. */
export async function markUnqueued({ table, stage }: UnqueuedDependencies, message: UnqueuedMessage): Promise<void> {
  const { tenantId, connectionId, messageId, createdAtMs } = message;
  await table.send(
    new PutCommand({
      TableName: tableName(stage, 'core'),
      Item: {
        ...keyOf(message),
        tenantId,
        connectionId,
        messageId,
        createdAtMs,
        ttl: expiryOf('unqueued', createdAtMs),
      },
    }),
  );
}

/** Removes a marker. The write has no condition: a marker that is not there needs no removal. */
export async function unmarkUnqueued({ table, stage }: UnqueuedDependencies, message: UnqueuedMessage): Promise<void> {
  await table.send(new DeleteCommand({ TableName: tableName(stage, 'core'), Key: keyOf(message) }));
}

/** Lists the marked messages of one minute, strongly consistent. */
export async function listUnqueued(
  { table, stage }: UnqueuedDependencies,
  minute: number,
): Promise<readonly UnqueuedMessage[]> {
  const found: UnqueuedMessage[] = [];
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const items = queryItems(table, {
      TableName: tableName(stage, 'core'),
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': unqueuedPartition(minute, bucket) },
      ConsistentRead: true,
    });
    found.push(...((await allOf(items)) as unknown as UnqueuedMessage[]));
  }
  return found;
}

/** Reads the last minute that has been handled; undefined before the first time. */
export async function readCursor({ table, stage }: UnqueuedDependencies): Promise<number | undefined> {
  const answer = await table.send(
    new GetCommand({ TableName: tableName(stage, 'core'), Key: unqueuedCursorKey, ConsistentRead: true }),
  );
  return answer.Item?.['minute'] as number | undefined;
}

/** Records that a minute has been handled. Condition: it is later than the recorded one; else nothing to do. */
export async function moveCursor({ table, stage }: UnqueuedDependencies, minute: number): Promise<void> {
  try {
    await table.send(
      new PutCommand({
        TableName: tableName(stage, 'core'),
        Item: { ...unqueuedCursorKey, minute },
        ConditionExpression: 'attribute_not_exists(pk) OR #minute < :minute',
        ExpressionAttributeNames: { '#minute': 'minute' },
        ExpressionAttributeValues: { ':minute': minute },
      }),
    );
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}

function keyOf({ messageId, createdAtMs }: UnqueuedMessage) {
  const bucket = messageId.charCodeAt(messageId.length - 1) % BUCKETS;
  return unqueuedKey(minuteOf(createdAtMs), bucket, messageId);
}
