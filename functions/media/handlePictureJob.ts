import type { SQSRecord } from 'aws-lambda';
import { TimeoutError, withDeadline } from '../../shared/kernel/deadline.ts';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import { findToSend } from '../../shared/media/filesToSend.ts';
import type { FileToSend } from '../../shared/media/fileToSend.ts';
import type { MediaStore } from '../../shared/media/mediaStore.ts';
import type { PictureJob } from '../../shared/media/pictureJob.ts';
import type { PictureUse } from '../../shared/media/pictureBytes.ts';
import type { PictureStore, PreparedPicture } from '../../shared/media/pictureStore.ts';
import { enqueueCommand, type CommandQueue } from '../../shared/message/command.ts';
import { mediaTimes } from '../../shared/platform/queues.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { retrySeconds } from './retrySchedule.ts';
import type { JobOutcome } from './send/handleSendJob.ts';

export interface PictureJobDependencies extends CommandQueue, Pick<Surroundings, 'clock' | 'random' | 'logger'> {
  readonly media: Pick<MediaStore, 'findAny'>;
  readonly pictures: Pick<PictureStore, 'find' | 'write'>;
  /** Makes a file a picture that can be set. Rejects for what passes, and when the signal aborts. */
  readonly makePicture: (file: FileToSend, as: PictureUse, signal: AbortSignal) => Promise<PreparedPicture>;
}

/**
 * Makes a file a picture that can be set, and tells the worker whose action waits for it.
 *
 * - *The function dies here*: the job comes again, and makes the same.
 * - *It happens twice*: the second finds it made, and tells the worker again, which does no harm.
 * - *A decoder hangs, or swells*: it is a process of its own, with 30 s and a bound of memory.
 */
export async function handlePictureJob(
  dependencies: PictureJobDependencies,
  job: PictureJob,
  record: SQSRecord,
): Promise<JobOutcome> {
  const { media, pictures, makePicture, clock, random, logger } = dependencies;
  const { tenantId, connectionId, correlationId, mediaId, shard, as } = job;
  const tries = Number(record.attributes.ApproximateReceiveCount);
  const file = await findToSend(media, tenantId, mediaId);
  // The worker reads the same: it waits, or fails the action.
  if (file?.state !== 'ready') return 'done';
  if ((await pictures.find(mediaId, as)) === undefined) {
    let made: PreparedPicture;
    try {
      made = await withDeadline(
        'making a picture',
        deadlines.mediaSend.ms,
        (signal) => makePicture(file, as, signal),
        clock,
      );
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      if (tries < mediaTimes.tries) return { hiddenForSeconds: retrySeconds(tries, random.unit()) };
      made = { state: 'failed', fault: 'too_costly' };
    }
    await pictures.write(mediaId, as, made);
    const outcome = made.state === 'ready' ? 'ready' : made.fault;
    logger.info('a file was made a picture, or never can be', {
      tenantId,
      connectionId,
      correlationId,
      mediaId,
      outcome,
    });
  }
  const command = { version: 1, kind: 'file_ended', tenantId, connectionId, correlationId } as const;
  await enqueueCommand(dependencies, shard, command, `${record.messageId}-${tries}`);
  return 'done';
}
