import { z } from 'zod';
import { deletionSteps } from '../../shared/archive/archiveJob.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import { isEnding, type TenantStanding } from '../../shared/identity/standing.ts';
import { parseId } from '../../shared/kernel/id.ts';
import { findTenant, type Tenant, type TenantDependencies } from '../../shared/tenant/tenant.ts';
import { backupsUntilMs } from '../../shared/tenant/tenantDeleted.ts';

const states = ['active', 'suspended', 'deleting', 'deleted'] as const;

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
    deletion: z
      .object({
        since: z.iso.datetime().meta({ description: 'When it was asked for.' }),
        step: z
          .string()
          .optional()
          .meta({
            description: Object.entries(deletionSteps)
              .map(([step, sentence]) => `\`${step}\`: ${sentence}`)
              .join(' '),
          }),
        left: z.number().int().optional().meta({ description: 'Connections or files that the step has still to do.' }),
        progressAt: z.iso.datetime().optional().meta({ description: 'When it last came further.' }),
        deletedAt: z.iso.datetime().optional(),
        removed: z
          .record(z.string(), z.number().int())
          .optional()
          .meta({ description: 'How much was removed so far, by what it was: rather too little than too much.' }),
        backupsUntil: z.iso.datetime().optional().meta({
          description: 'Until when copies of the tables hold what was removed, at the latest.',
        }),
      })
      .optional()
      .meta({ description: 'Of one that is `deleting` or `deleted`: how far that is.' }),
  })
  .meta({ id: 'Tenant' });

const timeOf = (atMs: number): string => new Date(atMs).toISOString();

export function toTenantView({ tenantId, name, createdAtMs, standing }: Tenant): z.infer<typeof tenantViewSchema> {
  const view = { id: tenantId, name, createdAt: timeOf(createdAtMs), state: standing.state };
  switch (standing.state) {
    case 'active':
      return view;
    case 'suspended':
      return { ...view, suspended: { reason: standing.reason, since: timeOf(standing.sinceMs) } };
    case 'deleting':
    case 'deleted':
      return { ...view, deletion: toDeletion(standing) };
    default:
      return standing satisfies never;
  }
}

function toDeletion(standing: Extract<TenantStanding, { readonly state: 'deleting' | 'deleted' }>) {
  const since = timeOf(standing.sinceMs);
  if (standing.state === 'deleted') {
    const { deletedAtMs, removed } = standing;
    const backupsUntil = timeOf(backupsUntilMs(standing));
    return { since, deletedAt: timeOf(deletedAtMs), removed: { ...removed }, backupsUntil };
  }
  if (standing.progress === undefined) return { since };
  const { step, left, atMs, removed } = standing.progress;
  const todo = left === undefined ? {} : { left };
  return { since, step, ...todo, progressAt: timeOf(atMs), removed: { ...removed } };
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

/** Finds one that may be changed. Throws `tenant_not_found`, and `tenant_being_deleted` for one that is being deleted, or was. */
export async function changeableTenantOf(
  dependencies: Pick<TenantDependencies, 'table' | 'stage'>,
  text: string | undefined,
): Promise<Tenant> {
  const tenant = await tenantOf(dependencies, text);
  if (isEnding(tenant.standing)) throw new AppError('tenant_being_deleted');
  return tenant;
}
