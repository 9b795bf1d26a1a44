import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, TransactWriteCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { TenantStanding } from '../identity/standing.ts';
import type { CorrelationId, TenantId } from '../kernel/id.ts';
import { tenantKey, tenantListKey } from '../platform/keys.ts';
import { queryItems } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import { TENANT_WORK, tenantWorkKey } from '../platform/tenantKeys.ts';

/** What is to be done with all connections and webhooks of a tenant. */
export interface TenantWork {
  readonly tenantId: TenantId;
  readonly work: 'suspend' | 'resume';
  /** When it was asked for, in milliseconds since 1970; it tells one work from a later one. */
  readonly sinceMs: number;
  readonly correlationId: CorrelationId;
}

export interface TenantWorkTable {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

/**
 * Writes how a tenant stands, and in the same transaction that its connections and webhooks are to follow: whoever dies after it leaves
 * that to the next run. A later work takes the place of an earlier one. Condition: the tenant exists. Returns `missing` where it does not.
 */
export async function changeStanding(
  { table, stage }: TenantWorkTable,
  standing: TenantStanding,
  work: TenantWork,
): Promise<'changed' | 'missing'> {
  const TableName = tableName(stage, 'core');
  const write =
    standing.state === 'active'
      ? { UpdateExpression: 'REMOVE standing' }
      : { UpdateExpression: 'SET standing = :standing', ExpressionAttributeValues: { ':standing': standing } };
  const ConditionExpression = 'attribute_exists(pk)';
  try {
    await table.send(
      new TransactWriteCommand({
        TransactItems: [
          { Update: { TableName, Key: tenantKey(work.tenantId), ...write, ConditionExpression } },
          { Update: { TableName, Key: tenantListKey(work.tenantId), ...write, ConditionExpression } },
          { Put: { TableName, Item: { ...tenantWorkKey(work.tenantId), ...work } } },
        ],
      }),
    );
    return 'changed';
  } catch (error) {
    const reasons = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : [];
    if (reasons.some(({ Code }) => Code === 'ConditionalCheckFailed')) return 'missing';
    throw error;
  }
}

/** Lists what is to be done, read as it is needed. */
export async function* listTenantWork({ table, stage }: TenantWorkTable): AsyncGenerator<TenantWork> {
  const items = queryItems(table, {
    TableName: tableName(stage, 'core'),
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': TENANT_WORK },
    ConsistentRead: true,
  });
  for await (const item of items) yield item as unknown as TenantWork;
}

/** Ends a work. Condition: no later one has taken its place. */
export async function endTenantWork(
  { table, stage }: TenantWorkTable,
  { tenantId, sinceMs }: TenantWork,
): Promise<void> {
  try {
    await table.send(
      new DeleteCommand({
        TableName: tableName(stage, 'core'),
        Key: tenantWorkKey(tenantId),
        ConditionExpression: 'sinceMs = :since',
        ExpressionAttributeValues: { ':since': sinceMs },
      }),
    );
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}
