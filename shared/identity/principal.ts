import type { ApiKeyId, TenantId } from '../kernel/id.ts';

/** The caller: a tenant's program, or an operator of this deployment. */
export type Principal =
  | { readonly role: 'tenant'; readonly keyId: ApiKeyId; readonly tenantId: TenantId }
  | { readonly role: 'operator'; readonly keyId: ApiKeyId };
