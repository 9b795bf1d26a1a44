import { z } from 'zod';
import { ACTIVE, type OpenStanding } from '../../shared/identity/standing.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import type { CorrelationId } from '../../shared/kernel/id.ts';
import type { Tenant } from '../../shared/tenant/tenant.ts';
import { changeStanding, type TenantWork } from '../../shared/tenant/tenantWork.ts';
import { route, type Answer, type Route } from '../http/route.ts';
import { workTenant, type TenantWorkDependencies } from '../runtime/tenantWork.ts';
import { tenantOf, tenantViewSchema, toTenantView } from './tenantView.ts';

export type TenantStandingDependencies = Omit<TenantWorkDependencies, 'onLetGo'>;

/** How long a request itself looks after connections, in milliseconds: reconcile goes on with those that are left. */
const AT_ONCE_MS = 8_000;

const reason = z.string().trim().min(1).max(300).meta({
  description: 'A sentence that the callers of the tenant read in each answer.',
  example: 'The invoice of July is not paid.',
});
const example = {
  id: 'tnt_01K3C5F7XQ4T6V8X0Z2B4D6F8H',
  name: 'Acme',
  createdAt: '2026-07-01T08:00:00.000Z',
  state: 'active',
} as const;
const suspended = { reason: 'The invoice of July is not paid.', since: '2026-08-01T12:00:00.000Z' };

/** The routes by which operators suspend a tenant, and resume it. */
export function tenantStandingRoutes(dependencies: TenantStandingDependencies): readonly Route[] {
  const { clock } = dependencies;
  const change = async (
    { tenantId, ...tenant }: Tenant,
    standing: OpenStanding,
    correlationId: CorrelationId,
  ): Promise<Answer> => {
    const work = {
      tenantId,
      work: standing.state === 'active' ? 'resume' : 'suspend',
      sinceMs: clock.nowMs(),
    } as const;
    const asked: TenantWork = { ...work, correlationId };
    const outcome = await changeStanding(dependencies, standing, asked);
    if (outcome === 'missing') throw new AppError('tenant_not_found');
    if (outcome === 'ending') throw new AppError('tenant_being_deleted');
    await workTenantAtOnce(dependencies, asked);
    return { status: 200, json: toTenantView({ ...tenant, tenantId, standing }) };
  };
  return [
    route('POST', '/v1/admin/tenants/{tenantId}/suspend', {
      summary: 'Suspend a tenant: its connections go offline and its keys open nothing; its data is kept',
      description:
        'Within 30 seconds each request of the tenant is answered with 403 `tenant_suspended` and the reason, and its streams end. Its sockets close without being unlinked, within a minute; what is to be sent or delivered waits. To suspend one again changes the reason.',
      access: 'operator',
      body: z.strictObject({ reason }).meta({ id: 'Suspension' }),
      problems: ['tenant_being_deleted'],
      answers: { status: 200, schema: tenantViewSchema, example: { ...example, state: 'suspended', suspended } },
      handle: async ({ parameters, body, correlationId }) => {
        const tenant = await tenantOf(dependencies, parameters['tenantId']);
        const sinceMs = tenant.standing.state === 'suspended' ? tenant.standing.sinceMs : clock.nowMs();
        return change(tenant, { state: 'suspended', reason: body.reason, sinceMs }, correlationId);
      },
    }),
    route('POST', '/v1/admin/tenants/{tenantId}/resume', {
      summary: 'Resume a tenant: what was wanted online comes online again, and what waited goes out',
      access: 'operator',
      problems: ['tenant_being_deleted'],
      answers: { status: 200, schema: tenantViewSchema, example },
      handle: async ({ parameters, correlationId }) =>
        change(await tenantOf(dependencies, parameters['tenantId']), ACTIVE, correlationId),
    }),
  ];
}

/** Makes the first pass of a work. What it does not come to, or where it fails, is left to reconcile: the work is written down. */
export async function workTenantAtOnce(dependencies: TenantStandingDependencies, work: TenantWork): Promise<void> {
  const { clock, logger } = dependencies;
  const endsAtMs = clock.monotonicMs() + AT_ONCE_MS;
  await workTenant(dependencies, work, () => clock.monotonicMs() < endsAtMs).catch((error: unknown) => {
    const { tenantId, correlationId } = work;
    logger.warn('connections of a tenant are left to reconcile', { tenantId, correlationId, error });
  });
}
