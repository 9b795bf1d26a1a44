import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { PutCommand, UpdateCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ConnectionId, TenantId } from '../kernel/id.ts';
import { fencedBy } from '../platform/fence.ts';
import { connectionKey, type ItemKey } from '../platform/keys.ts';
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

/**
 * Changes the record of a connection, as the owner of its shard. Condition: the record exists, and no newer owner has stored
 * a status there ({@link fencedBy}).
 * @param change the update and its values
 */
export async function changeOwnedRecord(
  { table, stage }: CoreTable,
  { tenantId, connectionId, token }: OwnedRecord,
  change: { readonly update: string; readonly values?: Readonly<Record<string, unknown>> },
): Promise<'recorded' | 'lost'> {
  const fence = fencedBy('statusToken', token);
  try {
    await table.send(
      new UpdateCommand({
        TableName: tableName(stage, 'core'),
        Key: connectionKey(tenantId, connectionId),
        UpdateExpression: change.update,
        ConditionExpression: `attribute_exists(pk) AND ${fence.condition}`,
        ExpressionAttributeNames: fence.names,
        ExpressionAttributeValues: { ...fence.values, ...change.values },
      }),
    );
    return 'recorded';
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return 'lost';
    throw error;
  }
}
