import type { IdentityDependencies } from '../shared/identity/apiKey.ts';
import { makeHttpHandler, type HttpDependencies } from './http.ts';
import { tenantRoutes } from './routes/tenants.ts';

export interface AdminDependencies extends HttpDependencies, IdentityDependencies {}

/** The function that serves operators: apart from the other, so that it can have its own role and throttle. */
export function makeAdminHandler(dependencies: AdminDependencies) {
  return makeHttpHandler(tenantRoutes(dependencies), dependencies);
}
