import type { OperatorRole } from '../../shared/identity/principal.ts';
import type { Route } from './route.ts';

/** The role that a key of an operator needs, by route. One that is not named here needs `admin`: nobody else comes in by default. */
const ROLES: Readonly<Record<string, OperatorRole>> = {
  'GET /health/detailed': 'read',
  'GET /v1/admin/audit': 'read',
  'GET /v1/admin/dead-letters': 'read',
  'POST /v1/admin/dead-letters/redrive': 'operate',
  'GET /v1/admin/fleet': 'read',
  'GET /v1/admin/tenants': 'read',
  'GET /v1/admin/tenants/{tenantId}': 'read',
  'GET /v1/admin/tenants/{tenantId}/api-keys': 'read',
  'GET /v1/admin/tenants/{tenantId}/quotas': 'read',
  'POST /v1/admin/tenants/{tenantId}/resume': 'operate',
  'POST /v1/admin/tenants/{tenantId}/suspend': 'operate',
  'GET /v1/admin/watchdog': 'read',
  'GET /v1/admin/whatsapp-version': 'read',
  'PUT /v1/admin/whatsapp-version': 'operate',
  'POST /v1/admin/whatsapp-version/roll-back': 'operate',
  'POST /v1/admin/workers/{workerId}/drain': 'operate',
};

/** The role that a route of operators needs; undefined for every other route. */
export function operatorRoleOf({ method, path, access }: Pick<Route, 'method' | 'path' | 'access'>) {
  if (access !== 'operator') return undefined;
  const name = `${method} ${path}`;
  return (Object.hasOwn(ROLES, name) ? ROLES[name] : undefined) ?? 'admin';
}

/** The routes that are named, for the test that each of them exists. */
export const namedRoutes: readonly string[] = Object.keys(ROLES);
