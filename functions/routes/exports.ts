import { z } from 'zod';
import type { ArchiveJobs } from '../../shared/archive/archiveJobs.ts';
import {
  MOST_JOBS,
  MOST_KEPT_DAYS,
  MOST_UNDER_WAY,
  USUAL_KEPT_DAYS,
  type ExportJob,
} from '../../shared/archive/archiveJob.ts';
import { exportObjectKey, isExportFileName, MANIFEST, type ExportFiles } from '../../shared/archive/exportFiles.ts';
import { exportViewSchema, toExportView } from '../../shared/archive/exportView.ts';
import { newExport } from '../../shared/archive/newExport.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import { makeId, parseId, type ConnectionId, type TenantId } from '../../shared/kernel/id.ts';
import type { ObjectAddresses } from '../../shared/media/objectStore.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { route, type Request, type Route } from '../http/route.ts';
import { addressesOf, chatAddress, type ChatRouteDependencies } from './chats.ts';
import { findConnection } from './connections.ts';
import { personAddress } from './contacts.ts';
import { limitSchema, pageOf, toPage } from './views.ts';

export interface ExportRouteDependencies
  extends Pick<ChatRouteDependencies, 'connections' | 'chats' | 'contacts'>, Pick<Surroundings, 'clock' | 'random'> {
  readonly archiveJobs: ArchiveJobs;
  readonly exportFiles: Pick<ExportFiles, 'find'>;
  readonly addresses: ObjectAddresses;
}

/** How long an address of a file holds, in seconds. */
const ADDRESS_SECONDS = 300;

const time = (description: string) =>
  z.iso
    .datetime({ offset: true })
    .transform((text) => Date.parse(text))
    .optional()
    .meta({ description });

export const keptDaysSchema = z.number().int().min(1).max(MOST_KEPT_DAYS).default(USUAL_KEPT_DAYS).meta({
  description: 'For how many days its files can be fetched after its end.',
});
const askedSchema = z
  .strictObject({
    connectionId: z.string().optional().meta({ description: 'One connection; all of yours where it is left out.' }),
    chat: chatAddress.optional().meta({
      description: 'One chat of the connection: a phone number, or the address of a person, a group or a channel.',
    }),
    contact: personAddress.optional().meta({
      description:
        'One person: their chats, and what they wrote in groups, under every address that any of your connections knows.',
      example: '+4915123456789',
    }),
    from: time('Messages from this time on, as messages say it in `createdAt`.'),
    until: time('Messages before this time.'),
    media: z
      .boolean()
      .default(false)
      .meta({ description: 'Whether the files of the messages are copied, as far as they are here.' }),
    keptDays: keptDaysSchema,
  })
  .refine(({ chat, connectionId }) => chat === undefined || connectionId !== undefined, {
    path: ['connectionId'],
    error: 'is needed beside chat: a chat is that of one connection',
  })
  .refine(({ chat, contact }) => chat === undefined || contact === undefined, {
    path: ['contact'],
    error: 'stands in place of chat: name one of them',
  })
  .refine(({ from, until }) => !(Number(from) >= Number(until)), { path: ['until'], error: 'must be after from' })
  .meta({ id: 'ExportRequest', example: { contact: '+4915123456789', media: true } });

const EXAMPLE = {
  id: 'exp_01K3C5M7P9R1T3V5X7Z9B1D3F5',
  state: 'done',
  asked: { media: false },
  counts: { connection: 3, message: 50_000, version: 112, chat: 500, contact: 498, number: 431 },
  parts: 13,
  bytes: 9_482_113,
  createdAt: '2026-11-28T20:00:00.000Z',
  endedAt: '2026-11-28T20:00:41.000Z',
  keptUntil: '2026-12-05T20:00:41.000Z',
  manifest: { path: '/v1/exports/exp_01K3C5M7P9R1T3V5X7Z9B1D3F5/files/manifest.json', sha256: 'a'.repeat(64) },
} as const;
const RUNNING = {
  id: EXAMPLE.id,
  state: 'running',
  asked: EXAMPLE.asked,
  counts: {},
  parts: 0,
  bytes: 0,
  createdAt: EXAMPLE.createdAt,
} as const;

/** The routes of exports: conversations as files. */
export function exportRoutes(dependencies: ExportRouteDependencies): readonly Route[] {
  const { archiveJobs: jobs } = dependencies;
  const find = ({ tenantId, parameters }: Pick<Request<unknown, unknown>, 'tenantId' | 'parameters'>) =>
    findExport(jobs, tenantId, parameters['exportId']);
  return [
    askingRoute(dependencies),
    route('GET', '/v1/exports', {
      summary: 'List exports, newest first',
      query: z.strictObject({ before: z.string().optional(), limit: limitSchema }),
      answers: { status: 200, schema: pageOf(exportViewSchema), example: { data: [EXAMPLE], hasMore: false } },
      handle: async ({ tenantId, query }) => {
        const before = query.before === undefined ? undefined : parseId('exp', query.before);
        if (query.before !== undefined && before === undefined) throw new AppError('invalid_cursor');
        const page = await jobs.list(tenantId, 'export', { before, limit: query.limit });
        return { status: 200, json: toPage(page.jobs.map(toExportView), page.next) };
      },
    }),
    route('GET', '/v1/exports/{exportId}', {
      summary: 'Read how far an export is',
      answers: { status: 200, schema: exportViewSchema, example: EXAMPLE },
      handle: async (request) => ({ status: 200, json: toExportView(await find(request)) }),
    }),
    fileRoute(dependencies),
    route('DELETE', '/v1/exports/{exportId}', {
      summary: 'Delete an export, or end one that is under way: its files are removed within minutes',
      answers: { status: 202, schema: exportViewSchema, example: { ...EXAMPLE, state: 'deleting' } },
      handle: async (request) => ({ status: 202, json: toExportView(await remove(dependencies, request)) }),
    }),
  ];
}

