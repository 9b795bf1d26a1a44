import { GetCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { AppError } from '../kernel/appError.ts';
import type { TenantId } from '../kernel/id.ts';
import { tenantKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';

/** How a tenant stands: whether its keys open anything. */
export type TenantStanding =
  | { readonly state: 'active' }
  | {
      readonly state: 'suspended';
      /** What its operator says of it, which its callers read. */
      readonly reason: string;
      readonly sinceMs: number;
    };

export const ACTIVE: TenantStanding = { state: 'active' };

/** How a tenant stands, as its row has it. */
export function standingIn(item: Readonly<Record<string, unknown>>): TenantStanding {
  return (item['standing'] as TenantStanding | undefined) ?? ACTIVE;
}

/** Reads how a tenant stands, strongly; undefined where there is none. */
export async function findStanding(
  { table, stage }: { readonly table: DynamoDBDocumentClient; readonly stage: string },
  tenantId: TenantId,
): Promise<TenantStanding | undefined> {
  const { Item } = await table.send(
    new GetCommand({
      TableName: tableName(stage, 'core'),
      Key: tenantKey(tenantId),
      ProjectionExpression: 'pk, standing',
      ConsistentRead: true,
    }),
  );
  return Item === undefined ? undefined : standingIn(Item);
}

/** Throws `unauthorized` where there is no such tenant, and `tenant_suspended` with the reason for one that is suspended. */
export function assertActive(standing: TenantStanding | undefined): void {
  if (standing === undefined) throw new AppError('unauthorized');
  if (standing.state === 'active') return;
  const since = new Date(standing.sinceMs).toISOString();
  throw new AppError('tenant_suspended', {
    detail: `This tenant is suspended since ${since}: ${standing.reason} Its data is kept. Ask the operator of this service.`,
  });
}
