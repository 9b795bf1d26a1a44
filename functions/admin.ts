import type { IdentityDependencies } from '../shared/identity/apiKey.ts';
import { makeHttpHandler, type HttpDependencies } from './http.ts';
import type { Route } from './route.ts';
import { fleetRoutes, type FleetRouteDependencies } from './routes/fleet.ts';
import { tenantRoutes } from './routes/tenants.ts';

export interface AdminDependencies extends HttpDependencies, IdentityDependencies, FleetRouteDependencies {}

/** All routes of operators. */
export function adminRoutes(dependencies: IdentityDependencies & FleetRouteDependencies): readonly Route[] {
  return [...tenantRoutes(dependencies), ...fleetRoutes(dependencies)];
}

/** The function that serves operators: apart from the other, so that it can have its own role and throttle. */
export function makeAdminHandler(dependencies: AdminDependencies) {
  return makeHttpHandler(adminRoutes(dependencies), dependencies);
}
