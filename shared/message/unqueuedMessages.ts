import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ConnectionId, MessageId, TenantId } from '../kernel/id.ts';
import { expiryOf } from '../platform/expiry.ts';
import { unqueuedCursorKey, unqueuedKey, unqueuedPartition } from '../platform/keys.ts';
import { allOf, queryItems } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import type { TransactionWrite } from './messageWrites.ts';

/**
 * Notes of which connections accepted messages in a window of time. A note is written with the first message of a window that
 * a process accepts, in one transaction with its row. So messages that never reached the queue are found without a scan,
 * and a busy connection pays for a note only now and then. Each process has a note of its own, under the message that it was
 * written with: transactions that meet at one item refuse each other, and at the beginning of a window all would meet.
 */
export interface UnqueuedDependencies {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

export interface NotedConnection {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly shard: number;
}

/** The number of partitions of a window, which all tenants share. */
const BUCKETS = 4;
/** The length of a window, in milliseconds. */
export const WINDOW_MS = 5 * 60_000;

/** The window in which a message was made, counted from 1970. */
export function windowOf(atMs: number): number {
  return Math.floor(atMs / WINDOW_MS);
}

/** The write of a note, for a transaction. It has no condition: nobody else writes under this message. */
export function windowNote(
  stage: string,
  {
    tenantId,
    connectionId,
    messageId,
    shard,
    window,
  }: NotedConnection & { readonly messageId: MessageId; readonly window: number },
): TransactionWrite & { readonly Put: NonNullable<TransactionWrite['Put']> } {
  const bucket = connectionId.charCodeAt(connectionId.length - 1) % BUCKETS;
  const ttl = expiryOf('unqueued', window * WINDOW_MS);
  const Item = { ...unqueuedKey(window, bucket, connectionId, messageId), tenantId, connectionId, shard, ttl };
  return { Put: { TableName: tableName(stage, 'core'), Item } };
}

/** Lists the connections that accepted messages in a window, each once, strongly consistent. */
export async function listNoted(
  { table, stage }: UnqueuedDependencies,
  window: number,
): Promise<readonly NotedConnection[]> {
  const found = new Map<ConnectionId, NotedConnection>();
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const items = queryItems(table, {
      TableName: tableName(stage, 'core'),
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': unqueuedPartition(window, bucket) },
      ConsistentRead: true,
    });
    for (const note of (await allOf(items)) as unknown as NotedConnection[]) found.set(note.connectionId, note);
  }
  return [...found.values()];
}

/** Reads the last window that has been handled; undefined before the first time. */
export async function readCursor({ table, stage }: UnqueuedDependencies): Promise<number | undefined> {
  const answer = await table.send(
    new GetCommand({ TableName: tableName(stage, 'core'), Key: unqueuedCursorKey, ConsistentRead: true }),
  );
  return answer.Item?.['window'] as number | undefined;
}

/** Records that a window has been handled. Condition: it is later than the recorded one; else nothing to do. */
export async function moveCursor({ table, stage }: UnqueuedDependencies, window: number): Promise<void> {
  try {
    await table.send(
      new PutCommand({
        TableName: tableName(stage, 'core'),
        Item: { ...unqueuedCursorKey, window },
        ConditionExpression: 'attribute_not_exists(#window) OR #window < :window',
        ExpressionAttributeNames: { '#window': 'window' },
        ExpressionAttributeValues: { ':window': window },
      }),
    );
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}
