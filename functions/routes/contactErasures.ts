import { z } from 'zod';
import { erasedKinds, MOST_JOBS, type ErasureJob } from '../../shared/archive/archiveJob.ts';
import { newErasure } from '../../shared/archive/newExport.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import { makeId, parseId, timeOfId, type ExportId, type TenantId } from '../../shared/kernel/id.ts';
import { retentionSeconds } from '../../shared/platform/expiry.ts';
import { route, type Route } from '../http/route.ts';
import { personAddress } from './contacts.ts';
import { checkRoom, type ExportRouteDependencies } from './exports.ts';
import { limitSchema, pageOf, toPage } from './views.ts';

const PATH = '/v1/contact-erasures';
const at = z.iso.datetime();

const viewSchema = z
  .object({
    id: z.string(),
    state: z.enum(['running', 'done']),
    contact: z.string().meta({
      description:
        'The person as you wrote them; when it is done only the beginning and the end of that, as the rest is erased, too.',
    }),
    connections: z.number().int().meta({ description: 'The connections that were looked through.' }),
    removed: z
      .partialRecord(z.enum(erasedKinds), z.number().int())
      .meta({ description: 'How much was removed, by what it was.' }),
    unfinished: z.number().int().meta({
      description: 'Messages to the person that had not ended, and stay: cancel them, and erase once more.',
    }),
    stays: z
      .object({
        eventsUntil: at.meta({
          description: "Events that name the person are in the log until then, and in nobody's hands after it.",
        }),
        filesUntil: at.meta({ description: 'What is known of erased files, such as their names, is kept until then.' }),
        exports: z.array(z.string()).meta({
          description: 'Exports that began before it was over, and are kept: delete those that name the person.',
        }),
      })
      .meta({ description: 'What is not removed at once.' }),
    createdAt: at,
    endedAt: at.optional(),
  })
  .meta({ id: 'ContactErasure' });

const EXAMPLE = {
  id: 'ers_01K3C5M7P9R1T3V5X7Z9B1D3F5',
  state: 'done',
  contact: '491…89@s.whatsapp.net',
  connections: 3,
  removed: { messages: 214, versions: 3, files: 12, chats: 2, contacts: 2, numbers: 2 },
  unfinished: 0,
  stays: { eventsUntil: '2026-12-28T20:00:00.000Z', filesUntil: '2027-02-26T20:00:00.000Z', exports: [] },
  createdAt: '2026-11-28T20:00:00.000Z',
  endedAt: '2026-11-28T20:00:12.000Z',
} as const;
const BEGUN = {
  id: EXAMPLE.id,
  state: 'running',
  contact: '4915123456789@s.whatsapp.net',
  connections: 0,
  removed: {},
  unfinished: 0,
  stays: EXAMPLE.stays,
  createdAt: EXAMPLE.createdAt,
} as const;

/** The routes by which a person is erased on all connections of a tenant, each time with a receipt. */
export function contactErasureRoutes(dependencies: ExportRouteDependencies): readonly Route[] {
  const { archiveJobs: jobs, clock, random } = dependencies;
  const show = async (...shown: readonly ErasureJob[]) => {
    const [first] = shown;
    const exports = first === undefined ? [] : await keptExports(jobs, first.tenantId);
    return shown.map((job) => toView(job, exports));
  };
  return [
    route('POST', PATH, {
      summary: 'Erase a person on all your connections: their chats, what they wrote in groups, their files and names',
      description:
        'It begins within a minute, and cannot be undone. Nothing is deleted on phones, nor at the person: it is what is kept here. A message that comes later begins anew. `contact.erased` tells the end.',
      body: z
        .strictObject({ contact: personAddress })
        .meta({ id: 'ContactErasureRequest', example: { contact: '+4915123456789' } }),
      problems: ['archive_busy'],
      answers: { status: 202, schema: viewSchema, example: BEGUN },
      handle: async ({ tenantId, body: { contact }, correlationId }) => {
        await checkRoom(jobs, tenantId, 'erasure');
        const nowMs = clock.nowMs();
        const job = newErasure({ tenantId, erasureId: makeId('ers', nowMs, random), correlationId, contact }, nowMs);
        if ((await jobs.create(job)) === 'there') throw new AppError('store_unavailable');
        return { status: 202, json: (await show(job))[0] };
      },
    }),
    route('GET', PATH, {
      summary: 'List erasures of persons, newest first',
      query: z.strictObject({ before: z.string().optional(), limit: limitSchema }),
      answers: { status: 200, schema: pageOf(viewSchema), example: { data: [EXAMPLE], hasMore: false } },
      handle: async ({ tenantId, query }) => {
        const before = query.before === undefined ? undefined : parseId('ers', query.before);
        if (query.before !== undefined && before === undefined) throw new AppError('invalid_cursor');
        const page = await jobs.list(tenantId, 'erasure', { before, limit: query.limit });
        return { status: 200, json: toPage(await show(...page.jobs), page.next) };
      },
    }),
    route('GET', `${PATH}/{erasureId}`, {
      summary: 'Read how far an erasure is; when it is done, this is the receipt',
      answers: { status: 200, schema: viewSchema, example: EXAMPLE },
      handle: async ({ tenantId, parameters }) => {
        const erasureId = parseId('ers', parameters['erasureId'] ?? '');
        const job = erasureId && (await jobs.find(tenantId, erasureId));
        if (job?.kind !== 'erasure') throw new AppError('erasure_not_found');
        return { status: 200, json: (await show(job))[0] };
      },
    }),
  ];
}

function toView(job: ErasureJob, exports: readonly ExportId[]) {
  const { jobId, state, contact, connections, removed, unfinished, createdAtMs, endedAtMs } = job;
  const until = (seconds: number): string => toTime((endedAtMs ?? createdAtMs) + seconds * 1_000);
  return {
    id: jobId,
    state,
    contact,
    connections,
    removed: { ...removed },
    unfinished,
    stays: {
      eventsUntil: until(retentionSeconds.event),
      filesUntil: until(retentionSeconds.message),
      // Exports that began before it was over may name the person.
      exports: exports.filter((id) => timeOfId(id) < (endedAtMs ?? Infinity)),
    },
    createdAt: toTime(createdAtMs),
    ...(endedAtMs === undefined ? {} : { endedAt: toTime(endedAtMs) }),
  };
}

async function keptExports(
  jobs: ExportRouteDependencies['archiveJobs'],
  tenantId: TenantId,
): Promise<readonly ExportId[]> {
  const { jobs: kept } = await jobs.list(tenantId, 'export', { before: undefined, limit: MOST_JOBS });
  return kept.map(({ jobId }) => jobId);
}

function toTime(ms: number): string {
  return new Date(ms).toISOString();
}
