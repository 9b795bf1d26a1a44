import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { fencedBy } from '../../shared/platform/fence.ts';
import { queryItems } from '../../shared/platform/pages.ts';
import { tableName } from '../../shared/platform/tables.ts';
import { OwnershipLostError } from './sessionErrors.ts';
import type { SessionDependencies, SessionItems } from './sessionItems.ts';

/**
 * Removes all that is kept of a session, the key with which it is sealed among it: its tenant is deleted, and nobody is to read it again. Condition of each: no newer
 * owner has written it; throws {@link OwnershipLostError} where one has. What is not there needs no removal, so whoever dies leaves the rest to the next owner.
 */
export async function removeSession(
  { pk, epoch }: Pick<SessionItems, 'pk' | 'epoch'>,
  { table, stage, gate }: Pick<SessionDependencies, 'table' | 'stage' | 'gate'>,
): Promise<void> {
  const TableName = tableName(stage, 'sessions');
  const { condition, names, values } = fencedBy('epoch', epoch);
  const items = queryItems(table, {
    TableName,
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': pk },
    ProjectionExpression: 'sk',
    ConsistentRead: true,
  });
  for await (const { sk } of items) {
    gate.assertOpen();
    try {
      await table.send(
        new DeleteCommand({
          TableName,
          Key: { pk, sk },
          ConditionExpression: condition,
          ExpressionAttributeNames: names,
          ExpressionAttributeValues: values,
        }),
      );
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) throw new OwnershipLostError(String(sk), { cause: error });
      throw error;
    }
  }
}
