import { z } from 'zod';
import { scheduleTimes, type ScheduleJob, type ScheduleTime } from '../../shared/archive/archiveJob.ts';
import { nextTime } from '../../shared/archive/newExport.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import type { TenantId } from '../../shared/kernel/id.ts';
import { route, type Route } from '../http/route.ts';
import { connectionAsked, keptDaysSchema, type ExportRouteDependencies } from './exports.ts';

const PATH = '/v1/export-schedule';
const times = Object.keys(scheduleTimes) as [ScheduleTime, ...ScheduleTime[]];

const fields = {
  every: z.enum(times),
  days: z.number().int().min(1).max(90).optional().meta({
    description:
      'Messages of how many days before the time of the export; all that are kept where it is left out. More than the time between two exports catches what came late.',
  }),
  connectionId: z.string().optional().meta({ description: 'One connection; all of yours where it is left out.' }),
} as const;
const bodySchema = z
  .strictObject({
    ...fields,
    media: z.boolean().default(false),
    keptDays: keptDaysSchema,
    startAt: z.iso
      .datetime({ offset: true })
      .transform((text) => Date.parse(text))
      .optional()
      .meta({
        description: 'The time of the first one, and the time of the day of each; at once where it is left out.',
      }),
  })
  .meta({ id: 'ExportScheduleRequest', example: { every: 'day', days: 3, keptDays: 30 } });
const viewSchema = z
  .object({
    ...fields,
    media: z.boolean(),
    keptDays: z.number().int(),
    nextAt: z.iso.datetime(),
    lastExportId: z.string().optional(),
  })
  .meta({ id: 'ExportSchedule' });
const EXAMPLE = {
  every: 'day',
  days: 3,
  media: false,
  keptDays: 30,
  nextAt: '2026-11-29T03:00:00.000Z',
  lastExportId: 'exp_01K3C5M7P9R1T3V5X7Z9B1D3F5',
} as const;

const NO_SCHEDULE = 'No exports are made by themselves. PUT /v1/export-schedule has them made.';
const YEAR_MS = 366 * 86_400_000;

/** The routes of the schedule by which exports are made. A tenant has one, or none. */
export function exportScheduleRoutes(dependencies: ExportRouteDependencies): readonly Route[] {
  const { archiveJobs: jobs, clock } = dependencies;
  return [
    route('GET', PATH, {
      summary: 'Read by which schedule exports are made',
      problems: ['export_not_found'],
      answers: { status: 200, schema: viewSchema, example: EXAMPLE },
      handle: async ({ tenantId }) => ({ status: 200, json: toView(await findSchedule(dependencies, tenantId)) }),
    }),
    route('PUT', PATH, {
      summary: 'Have exports made every day or every week',
      description:
        'In place of the schedule that there was. Each export is one of `GET /v1/exports`, and its end an event.',
      body: bodySchema,
      problems: ['connection_not_found'],
      answers: { status: 200, schema: viewSchema, example: EXAMPLE },
      handle: async ({ tenantId, body }) => {
        const nowMs = clock.nowMs();
        const { startAt = nowMs, connectionId: named, ...rest } = body;
        if (startAt > nowMs + YEAR_MS) {
          const fields = [{ field: 'startAt', problem: 'is more than a year ahead' }];
          throw new AppError('invalid_request', { fields });
        }
        const connectionId = await connectionAsked(dependencies, tenantId, named);
        // A time that has passed says at which time of the day, and of the week.
        const dueAtMs = startAt < nowMs ? nextTime(startAt, scheduleTimes[rest.every], nowMs) : startAt;
        const made = { ...rest, connectionId, dueAtMs };
        const schedule: ScheduleJob = { ...made, tenantId, kind: 'schedule', jobId: 'schedule', version: 1 };
        const before = await jobs.find(tenantId, 'schedule');
        const { lastExportId } = before?.kind === 'schedule' ? before : {};
        const set = { ...made, days: rest.days, lastExportId };
        const now = before?.kind === 'schedule' ? await jobs.change(before, set) : await jobs.create(schedule);
        if (typeof now === 'string') throw new AppError('store_unavailable', { retryAfterSeconds: 1 });
        return { status: 200, json: toView(now) };
      },
    }),
    route('DELETE', PATH, {
      summary: 'Have no more exports made by themselves; those that are there stay',
      problems: ['export_not_found'],
      answers: { status: 204 },
      handle: async ({ tenantId }) => {
        const before = await jobs.find(tenantId, 'schedule');
        if (before !== undefined && (await jobs.end(before)) === 'changed')
          throw new AppError('store_unavailable', { retryAfterSeconds: 1 });
        return { status: 204 };
      },
    }),
  ];
}

async function findSchedule(
  { archiveJobs: jobs }: Pick<ExportRouteDependencies, 'archiveJobs'>,
  tenantId: TenantId,
): Promise<ScheduleJob> {
  const found = await jobs.find(tenantId, 'schedule');
  if (found?.kind !== 'schedule') throw new AppError('export_not_found', { detail: NO_SCHEDULE });
  return found;
}

function toView({ every, days, connectionId, media, keptDays, dueAtMs, lastExportId }: ScheduleJob) {
  return {
    every,
    ...(days === undefined ? {} : { days }),
    ...(connectionId === undefined ? {} : { connectionId }),
    media,
    keptDays,
    nextAt: new Date(dueAtMs).toISOString(),
    ...(lastExportId === undefined ? {} : { lastExportId }),
  };
}
