import type { ApiKeyId, TenantId } from '../kernel/id.ts';
import type { KeyLimits } from './keyLimits.ts';

/** The caller: a tenant's program, or an operator of this deployment. */
export type Principal =
  | { readonly role: 'tenant'; readonly keyId: ApiKeyId; readonly tenantId: TenantId; readonly limits: KeyLimits }
  | { readonly role: 'operator'; readonly keyId: ApiKeyId };
