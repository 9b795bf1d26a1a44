import { z } from 'zod';
import type { FleetTable } from '../../shared/fleet/fleetTable.ts';
import {
  rollBack,
  setVersion,
  VERSION_FORMAT,
  VETTED_VERSION,
  type VersionPlan,
} from '../../shared/fleet/whatsAppVersion.ts';
import { changeVersionPlan, readVersionPlan } from '../../shared/fleet/whatsAppVersionStore.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { route, type Route } from '../http/route.ts';
import { authorSchema } from './authorSchema.ts';

export interface VersionRouteDependencies extends Pick<Surroundings, 'clock' | 'logger'>, FleetTable {}

const version = z
  .string()
  .regex(VERSION_FORMAT, 'Use three numbers with dots, such as 2.3000.1043857760.')
  .meta({ example: VETTED_VERSION });
const by = authorSchema;

const planSchema = z
  .object({
    version: version.meta({
      description: 'The version with which connections present themselves, except the ones that use the candidate.',
    }),
    source: z.enum(['operator', 'release']).meta({
      description:
        'operator: named through this API. release: vetted in this release; a worker with WHATSAPP_VERSION uses that instead.',
    }),
    candidate: z.string().optional().meta({ description: 'A version that a share of the connections uses first.' }),
    canaryPercent: z.number().int().optional(),
    previous: z.string().optional().meta({ description: 'What a roll-back goes to when there is no candidate.' }),
    refused: z.array(z.string()).readonly().meta({
      description: 'WhatsApp refused these (405): nobody logs in with them until one of them is named again.',
    }),
    breaker: z.enum(['closed', 'open']).meta({ description: 'open: the version for all is refused.' }),
    changes: z.array(
      z.object({
        at: z.iso.datetime(),
        by: z.string(),
        kind: z.enum(['set', 'canary', 'rolled_back', 'refused']),
        version: z.string(),
      }),
    ),
  })
  .meta({ id: 'WhatsAppVersion' });

/** Routes by which operators choose the version of WhatsApp's client with which sockets present themselves. */
export function whatsAppVersionRoutes(dependencies: VersionRouteDependencies): readonly Route[] {
  const { clock, logger } = dependencies;
  const change = async (
    author: string,
    correlationId: string,
    decide: (plan: VersionPlan, by: { readonly by: string; readonly atMs: number }) => VersionPlan,
  ) => {
    const { plan } = await changeVersionPlan(dependencies, (seen) => decide(seen, { by: author, atMs: clock.nowMs() }));
    const { revision, current, candidate } = plan;
    logger.info('WhatsApp version changed', { revision, current, candidate: candidate?.version, correlationId });
    return { status: 200, json: toView(plan) };
  };
  return [
    route('GET', '/v1/admin/whatsapp-version', {
      summary: "Show with which version of WhatsApp's client sockets present themselves",
      access: 'operator',
      answers: { status: 200, schema: planSchema },
      handle: async () => ({ status: 200, json: toView(await readVersionPlan(dependencies)) }),
    }),
    route('PUT', '/v1/admin/whatsapp-version', {
      summary: 'Name the version for all (100 percent), or for a share of the connections first',
      access: 'operator',
      body: z.strictObject({ version, canaryPercent: z.number().int().min(1).max(100).default(100), by }),
      answers: { status: 200, schema: planSchema },
      handle: async ({ body, correlationId }) =>
        change(body.by, correlationId, (plan, author) => {
          const asked = { version: body.version, percent: body.canaryPercent };
          const next = setVersion(plan, asked, VETTED_VERSION, author);
          if (next !== 'already_current') return next;
          const problem = 'All connections use this version already, so it cannot be a canary.';
          throw new AppError('invalid_request', { fields: [{ field: 'version', problem }] });
        }),
    }),
    route('POST', '/v1/admin/whatsapp-version/roll-back', {
      summary: 'Take the candidate back, or else the last change of the version for all',
      access: 'operator',
      body: z.strictObject({ by }),
      problems: ['nothing_to_roll_back'],
      answers: { status: 200, schema: planSchema },
      handle: async ({ body, correlationId }) =>
        change(body.by, correlationId, (plan, author) => {
          const next = rollBack(plan, author);
          if (next === 'nothing_to_roll_back') throw new AppError(next);
          return next;
        }),
    }),
  ];
}

function toView(plan: VersionPlan): z.infer<typeof planSchema> {
  const inUse = plan.current ?? VETTED_VERSION;
  const hasPrevious = plan.current !== undefined || plan.previous !== undefined;
  return {
    version: inUse,
    source: plan.current === undefined ? 'release' : 'operator',
    ...(plan.candidate === undefined
      ? {}
      : { candidate: plan.candidate.version, canaryPercent: plan.candidate.percent }),
    ...(hasPrevious ? { previous: plan.previous ?? VETTED_VERSION } : {}),
    refused: plan.refused,
    breaker: plan.refused.includes(inUse) ? 'open' : 'closed',
    changes: plan.changes.map(({ atMs, version: changed = VETTED_VERSION, ...rest }) => ({
      at: new Date(atMs).toISOString(),
      ...rest,
      version: changed,
    })),
  };
}
