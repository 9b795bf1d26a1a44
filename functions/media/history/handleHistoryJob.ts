import type { SQSRecord } from 'aws-lambda';
import { TimeoutError, withDeadline } from '../../../shared/kernel/deadline.ts';
import { deadlines } from '../../../shared/kernel/deadlines.ts';
import { askForHistory, type HistoryJob } from '../../../shared/history/historyJob.ts';
import { historyCountNames, type HistoryFault, type NoticeInHand } from '../../../shared/history/historyNotice.ts';
import type { NoticeStore } from '../../../shared/history/noticeStore.ts';
import type { MediaQueue } from '../../../shared/media/mediaJob.ts';
import { mediaTimes } from '../../../shared/platform/queues.ts';
import type { Surroundings } from '../../../shared/platform/surroundings.ts';
import { SourceError } from '../fileSource.ts';
import { retrySeconds } from '../retrySchedule.ts';
import type { JobOutcome } from '../send/handleSendJob.ts';
import { HistoryFaultError } from './historyFault.ts';
import { importHistory, type ImportParts } from './importHistory.ts';
import { tellHistory } from './tellHistory.ts';

export interface HistoryJobDependencies
  extends Omit<ImportParts, 'notices'>, MediaQueue, Pick<Surroundings, 'clock' | 'random' | 'logger' | 'metrics'> {
  readonly notices: Pick<NoticeStore, 'find' | 'advance' | 'end' | 'list'>;
}

/**
 * Takes in a part of a history that the phone has told of. Its row says how far that has come, and is written before anything is told of it.
 *
 * - *The function dies here*: the job comes again and goes on behind the last chat that was done.
 * - *It happens twice*: the second finds it done, or is refused when it writes down how far it has come.
 * - *It takes longer than a run may*: it goes on with a job of its own.
 */
export async function handleHistoryJob(
  dependencies: HistoryJobDependencies,
  job: HistoryJob,
  record: SQSRecord,
): Promise<JobOutcome> {
  const { notices, clock, random, logger } = dependencies;
  const { tenantId, connectionId, noticeId } = job;
  const notice = await notices.find(connectionId, noticeId, clock.nowMs());
  if (notice === undefined || notice.tenantId !== tenantId) return 'done';
  if (notice.state !== 'waiting') {
    // The process that ended it may have died before anybody was told.
    await tellHistory(dependencies, notice);
    return 'done';
  }
  const tries = Number(record.attributes.ApproximateReceiveCount);
  const startedMs = clock.monotonicMs();
  const isLate = (): boolean => clock.monotonicMs() - startedMs > deadlines.historyRun.ms;
  try {
    const imported = await withDeadline(
      'taking in a history',
      deadlines.mediaFetch.ms,
      (signal) => importHistory(dependencies, notice, { signal, isLate }),
      clock,
    );
    if (imported === 'more') await askForHistory(dependencies, { tenantId, connectionId, noticeId });
    if (imported === 'done') await endNotice(dependencies, notice, undefined);
    return 'done';
  } catch (error) {
    if (error instanceof HistoryFaultError) {
      logger.warn('a part of a history cannot be taken in', { tenantId, connectionId, noticeId, error });
      await endNotice(dependencies, notice, error.fault);
      return 'done';
    }
    if (!(error instanceof SourceError) && !(error instanceof TimeoutError)) throw error;
    if (tries < mediaTimes.tries) return { hiddenForSeconds: retrySeconds(tries, random.unit()) };
    await endNotice(dependencies, notice, 'unreachable');
    return 'done';
  }
}

async function endNotice(
  dependencies: HistoryJobDependencies,
  { connectionId, noticeId }: NoticeInHand,
  fault: HistoryFault | undefined,
): Promise<void> {
  const { notices, clock, metrics, logger } = dependencies;
  const atMs = clock.nowMs();
  const now = await notices.find(connectionId, noticeId, atMs);
  if (now === undefined || !(await notices.end(now, { atMs, ...(fault === undefined ? {} : { fault }) }))) return;
  const { tenantId, type, chunk, counts } = now;
  metrics.count('HistoryParts', { outcome: fault === undefined ? 'done' : 'failed' });
  for (const outcome of historyCountNames) {
    if (counts[outcome] > 0) metrics.count('HistoryMessages', { outcome }, counts[outcome]);
  }
  logger.info('a part of a history is taken in', { tenantId, connectionId, noticeId, type, chunk, fault, ...counts });
  await tellHistory(dependencies, { ...now, endedAtMs: atMs, ...(fault === undefined ? {} : { fault }) });
}
