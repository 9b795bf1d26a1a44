import { z } from 'zod';
import { AppError } from '../../shared/kernel/appError.ts';
import { parseId } from '../../shared/kernel/id.ts';
import { findTenant, type Tenant, type TenantDependencies } from '../../shared/tenant/tenant.ts';

const states = ['active', 'suspended'] as const;

export const tenantViewSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    createdAt: z.iso.datetime(),
    state: z.enum(states).meta({ description: 'The keys of one that is not `active` open nothing.' }),
    suspended: z
      .object({ reason: z.string(), since: z.iso.datetime() })
      .optional()
      .meta({ description: 'Why, as its callers read it, and since when.' }),
  })
  .meta({ id: 'Tenant' });

export function toTenantView({ tenantId, name, createdAtMs, standing }: Tenant): z.infer<typeof tenantViewSchema> {
  const createdAt = new Date(createdAtMs).toISOString();
  const view = { id: tenantId, name, createdAt, state: standing.state };
  if (standing.state === 'active') return view;
  return { ...view, suspended: { reason: standing.reason, since: new Date(standing.sinceMs).toISOString() } };
}

/** Finds a tenant for an operator. Throws `tenant_not_found`. */
export async function tenantOf(
  dependencies: Pick<TenantDependencies, 'table' | 'stage'>,
  text: string | undefined,
): Promise<Tenant> {
  const tenantId = parseId('tnt', text ?? '');
  const tenant = tenantId && (await findTenant(dependencies, tenantId));
  if (tenant === undefined) throw new AppError('tenant_not_found');
  return tenant;
}
