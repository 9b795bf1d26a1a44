import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { fencedBy } from '../platform/fence.ts';
import { connectionKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';
import type { CoreTable, OwnedRecord } from './ownedItem.ts';
import type { Pace } from './pace.ts';

/** Stores the pace of a connection on its record. Condition: the record exists, and no newer owner has stored a status. */
export async function recordPace(
  { table, stage }: CoreTable,
  owned: OwnedRecord,
  pace: Pace,
): Promise<'recorded' | 'lost'> {
  const fence = fencedBy('statusToken', owned.token);
  try {
    await table.send(
      new UpdateCommand({
        TableName: tableName(stage, 'core'),
        Key: connectionKey(owned.tenantId, owned.connectionId),
        UpdateExpression: 'SET pace = :pace',
        ConditionExpression: `attribute_exists(pk) AND ${fence.condition}`,
        ExpressionAttributeNames: fence.names,
        ExpressionAttributeValues: { ...fence.values, ':pace': pace },
      }),
    );
    return 'recorded';
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return 'lost';
    throw error;
  }
}
