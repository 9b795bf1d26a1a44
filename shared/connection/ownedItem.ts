import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ConnectionId, TenantId } from '../kernel/id.ts';
import { fencedBy } from '../platform/fence.ts';
import type { ItemKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';

/** The table with the items of connections. */
export interface CoreTable {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

/** A connection, and the epoch under which the writer owns its shard. */
export interface OwnedRecord {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly token: number;
}

/** Puts an item that belongs to a connection's owner. Condition: no newer owner has put one there ({@link fencedBy}). */
export async function putOwned(
  { table, stage }: CoreTable,
  key: ItemKey,
  token: number,
  item: Readonly<Record<string, unknown>>,
): Promise<'stored' | 'lost'> {
  const fence = fencedBy('token', token);
  try {
    await table.send(
      new PutCommand({
        TableName: tableName(stage, 'core'),
        Item: { ...key, ...item, token },
        ConditionExpression: fence.condition,
        ExpressionAttributeNames: fence.names,
        ExpressionAttributeValues: fence.values,
      }),
    );
    return 'stored';
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return 'lost';
    throw error;
  }
}
