import type { ArchiveJobs } from '../../shared/archive/archiveJobs.ts';
import { scheduleTimes, type ScheduleJob } from '../../shared/archive/archiveJob.ts';
import { newExport, nextTime } from '../../shared/archive/newExport.ts';
import { makeId } from '../../shared/kernel/id.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';

export interface ScheduleDependencies extends Pick<Surroundings, 'clock' | 'random'> {
  readonly jobs: Pick<ArchiveJobs, 'change' | 'find' | 'writesOf'>;
}

const DAY_MS = 86_400_000;

/**
 * Makes the export that a schedule has due, and moves the schedule on, in one write: whoever dies makes neither or both, and of two at once one makes it.
 * Where the one before is still under way, none is made; times that passed while nothing ran are made up for by one.
 */
export async function workSchedule(
  { jobs, clock, random }: ScheduleDependencies,
  schedule: ScheduleJob,
): Promise<ScheduleJob | 'changed'> {
  const { tenantId, dueAtMs, every, days, connectionId, media, keptDays, lastExportId } = schedule;
  const nowMs = clock.nowMs();
  const next = nextTime(dueAtMs, scheduleTimes[every], nowMs);
  const last = lastExportId === undefined ? undefined : await jobs.find(tenantId, lastExportId);
  if (last?.kind === 'export' && last.state === 'running') return jobs.change(schedule, { dueAtMs: next });
  const made = newExport(
    {
      tenantId,
      exportId: makeId('exp', nowMs, random),
      correlationId: makeId('cor', nowMs, random),
      asked: { connectionId, media, ...(days === undefined ? {} : { fromMs: dueAtMs - days * DAY_MS }) },
      names: undefined,
      keptDays,
      isScheduled: true,
    },
    nowMs,
  );
  return jobs.change(schedule, { dueAtMs: next, lastExportId: made.jobId }, jobs.writesOf(made));
}
