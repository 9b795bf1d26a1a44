import type { TenantId } from '../kernel/id.ts';
import type { ItemKey } from './keys.ts';

/** The tenants whose connections and webhooks are being brought to how their tenant stands. */
export const TENANT_WORK = 'TENANT_WORK';
export const tenantWorkKey = (tenantId: TenantId): ItemKey => ({ pk: TENANT_WORK, sk: tenantId });
