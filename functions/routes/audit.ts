import { z } from 'zod';
import type { AuditEntry } from '../../shared/audit/auditEntry.ts';
import type { AuditTrails } from '../../shared/audit/auditTrail.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import { parseId } from '../../shared/kernel/id.ts';
import type { AuditOwner } from '../../shared/platform/auditKeys.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { route, type Answer, type Route } from '../http/route.ts';
import { limitSchema, pageOf, toPage } from './views.ts';

export interface AuditRouteDependencies extends Pick<Surroundings, 'clock'> {
  readonly audit: AuditTrails;
}

const fields = z.record(z.string(), z.unknown());
const entryViewSchema = z
  .object({
    id: z.string(),
    at: z.iso.datetime(),
    actor: z
      .object({
        role: z.enum(['tenant', 'operator', 'command_line']),
        keyId: z.string().optional(),
        address: z.string().optional(),
        by: z.string().optional(),
      })
      .meta({
        description:
          'Who asked for it. A tenant sees of an operator the role alone; `by` is the user at the command line.',
      }),
    action: z.string().meta({
      description: 'The method and the path as a template, or the command.',
      example: 'PATCH /v1/connections/{connectionId}',
    }),
    correlationId: z.string(),
    ids: z.record(z.string(), z.string()).optional().meta({ description: 'The ids in the path.' }),
    asked: fields.optional().meta({ description: 'What the request said. Secrets and content are never here.' }),
    before: fields.optional().meta({ description: 'The record as it was, read just before the change.' }),
    after: fields.optional().meta({ description: 'The record as it was answered.' }),
    outcome: z.enum(['done', 'refused', 'unknown']).meta({
      description:
        'unknown: the end was not written down, so it may or may not have been done. A request that is being worked is so, too.',
    }),
    httpStatus: z.number().int().optional(),
    code: z.string().optional().meta({ description: 'The code of the problem with which it was refused.' }),
  })
  .meta({ id: 'AuditEntry' });

const query = z.strictObject({
  before: z.string().optional(),
  limit: limitSchema,
  actor: z.string().max(64).optional().meta({ description: 'The id of the API key that asked.' }),
  action: z.string().max(256).optional().meta({ example: 'PATCH /v1/connections/{connectionId}' }),
  since: z.iso.datetime({ offset: true }).optional().meta({ description: 'From this time on.' }),
  until: z.iso.datetime({ offset: true }).optional().meta({ description: 'Before this time.' }),
});

const example = {
  data: [
    {
      id: 'aud_01K3C5F7XQ4T6V8X0Z2B4D6F8H',
      at: '2026-08-01T12:00:00.000Z',
      actor: { role: 'tenant', keyId: 'key_01K3C5F7XQ4T6V8X0Z2B4D6F8H', address: '203.0.113.7' },
      action: 'PATCH /v1/connections/{connectionId}',
      correlationId: 'cor_01K3C5F7XQ4T6V8X0Z2B4D6F8H',
      ids: { connectionId: 'con_01K3C5F7XQ4T6V8X0Z2B4D6F8H' },
      asked: { label: 'Till 3' },
      before: { label: 'Till', wanted: 'online' },
      after: { label: 'Till 3', wanted: 'online' },
      outcome: 'done',
      httpStatus: 200,
    },
  ],
  hasMore: false,
} as const;

const DESCRIPTION =
  'Every change that was asked for, also in vain, except what is a record itself: messages and files. Entries are kept for 400 days, and nobody can change or remove one.';

/** The route by which a tenant reads what was changed of its own. */
export function auditRoutes(dependencies: AuditRouteDependencies): readonly Route[] {
  return [
    route('GET', '/v1/audit', {
      summary: 'List what was changed, by whom and how, newest first',
      description: DESCRIPTION,
      query,
      answers: { status: 200, schema: pageOf(entryViewSchema), example },
      handle: ({ tenantId, query: asked }) => answerPage(dependencies, tenantId, asked, toTenantsView),
    }),
  ];
}

/** The route by which operators read what operators did, or what was changed of one tenant. */
export function operatorAuditRoutes(dependencies: AuditRouteDependencies): readonly Route[] {
  return [
    route('GET', '/v1/admin/audit', {
      summary: 'List what operators changed and read of tenants; with tenantId what was changed of that tenant',
      description: DESCRIPTION,
      access: 'operator',
      query: query.extend({ tenantId: z.string().max(64).optional() }),
      problems: ['tenant_not_found'],
      answers: { status: 200, schema: pageOf(entryViewSchema), example },
      handle: ({ query: { tenantId: text, ...asked } }) => {
        const tenantId = text === undefined ? undefined : parseId('tnt', text);
        if (text !== undefined && tenantId === undefined) throw new AppError('tenant_not_found');
        return answerPage(dependencies, tenantId ?? 'OPERATORS', asked, toView);
      },
    }),
  ];
}

async function answerPage(
  { audit, clock }: AuditRouteDependencies,
  owner: AuditOwner,
  { before: text, limit, actor, action, since, until }: z.infer<typeof query>,
  view: (entry: AuditEntry) => z.infer<typeof entryViewSchema>,
): Promise<Answer> {
  const before = text === undefined ? undefined : parseId('aud', text);
  if (text !== undefined && before === undefined) throw new AppError('invalid_cursor');
  const { entries, next } = await audit.list(
    owner,
    {
      keyId: actor,
      action,
      sinceMs: since === undefined ? undefined : Date.parse(since),
      untilMs: until === undefined ? undefined : Date.parse(until),
    },
    { before, limit, nowMs: clock.nowMs() },
  );
  return { status: 200, json: toPage(entries.map(view), next) };
}

function toView({ auditId, atMs, actor, action, correlationId, ids, asked, before, ended }: AuditEntry) {
  return {
    id: auditId as string,
    at: new Date(atMs).toISOString(),
    actor: { ...actor } as z.infer<typeof entryViewSchema>['actor'],
    action,
    correlationId: correlationId as string,
    ...(ids === undefined ? {} : { ids: { ...ids } }),
    ...(asked === undefined ? {} : { asked: { ...asked } }),
    ...(before === undefined ? {} : { before: { ...before } }),
    ...(ended?.after === undefined ? {} : { after: { ...ended.after } }),
    outcome: ended?.outcome ?? ('unknown' as const),
    ...(ended?.httpStatus === undefined ? {} : { httpStatus: ended.httpStatus }),
    ...(ended?.code === undefined ? {} : { code: ended.code }),
  };
}

/** The view for the tenant: of operators it says no more than that it was one. */
function toTenantsView(entry: AuditEntry): z.infer<typeof entryViewSchema> {
  const view = toView(entry);
  return entry.actor.role === 'tenant' ? view : { ...view, actor: { role: entry.actor.role } };
}
