import type { TenantId } from '../kernel/id.ts';
import type { ItemKey } from './keys.ts';

/** How many connections a tenant has. It stands apart from the tenant's record, which is not to come back when a connection goes after it. */
export const tenantCountsKey = (tenantId: TenantId): ItemKey => ({ pk: `TENANT#${tenantId}`, sk: 'COUNTS' });
/** The places of a tenant's connections to which no account was ever linked. */
export const unpairedPartition = (tenantId: TenantId): string => `UNPAIRED#${tenantId}`;
export const unpairedPlaceKey = (tenantId: TenantId, place: number): ItemKey => ({
  pk: unpairedPartition(tenantId),
  sk: String(place).padStart(6, '0'),
});
/** What an operator has chosen of a tenant's quotas. */
export const quotaTermsKey = (tenantId: TenantId): ItemKey => ({ pk: `TENANT#${tenantId}`, sk: 'QUOTAS' });
/** The bucket of a rate of a tenant, or of something of the tenant's. It has a partition apart from what is read with each request. */
export const bucketKey = ({
  tenantId,
  quota,
  of,
}: {
  readonly tenantId: TenantId;
  readonly quota: string;
  readonly of: string | undefined;
}): ItemKey => ({ pk: `RATE#${tenantId}`, sk: of === undefined ? quota : `${quota}#${of}` });
