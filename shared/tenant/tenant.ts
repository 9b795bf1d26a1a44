import { GetCommand, TransactWriteCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { ACTIVE, standingIn, type TenantStanding } from '../identity/standing.ts';
import { makeId, type TenantId } from '../kernel/id.ts';
import { TENANTS, tenantKey, tenantListKey } from '../platform/keys.ts';
import { queryItems, readPage, type Item } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import type { Surroundings } from '../platform/surroundings.ts';

/** A customer organisation: the owner of every record. */
export interface Tenant {
  readonly tenantId: TenantId;
  readonly name: string;
  readonly createdAtMs: number;
  readonly standing: TenantStanding;
}

export interface TenantDependencies extends Pick<Surroundings, 'clock' | 'random'> {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

/** Makes a tenant: its row, and the one by which operators list it, in one transaction. Condition: the id is new. */
export async function createTenant(dependencies: TenantDependencies, name: string): Promise<Tenant> {
  const createdAtMs = dependencies.clock.nowMs();
  const tenantId = makeId('tnt', createdAtMs, dependencies.random);
  // A row that says nothing of how its tenant stands is of an active one.
  const row = { tenantId, name, createdAtMs };
  const TableName = tableName(dependencies.stage, 'core');
  await dependencies.table.send(
    new TransactWriteCommand({
      TransactItems: [
        {
          Put: {
            TableName,
            Item: { ...tenantKey(tenantId), ...row },
            ConditionExpression: 'attribute_not_exists(pk)',
          },
        },
        { Put: { TableName, Item: { ...tenantListKey(tenantId), ...row } } },
      ],
    }),
  );
  return { ...row, standing: ACTIVE };
}

/** The tenants of this deployment, oldest first. @param page.withDeleted whether also those that were deleted */
export async function listTenants(
  { table, stage }: Pick<TenantDependencies, 'table' | 'stage'>,
  page: { readonly after: TenantId | undefined; readonly limit: number; readonly withDeleted?: boolean },
): Promise<{ readonly tenants: readonly Tenant[]; readonly next: TenantId | undefined }> {
  const rows = queryItems(
    table,
    {
      TableName: tableName(stage, 'core'),
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': TENANTS },
      ConsistentRead: true,
    },
    { after: page.after && { ...tenantListKey(page.after) }, pageSize: page.limit + 1 },
  );
  const { shown, last } = await readPage(rows, {
    limit: page.limit,
    show: (item) => (page.withDeleted !== true && standingIn(item).state === 'deleted' ? undefined : toTenant(item)),
  });
  return { tenants: shown, next: last === undefined ? undefined : toTenant(last).tenantId };
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
  return answer.Item === undefined ? undefined : toTenant(answer.Item);
}

function toTenant(item: Item): Tenant {
  return {
    tenantId: item['tenantId'] as TenantId,
    name: item['name'] as string,
    createdAtMs: item['createdAtMs'] as number,
    standing: standingIn(item),
  };
}
