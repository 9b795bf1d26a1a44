import { PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { createTenantKey } from '../../../shared/identity/tenantKeys.ts';
import type { TenantId } from '../../../shared/kernel/id.ts';
import { tenantKey } from '../../../shared/platform/keys.ts';
import { tableName } from '../../../shared/platform/tables.ts';

/**
 * The secret of a key of a tenant whose id is given: its row is written first, since a key opens nothing without its tenant.
 * @param stores the table of Core, with what makes keys
 */
export async function keyOfNewTenant(
  stores: Parameters<typeof createTenantKey>[0] & { readonly table: DynamoDBDocumentClient; readonly stage: string },
  tenantId: TenantId,
): Promise<string> {
  const Item = { ...tenantKey(tenantId), tenantId, name: 'Acme' };
  await stores.table.send(new PutCommand({ TableName: tableName(stores.stage, 'core'), Item }));
  return (await createTenantKey(stores, tenantId, {})).secret.reveal();
}
