import { z } from 'zod';
import { ArchiveJobs } from '../../shared/archive/archiveJobs.ts';
import { newDeletion } from '../../shared/archive/newDeletion.ts';
import { isEnding } from '../../shared/identity/standing.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import type { CorrelationId } from '../../shared/kernel/id.ts';
import type { Tenant } from '../../shared/tenant/tenant.ts';
import { beginDeletion, type TenantWork } from '../../shared/tenant/tenantWork.ts';
import { route, type Route } from '../http/route.ts';
import { workTenantAtOnce, type TenantStandingDependencies } from './tenantStanding.ts';
import { tenantOf, tenantViewSchema, toTenantView } from './tenantView.ts';

const shown = {
  id: 'tnt_01K3C5F7XQ4T6V8X0Z2B4D6F8H',
  name: 'Acme',
  createdAt: '2026-07-01T08:00:00.000Z',
} as const;
const deleting = {
  ...shown,
  state: 'deleting',
  deletion: {
    since: '2026-09-01T12:00:00.000Z',
    step: 'connections',
    left: 3,
    progressAt: '2026-09-01T12:00:04.000Z',
    removed: {},
  },
} as const;
const deleted = {
  ...shown,
  state: 'deleted',
  deletion: {
    since: '2026-09-01T12:00:00.000Z',
    deletedAt: '2026-09-01T12:17:00.000Z',
    removed: { connections: 3, messages: 48_211, chats: 1_204, contacts: 1_180, files: 902, webhooks: 2, keys: 3 },
    backupsUntil: '2026-10-06T12:17:00.000Z',
  },
} as const;

/** The routes by which operators read a tenant, and delete it. */
export function tenantDeletionRoutes(dependencies: TenantStandingDependencies): readonly Route[] {
  return [
    route('GET', '/v1/admin/tenants/{tenantId}', {
      summary:
        'Read a tenant; of one that is being deleted also how far that is, and of one that was deleted the receipt',
      access: 'operator',
      answers: { status: 200, schema: tenantViewSchema, example: deleted },
      handle: async ({ parameters }) => ({
        status: 200,
        json: toTenantView(await tenantOf(dependencies, parameters['tenantId'])),
      }),
    }),
    route('DELETE', '/v1/admin/tenants/{tenantId}', {
      summary: 'Delete a tenant that is suspended, with all that it has. There is no way back',
      description:
        'Its connections are unlinked at WhatsApp; then conversations, files, webhooks, events, exports and keys are removed, within some twenty minutes where it has little. `GET` says how far that is, and at last what was removed. Asked for again, it answers how far it is.',
      access: 'operator',
      body: z
        .strictObject({
          confirm: z.string().max(100).meta({
            description: 'The name of the tenant, so that nobody deletes another one by mistake.',
            example: 'Acme',
          }),
        })
        .meta({ id: 'TenantDeletion', example: { confirm: 'Acme' } }),
      problems: ['tenant_not_suspended'],
      answers: { status: 202, schema: tenantViewSchema, example: deleting },
      handle: async ({ parameters, body, correlationId }) => {
        const tenant = await tenantOf(dependencies, parameters['tenantId']);
        if (body.confirm !== tenant.name) {
          throw new AppError('invalid_request', {
            fields: [{ field: 'confirm', problem: 'must be the name of the tenant, as GET shows it' }],
          });
        }
        if (!isEnding(tenant.standing)) await begin(dependencies, tenant, correlationId);
        return { status: 202, json: toTenantView(await tenantOf(dependencies, tenant.tenantId)) };
      },
    }),
  ];
}

/** Has a tenant deleted. Throws `tenant_not_suspended`. Whoever dies behind the first write leaves the rest to reconcile and archive. */
async function begin(
  dependencies: TenantStandingDependencies,
  { tenantId, standing }: Tenant,
  correlationId: CorrelationId,
): Promise<void> {
  if (standing.state !== 'suspended') throw new AppError('tenant_not_suspended');
  const sinceMs = dependencies.clock.nowMs();
  const work = { tenantId, work: 'delete', sinceMs, correlationId } as const satisfies TenantWork;
  const job = newDeletion(tenantId, correlationId, sinceMs);
  const begun = await beginDeletion(dependencies, work, new ArchiveJobs(dependencies).writesOf(job));
  // Somebody has resumed it at the same moment, or asked for the same.
  const now = begun === 'begun' ? undefined : (await tenantOf(dependencies, tenantId)).standing;
  if (now !== undefined && !isEnding(now)) throw new AppError('tenant_not_suspended');
  if (begun === 'begun') await workTenantAtOnce(dependencies, work);
}