function askingRoute(dependencies: ExportRouteDependencies): Route {
  const { archiveJobs: jobs, clock, random } = dependencies;
  return route('POST', '/v1/exports', {
    summary: 'Have conversations written to files: JSON Lines, packed by gzip',
    description:
      'Messages with their edits and receipts, chats and people of one connection or all. It begins within a minute; `export.done` tells its end. Whoever reads an export reads all of that, so a key needs `exports:write` and no other scope.',
    body: askedSchema,
    problems: ['connection_not_found', 'archive_busy'],
    answers: { status: 202, schema: exportViewSchema, example: RUNNING },
    handle: async ({ tenantId, body, correlationId }) => {
      const { keptDays, from: fromMs, until: untilMs, chat, contact, media } = body;
      const connectionId = await connectionAsked(dependencies, tenantId, body.connectionId);
      await checkRoom(jobs, tenantId, 'export');
      const nowMs = clock.nowMs();
      const names =
        chat !== undefined && connectionId !== undefined
          ? await addressesOf(dependencies, { connectionId }, chat)
          : contact === undefined
            ? undefined
            : [contact];
      const asked = { connectionId, chat, contact, fromMs, untilMs, media };
      const exportId = makeId('exp', nowMs, random);
      const job = newExport({ tenantId, exportId, correlationId, asked, names, keptDays }, nowMs);
      if ((await jobs.create(job)) === 'there') throw new AppError('store_unavailable');
      return { status: 202, json: toExportView(job) };
    },
  });
}

/** The route by which a file of an export is fetched. */
function fileRoute({ archiveJobs: jobs, exportFiles: files, addresses }: ExportRouteDependencies): Route {
  return route('GET', '/v1/exports/{exportId}/files/{name}', {
    summary: 'Get a file of an export: leads to an address that needs no key and ends after five minutes',
    description:
      '`manifest.json` names the parts, each with its hash; lines of the kind `file` name the copies of files.',
    problems: ['export_file_not_found'],
    answers: { status: 302 },
    handle: async ({ tenantId, parameters }) => {
      const job = await findExport(jobs, tenantId, parameters['exportId']);
      if (job.state !== 'done') throw new AppError('export_file_not_found');
      const { name = '' } = parameters;
      const isThere = isExportFileName(name) && (await files.find(job, name)) !== undefined;
      if (!isThere) throw new AppError('export_file_not_found');
      const contentType = name === MANIFEST ? 'text/plain' : 'application/gzip';
      const offer = { filename: name, contentType, shownInline: false, endsAfterSeconds: ADDRESS_SECONDS };
      const location = await addresses.addressOf(exportObjectKey(job, name), offer);
      return { status: 302, headers: { location, 'cache-control': 'no-store' } };
    },
  });
}

/** How often a deletion is tried again that met somebody who worked the export at that moment. */
const TRIES = 5;

async function remove(
  { archiveJobs: jobs, clock }: ExportRouteDependencies,
  { tenantId, parameters }: Pick<Request<unknown, unknown>, 'tenantId' | 'parameters'>,
): Promise<ExportJob> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const job = await findExport(jobs, tenantId, parameters['exportId']);
    if (job.state === 'deleting') return job;
    const changed = await jobs.change(job, { state: 'deleting', dueAtMs: clock.nowMs() });
    if (changed !== 'changed') return changed;
  }
  throw new AppError('store_unavailable', { retryAfterSeconds: 1 });
}

async function findExport(jobs: Pick<ArchiveJobs, 'find'>, tenantId: TenantId, parameter = ''): Promise<ExportJob> {
  const exportId = parseId('exp', parameter);
  const job = exportId && (await jobs.find(tenantId, exportId));
  if (job?.kind !== 'export') throw new AppError('export_not_found');
  return job;
}

/** The connection that a body names. Throws `connection_not_found`. */
export async function connectionAsked(
  { connections }: Pick<ExportRouteDependencies, 'connections'>,
  tenantId: TenantId,
  named: string | undefined,
): Promise<ConnectionId | undefined> {
  return named === undefined ? undefined : (await findConnection(connections, tenantId, named)).connectionId;
}

/** Throws `archive_busy` where a tenant has as many under way, or kept, as it may. */
export async function checkRoom(
  jobs: Pick<ArchiveJobs, 'list'>,
  tenantId: TenantId,
  kind: 'export' | 'erasure',
): Promise<void> {
  const { jobs: kept } = await jobs.list(tenantId, kind, { before: undefined, limit: MOST_JOBS });
  const underWay = kept.filter(({ state }) => state === 'running').length;
  if (underWay >= MOST_UNDER_WAY || kept.length >= MOST_JOBS)
    throw new AppError('archive_busy', { retryAfterSeconds: 60 });
}
