import { GetCommand, PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { makeId, type TenantId } from '../kernel/id.ts';
import { tenantKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';
import type { Surroundings } from '../platform/surroundings.ts';

/** A customer organisation: the owner of every record. */
export interface Tenant {
  readonly tenantId: TenantId;
  readonly name: string;
  readonly createdAtMs: number;
}

export interface TenantDependencies extends Pick<Surroundings, 'clock' | 'random'> {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

/** Makes a tenant. Condition: the id is new. */
export async function createTenant(dependencies: TenantDependencies, name: string): Promise<Tenant> {
  const createdAtMs = dependencies.clock.nowMs();
  const tenant: Tenant = { tenantId: makeId('tnt', createdAtMs, dependencies.random), name, createdAtMs };
  await dependencies.table.send(
    new PutCommand({
      TableName: tableName(dependencies.stage, 'core'),
      Item: { ...tenantKey(tenant.tenantId), ...tenant },
      ConditionExpression: 'attribute_not_exists(pk)',
    }),
  );
  return tenant;
}

/** Reads a tenant, strongly. */
export async function findTenant(
  dependencies: Pick<TenantDependencies, 'table' | 'stage'>,
  tenantId: TenantId,
): Promise<Tenant | undefined> {
  const answer = await dependencies.table.send(
    new GetCommand({
      TableName: tableName(dependencies.stage, 'core'),
      Key: tenantKey(tenantId),
      ConsistentRead: true,
    }),
  );
  const item = answer.Item;
  if (item === undefined) return undefined;
  return { tenantId, name: item['name'] as string, createdAtMs: item['createdAtMs'] as number };
}
