import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { UpdateCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { connectionKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';
import type { Connection, FilteredMessages } from './connection.ts';

/** The beginning of the attributes that count dropped messages: one for each filter, so that each is added to by itself. */
const PREFIX = 'filtered:';
const SINCE = 'filteredSinceMs';

/**
 * Adds to the numbers of dropped messages on the record of a connection. Condition: the record exists. Two that count at
 * once both count: nothing is read before, and no other write touches these attributes.
 */
export async function countFiltered(
  { table, stage }: { readonly table: DynamoDBDocumentClient; readonly stage: string },
  { tenantId, connectionId }: Pick<Connection, 'tenantId' | 'connectionId'>,
  counts: ReadonlyMap<string, number>,
  nowMs: number,
): Promise<'set' | 'missing'> {
  const each = [...counts].map(([filter, count], index) => ({ filter, count, index }));
  const sums = each.map(({ index }) => `#f${index} :n${index}`).join(', ');
  try {
    await table.send(
      new UpdateCommand({
        TableName: tableName(stage, 'core'),
        Key: connectionKey(tenantId, connectionId),
        UpdateExpression: `SET ${SINCE} = if_not_exists(${SINCE}, :now) ADD ${sums}`,
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeNames: Object.fromEntries(
          each.map(({ filter, index }) => [`#f${index}`, `${PREFIX}${filter}`]),
        ),
        ExpressionAttributeValues: {
          ':now': nowMs,
          ...Object.fromEntries(each.map(({ count, index }) => [`:n${index}`, count])),
        },
      }),
    );
    return 'set';
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return 'missing';
    throw error;
  }
}

/** The numbers of dropped messages in the item of a connection; undefined while there is none. */
export function toFiltered(item: Record<string, unknown>): FilteredMessages | undefined {
  const sinceMs = item[SINCE] as number | undefined;
  if (sinceMs === undefined) return undefined;
  const counts = Object.entries(item).filter(([name]) => name.startsWith(PREFIX));
  const messages = counts.map(([name, count]) => [name.slice(PREFIX.length), count as number]);
  return { sinceMs, messages: Object.fromEntries(messages) as Record<string, number> };
}
