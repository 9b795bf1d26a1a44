import type { ArchiveJobs, DueJob } from '../../shared/archive/archiveJobs.ts';
import type { ArchiveJob } from '../../shared/archive/archiveJob.ts';
import { judgeFailure } from '../../shared/platform/judgeFailure.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { workDeletion, type DeletionDependencies } from './workDeletion.ts';
import { workErasure, type ErasureDependencies } from './workErasure.ts';
import { failExport, workExport, type ExportDependencies } from './workExport.ts';
import { workSchedule, type ScheduleDependencies } from './workSchedule.ts';

export interface ArchiveDependencies
  extends
    Omit<ExportDependencies, 'jobs'>,
    Omit<ErasureDependencies, 'jobs'>,
    Omit<DeletionDependencies, 'jobs' | 'files' | 'objects'>,
    Surroundings {
  readonly jobs: ExportDependencies['jobs'] & ScheduleDependencies['jobs'] & Pick<ArchiveJobs, 'listDue' | 'forget'>;
}

/** The time after which a run begins nothing new, in milliseconds, and a step ends: less than the function may take. */
const RUN_MS = 35_000;
const STEP_MS = 15_000;
/** The jobs that are worked in one run; what is due behind them comes next. */
const JOBS_A_RUN = 200;
/** The time without progress after which an export has failed, and after which a job is counted as one that stands still. */
const FAILED_AFTER_MS = 24 * 3_600_000;
const STUCK_AFTER_MS = 3_600_000;

/**
 * Archive, each minute: works what is due of exports, erasures of contacts, schedules and deletions of tenants, a step of each in turn, so that a large one does not hold up the
 * others. Each step writes down how far it came, on the condition that nobody else did.
 *
 * One that fails is left to the next run, and the others go on; the run throws only where it cannot say what is due. What stands still for an hour is counted
 * (`ArchiveStuck`). An export that has come no further for a day has failed; an erasure or a deletion never gives up.
 */
export function makeArchiveHandler(dependencies: ArchiveDependencies): () => Promise<void> {
  const { clock, jobs } = dependencies;
  return async () => {
    const endsAtMs = clock.monotonicMs() + RUN_MS;
    const hasTime = (): boolean => clock.monotonicMs() < endsAtMs;
    let waiting = await jobs.listDue(JOBS_A_RUN);
    while (waiting.length > 0 && hasTime()) {
      const next: DueJob[] = [];
      for (const due of waiting) {
        if (!hasTime()) break;
        if (await workSafely(dependencies, due, endsAtMs)) next.push(due);
      }
      waiting = next;
    }
  };
}

/** Works a job. Returns whether there is more to do of it now. */
async function workSafely(dependencies: ArchiveDependencies, due: DueJob, endsAtMs: number): Promise<boolean> {
  const { clock, logger, jobs } = dependencies;
  const { tenantId, jobId } = due;
  const job = await jobs.find(tenantId, jobId);
  if (job === undefined || job.dueAtMs !== due.dueAtMs) {
    await jobs.forget(due);
    return false;
  }
  const stepEndsAtMs = Math.min(endsAtMs, clock.monotonicMs() + STEP_MS);
  try {
    const worked = await workJob(dependencies, job, () => clock.monotonicMs() < stepEndsAtMs);
    return typeof worked === 'object' && worked.dueAtMs === due.dueAtMs;
  } catch (error) {
    logger.error('a step of an export, an erasure or a deletion failed and is tried again', { tenantId, jobId, error });
    await noteFailure(dependencies, job, error);
    return false;
  }
}

function workJob(
  dependencies: ArchiveDependencies,
  job: ArchiveJob,
  mayGoOn: () => boolean,
): Promise<ArchiveJob | 'changed' | 'ended'> {
  switch (job.kind) {
    case 'export':
      return workExport(dependencies, job, mayGoOn);
    case 'erasure':
      return workErasure(dependencies, job, mayGoOn);
    case 'schedule':
      return workSchedule(dependencies, job);
    case 'deletion':
      return workDeletion(dependencies, job, mayGoOn);
    default:
      return job satisfies never;
  }
}

async function noteFailure(dependencies: ArchiveDependencies, job: ArchiveJob, error: unknown): Promise<void> {
  const { clock, metrics } = dependencies;
  const stillForMs = clock.nowMs() - (job.kind === 'schedule' ? job.dueAtMs : job.progressAtMs);
  if (stillForMs >= STUCK_AFTER_MS) metrics.count('ArchiveStuck', {});
  if (job.kind !== 'export' || job.state !== 'running') return;
  if (stillForMs < FAILED_AFTER_MS && judgeFailure(error) === 'passing') return;
  await failExport(dependencies, job, 'not_possible').catch(() => undefined);
}
