import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { fencedBy } from '../../shared/platform/fence.ts';
import { isMade } from '../../shared/platform/isMade.ts';
import { queryItems } from '../../shared/platform/pages.ts';
import { tableName } from '../../shared/platform/tables.ts';
import { CREDENTIALS_KEY } from './credentials.ts';
import { OwnershipLostError } from './sessionErrors.ts';
import type { SessionDependencies, SessionItems } from './sessionItems.ts';

/**
 * Removes all that is kept of a session, the key with which it is sealed among it: its tenant is deleted, and nobody is to read it again. The root of the credentials
 * goes first, as each owner puts its epoch there before it acts: an older one takes nothing away. Condition of each: no newer owner has written it; throws
 * {@link OwnershipLostError} where one has. What is not there needs no removal, so whoever dies leaves the rest to the next owner.
 */
export async function removeSession(
  { pk, epoch }: Pick<SessionItems, 'pk' | 'epoch'>,
  { table, stage, gate }: Pick<SessionDependencies, 'table' | 'stage' | 'gate'>,
): Promise<void> {
  const TableName = tableName(stage, 'sessions');
  const { condition, names, values } = fencedBy('epoch', epoch);
  const remove = async (sk: string): Promise<void> => {
    gate.assertOpen();
    const item = { TableName, Key: { pk, sk }, ConditionExpression: condition };
    const write = { ...item, ExpressionAttributeNames: names, ExpressionAttributeValues: values };
    if (!(await isMade(table.send(new DeleteCommand(write))))) throw new OwnershipLostError(sk);
  };
  await remove(CREDENTIALS_KEY);
  const items = queryItems(table, {
    TableName,
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': pk },
    ProjectionExpression: 'sk',
    ConsistentRead: true,
  });
  for await (const { sk } of items) await remove(String(sk));
}
