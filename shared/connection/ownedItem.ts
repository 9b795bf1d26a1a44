import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ItemKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';

/** Where items of connections are. */
export interface CoreTable {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

/** Puts an item that belongs to a connection's owner. Condition: no newer owner has put one there (`token <= mine`). */
export async function putOwned(
  { table, stage }: CoreTable,
  key: ItemKey,
  token: number,
  item: Readonly<Record<string, unknown>>,
): Promise<'stored' | 'lost'> {
  try {
    await table.send(
      new PutCommand({
        TableName: tableName(stage, 'core'),
        Item: { ...key, ...item, token },
        ConditionExpression: 'attribute_not_exists(#token) OR #token <= :token',
        ExpressionAttributeNames: { '#token': 'token' },
        ExpressionAttributeValues: { ':token': token },
      }),
    );
    return 'stored';
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return 'lost';
    throw error;
  }
}
