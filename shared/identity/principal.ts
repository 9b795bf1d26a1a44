import type { ApiKeyId, TenantId } from '../kernel/id.ts';
import type { KeyLimits } from './keyLimits.ts';

/** What operators may do, each with all before it: look, run what there is, and decide who may come in and what is removed. */
export const operatorRoles = ['read', 'operate', 'admin'] as const;
export type OperatorRole = (typeof operatorRoles)[number];

/** Whether a key with one role may do what needs another. */
export function includesRole(has: OperatorRole, needs: OperatorRole): boolean {
  return operatorRoles.indexOf(has) >= operatorRoles.indexOf(needs);
}

/** The caller: a tenant's program, or an operator of this deployment. */
export type Principal =
  | { readonly role: 'tenant'; readonly keyId: ApiKeyId; readonly tenantId: TenantId; readonly limits: KeyLimits }
  | { readonly role: 'operator'; readonly keyId: ApiKeyId; readonly operatorRole: OperatorRole };
