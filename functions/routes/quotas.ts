import { z } from 'zod';
import { AppError } from '../../shared/kernel/appError.ts';
import { backoffMs } from '../../shared/kernel/backoff.ts';
import type { TenantId } from '../../shared/kernel/id.ts';
import {
  planName,
  quotaNumbers,
  quotasOf,
  USUAL_PLAN,
  type Plans,
  type QuotaTerms,
} from '../../shared/platform/planConfig.ts';
import { quotaNames, usualQuotas, type QuotaChoices, type QuotaName } from '../../shared/platform/quotaRows.ts';
import type { QuotaBook, StoredTerms } from '../../shared/quota/quotaBook.ts';
import { route, type Answer, type Route } from '../http/route.ts';
import { changeableTenantOf, tenantOf } from './tenantView.ts';
import type { IdentityDependencies } from '../../shared/identity/apiKey.ts';

export interface QuotaRouteDependencies extends IdentityDependencies {
  readonly quotaBook: Pick<QuotaBook, 'find' | 'read' | 'write'>;
  readonly plans: Plans;
}

/** How often a change is written anew after another one came between; a change with the ETag of before is refused then. */
const TRIES = 16;
const RETRY_DELAY = { firstMs: 5, capMs: 200 } as const;

const numberOf = (name: QuotaName) => quotaNumbers[name];
const quotasSchema = z
  .object(Object.fromEntries(quotaNames.map((name) => [name, numberOf(name)])))
  .meta({ id: 'Quotas', description: 'The most of each. Rates hold for the time that docs/limits.md names.' });
const ownSchema = z.object(Object.fromEntries(quotaNames.map((name) => [name, numberOf(name).optional()])));
const termsViewSchema = z
  .object({
    plan: z.string().meta({ description: 'The plan whose numbers hold where the tenant has none of its own.' }),
    own: ownSchema.meta({ description: 'The numbers that are this tenant’s own.' }),
    quotas: quotasSchema,
  })
  .meta({ id: 'TenantQuotas' });
const changeSchema = z
  .strictObject({
    plan: planName.nullable().optional(),
    ...Object.fromEntries(quotaNames.map((name) => [name, numberOf(name).nullable().optional()])),
  })
  .refine((change) => Object.keys(change).length > 0, { error: 'names nothing to change' })
  .meta({
    id: 'QuotaChange',
    description: 'What is left out stays; null gives a number back to the plan, or the tenant to the usual plan.',
    example: { plan: 'standard', messagesPerDay: 5_000, actions: null },
  });

const viewExample = {
  plan: USUAL_PLAN,
  own: { messagesPerDay: 5_000 },
  quotas: { ...usualQuotas, messagesPerDay: 5_000 },
};

/** The routes by which operators read and change what a tenant may have and do. */
export function quotaRoutes(dependencies: QuotaRouteDependencies): readonly Route[] {
  const { quotaBook, plans, clock, random } = dependencies;
  const answer = (terms: StoredTerms): Answer => ({
    status: 200,
    headers: { etag: etagOf(terms) },
    json: {
      plan: terms.plan ?? USUAL_PLAN,
      own: terms.own,
      quotas: quotasOf(plans, terms),
    },
  });
  const read = async (tenantId: TenantId): Promise<Answer> => answer(await quotaBook.read(tenantId));
  return [
    route('GET', '/v1/admin/tenants/{tenantId}/quotas', {
      summary: 'Read what a tenant may have and do',
      access: 'operator',
      answers: { status: 200, schema: termsViewSchema, example: viewExample },
      handle: async ({ parameters }) => read((await tenantOf(dependencies, parameters['tenantId'])).tenantId),
    }),
    route('PATCH', '/v1/admin/tenants/{tenantId}/quotas', {
      summary: 'Choose the plan of a tenant, and numbers of its own',
      description:
        'It acts within half a minute everywhere. What the tenant has beyond a smaller number stays; it gets no more. With `If-Match` only while nothing else has changed.',
      access: 'operator',
      body: changeSchema,
      headers: ['if-match'],
      problems: ['tenant_being_deleted', 'quotas_changed'],
      answers: { status: 200, schema: termsViewSchema, example: viewExample },
      handle: async ({ parameters, body, headers }) => {
        const { tenantId } = await changeableTenantOf(dependencies, parameters['tenantId']);
        const match = headers['if-match'];
        for (let tries = 0; tries < TRIES; tries += 1) {
          const seen = await quotaBook.read(tenantId);
          if (match !== undefined && match !== '*' && match !== etagOf(seen)) throw new AppError('quotas_changed');
          const next = changedTerms(plans, seen, body);
          const outcome = await quotaBook.write(tenantId, next, seen.version);
          if (outcome === 'written') return answer({ ...next, version: seen.version + 1 });
          await clock.sleep(backoffMs(RETRY_DELAY, tries, random.unit()));
        }
        throw new AppError('quotas_changed');
      },
    }),
  ];
}

/** The route by which a tenant reads what it may have and do. */
export function ownQuotaRoutes({
  quotaBook,
  plans,
}: Pick<QuotaRouteDependencies, 'quotaBook' | 'plans'>): readonly Route[] {
  return [
    route('GET', '/v1/quotas', {
      summary: 'Read what you may have and do',
      answers: { status: 200, schema: quotasSchema, example: usualQuotas },
      handle: async ({ tenantId }) => ({ status: 200, json: quotasOf(plans, await quotaBook.read(tenantId)) }),
    }),
  ];
}

function etagOf({ version }: StoredTerms): string {
  return `"${version}"`;
}

/** The terms after a change. Throws `invalid_request` for a plan that is not configured. */
function changedTerms(plans: Plans, seen: StoredTerms, change: z.infer<typeof changeSchema>): QuotaTerms {
  const { plan, ...numbers } = change as { readonly plan?: string | null } & Readonly<
    Partial<Record<QuotaName, number | null>>
  >;
  if (plan !== undefined && plan !== null && plan !== USUAL_PLAN && !Object.hasOwn(plans, plan)) {
    const known = [...new Set([USUAL_PLAN, ...Object.keys(plans)])].join(', ');
    throw new AppError('invalid_request', { fields: [{ field: 'plan', problem: `must be one of ${known}` }] });
  }
  const own = quotaNames.flatMap((name): readonly (readonly [QuotaName, number])[] => {
    const chosen = numbers[name] === undefined ? seen.own[name] : numbers[name];
    return chosen === undefined || chosen === null ? [] : [[name, chosen]];
  });
  return { plan: plan === undefined ? seen.plan : (plan ?? undefined), own: Object.fromEntries(own) as QuotaChoices };
}
