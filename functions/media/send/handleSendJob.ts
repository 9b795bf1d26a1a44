import type { SQSRecord } from 'aws-lambda';
import { enqueueCommand, type CommandQueue } from '../../../shared/message/command.ts';
import type { SendJob } from '../../../shared/media/sendJob.ts';
import type { UploadFault } from '../../../shared/media/uploadFaults.ts';
import { mediaTimes } from '../../../shared/platform/queues.ts';
import type { Surroundings } from '../../../shared/platform/surroundings.ts';
import { retrySeconds } from '../retrySchedule.ts';
import { sendFile, type SendFileDependencies, type Sent } from './sendFile.ts';

export interface SendJobDependencies
  extends Omit<SendFileDependencies, 'clock' | 'random'>, CommandQueue, Surroundings {}

/** The pauses of a job whose turn has not come, in seconds: somebody else is at work, and will soon be done. */
const SOON = [2, 3, 5, 10, 20, 30] as const;

/** The failures that nobody explains who brings a file: the others say what is wrong with that. */
const ours: ReadonlySet<UploadFault> = new Set<UploadFault>(['needs_ffmpeg', 'not_uploaded', 'refused']);

function countedAs(sent: Extract<Sent, { readonly sent: 'ended' }>): 'uploaded' | 'failed' | 'unfit' | 'needs_token' {
  if (sent.outcome === 'failed') return ours.has(sent.fault) ? 'failed' : 'unfit';
  return sent.outcome === 'nothing' ? 'unfit' : sent.outcome;
}

/** What becomes of the record of a job: it is over, or hidden for so many seconds. */
export type JobOutcome = 'done' | { readonly hiddenForSeconds: number };

/** Does one job, and tells the worker that asked for it, which looks at the row. It does no harm to tell twice. */
export async function handleSendJob(
  dependencies: SendJobDependencies,
  job: SendJob,
  record: SQSRecord,
): Promise<JobOutcome> {
  const { logger, metrics, clock, random } = dependencies;
  const tries = Number(record.attributes.ApproximateReceiveCount);
  const isLast = tries >= mediaTimes.tries;
  const startedMs = clock.monotonicMs();
  const sent = await sendFile(dependencies, job, { jobId: record.messageId, isLast });
  const { tenantId, connectionId, correlationId, mediaId, as } = job;
  const fields = { tenantId, connectionId, correlationId, mediaId, as, attempt: tries };
  if (sent.sent === 'again') {
    logger.info('a file could not be brought to WhatsApp and is tried again', { ...fields, error: sent.error });
    return { hiddenForSeconds: retrySeconds(tries, random.unit()) };
  }
  // A worker that waits looks by itself from time to time, so the last try may end without a word.
  if (sent.sent === 'soon' && !isLast) return { hiddenForSeconds: SOON[Math.min(tries, SOON.length) - 1] ?? 30 };
  if (sent.sent === 'ended' && sent.outcome !== 'nothing') {
    metrics.count('MediaUploaded', { outcome: countedAs(sent) });
    metrics.measure('MediaUploadTime', clock.monotonicMs() - startedMs, {});
    logger.info('a file was brought to WhatsApp, or never can be', { ...fields, outcome: sent.outcome });
  }
  await enqueueCommand(
    dependencies,
    job.shard,
    { version: 1, kind: 'file_ended', tenantId, connectionId, correlationId },
    `${record.messageId}-${tries}`,
  );
  return 'done';
}
