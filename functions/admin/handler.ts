import { makeHttpHandler, type HttpDependencies } from '../http/http.ts';
import type { Route } from '../http/route.ts';
import { operatorAuditRoutes, type AuditRouteDependencies } from '../routes/audit.ts';
import { deadLetterRoutes, type DeadLetterRouteDependencies } from '../routes/deadLetters.ts';
import { detailedHealthRoutes, type HealthRouteDependencies } from '../routes/health.ts';
import { fleetRoutes, type FleetRouteDependencies } from '../routes/fleet.ts';
import { quotaRoutes, type QuotaRouteDependencies } from '../routes/quotas.ts';
import { restoreRoutes, type RestoreRouteDependencies } from '../routes/restoredRows.ts';
import { tenantDeletionRoutes } from '../routes/tenantDeletion.ts';
import { tenantStandingRoutes, type TenantStandingDependencies } from '../routes/tenantStanding.ts';
import { tenantKeyRoutes, tenantRoutes, type TenantKeyDependencies } from '../routes/tenants.ts';
import { watchdogRoutes } from '../routes/watchdog.ts';
import { whatsAppVersionRoutes } from '../routes/whatsAppVersion.ts';

type AdminRouteDependencies = TenantKeyDependencies &
  QuotaRouteDependencies &
  TenantStandingDependencies &
  AuditRouteDependencies &
  FleetRouteDependencies &
  HealthRouteDependencies &
  DeadLetterRouteDependencies &
  RestoreRouteDependencies;
export type AdminDependencies = HttpDependencies & AdminRouteDependencies;

/** All routes for operators. */
export function adminRoutes(dependencies: AdminRouteDependencies): readonly Route[] {
  return [
    ...tenantRoutes(dependencies),
    ...tenantDeletionRoutes(dependencies),
    ...tenantStandingRoutes(dependencies),
    ...tenantKeyRoutes(dependencies),
    ...quotaRoutes(dependencies),
    ...fleetRoutes(dependencies),
    ...whatsAppVersionRoutes(dependencies),
    ...detailedHealthRoutes(dependencies),
    ...watchdogRoutes(dependencies),
    ...deadLetterRoutes(dependencies),
    ...restoreRoutes(dependencies),
    ...operatorAuditRoutes(dependencies),
  ];
}

/** Whether a path is served by the operators' function. */
export function isAdminPath(path: string): boolean {
  return path.startsWith('/v1/admin/') || path === '/health/detailed';
}

/**
 * The function that serves operators. It is apart from the tenants' function, so that it can have its own role and
 * throttle.
 */
export function makeAdminHandler(dependencies: AdminDependencies) {
  return makeHttpHandler(adminRoutes(dependencies), dependencies);
}
