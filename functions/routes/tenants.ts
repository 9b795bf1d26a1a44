import { z } from 'zod';
import { createTenantKey, type IdentityDependencies } from '../../shared/identity/apiKey.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import { parseId } from '../../shared/kernel/id.ts';
import { createTenant, findTenant } from '../../shared/tenant/tenant.ts';
import { route, type Route } from '../http/route.ts';

const name = z.string().trim().min(1).max(100);
const tenantViewSchema = z
  .object({ id: z.string(), name: z.string(), createdAt: z.iso.datetime() })
  .meta({ id: 'Tenant' });
const keyViewSchema = z
  .object({
    id: z.string(),
    tenantId: z.string(),
    label: z.string().optional(),
    secret: z.string().meta({ description: 'The API key itself. Shown this once; only its hash is stored.' }),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'ApiKey' });

/** The routes by which operators manage tenants and their keys. */
export function tenantRoutes(dependencies: IdentityDependencies): readonly Route[] {
  return [
    route('POST', '/v1/admin/tenants', {
      summary: 'Create a tenant',
      access: 'operator',
      body: z.strictObject({ name }).meta({ id: 'NewTenant' }),
      answers: { status: 201, schema: tenantViewSchema },
      handle: async ({ body }) => {
        const tenant = await createTenant(dependencies, body.name);
        const createdAt = new Date(tenant.createdAtMs).toISOString();
        return { status: 201, json: { id: tenant.tenantId, name: tenant.name, createdAt } };
      },
    }),
    route('POST', '/v1/admin/tenants/{tenantId}/api-keys', {
      summary: 'Create an API key of a tenant',
      access: 'operator',
      body: z.strictObject({ label: name.optional() }).meta({ id: 'NewApiKey' }),
      answers: { status: 201, schema: keyViewSchema },
      handle: async ({ parameters, body }) => {
        const tenantId = parseId('tnt', parameters['tenantId'] ?? '');
        const tenant = tenantId && (await findTenant(dependencies, tenantId));
        if (tenant === undefined) throw new AppError('tenant_not_found');
        const key = await createTenantKey(dependencies, tenant.tenantId, body.label);
        return {
          status: 201,
          json: {
            id: key.keyId,
            tenantId: tenant.tenantId,
            ...(body.label === undefined ? {} : { label: body.label }),
            secret: key.secret.reveal(),
            createdAt: new Date(key.createdAtMs).toISOString(),
          },
        };
      },
    }),
  ];
}
