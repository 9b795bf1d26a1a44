import { ChangeMessageVisibilityCommand } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { BroughtFile } from '../../shared/media/broughtFile.ts';
import type { BroughtFileStore } from '../../shared/media/broughtFileStore.ts';
import type { Media } from '../../shared/media/media.ts';
import { mediaFaults } from '../../shared/media/mediaFaults.ts';
import { mediaJobSchema, type MediaQueue } from '../../shared/media/mediaJob.ts';
import type { MediaStore } from '../../shared/media/mediaStore.ts';
import { mediaQueueName, mediaTimes } from '../../shared/platform/queues.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { handleEach, parseBody, type RecordOutcome } from '../runtime/recordBatch.ts';
import { fetchFile, type FetchDependencies } from './fetchFile.ts';
import { fetchLink, LINK_TRIES, type LinkDependencies } from './fetchLink.ts';
import { retrySeconds } from './retrySchedule.ts';
import { tellMedia } from './tellMedia.ts';

export interface MediaDependencies
  extends
    Omit<FetchDependencies, 'clock'>,
    Pick<LinkDependencies, 'links'>,
    MediaQueue,
    Pick<Surroundings, 'clock' | 'random' | 'logger' | 'metrics'> {
  readonly media: Pick<MediaStore, 'find' | 'findAny' | 'end'>;
  readonly brought: Pick<BroughtFileStore, 'end'>;
}

/**
 * Media fetches the files of messages: one record names one file, whose row says all else. The files of a batch are fetched side by side.
 *
 * The row is written first, on the condition that it waits in this round; then the fact is published, and only then is the record done. Whoever comes
 * again after a death in between finds the row as it is, and publishes the same fact, which ingest tells once.
 */
export function makeMediaHandler(dependencies: MediaDependencies): (event: SQSEvent) => Promise<SQSBatchResponse> {
  return ({ Records }) =>
    handleEach(Records, (record) =>
      handleRecord(dependencies, record).catch(async (error: unknown): Promise<RecordOutcome> => {
        dependencies.logger.warn('a file could not be fetched and is tried again', { error });
        return postpone(dependencies, record);
      }),
    );
}

async function handleRecord(dependencies: MediaDependencies, record: SQSRecord): Promise<RecordOutcome> {
  const { media: store, logger, metrics, clock } = dependencies;
  const parsed = parseBody(mediaJobSchema, record);
  if (!('body' in parsed)) {
    // Only our own functions write to this queue; SQS moves it to the dead letters, where a person looks.
    logger.error('a job of the media queue is not valid', { attributes: parsed.wrongFields });
    return 'failed';
  }
  const { mediaId, tenantId } = parsed.body;
  const media = await store.findAny(mediaId);
  if (media === undefined || media.tenantId !== tenantId) return 'done';
  if ('broughtBy' in media) return handleLink(dependencies, media, record);
  if (media.state === 'left') return 'done';
  if (media.state !== 'pending') {
    await tellMedia(dependencies, media);
    return 'done';
  }
  const startedMs = clock.monotonicMs();
  const outcome = await fetchFile(dependencies, media);
  const isLast = Number(record.attributes.ApproximateReceiveCount) >= mediaTimes.tries;
  if ('again' in outcome && !isLast) {
    logger.info('a file did not come and is tried again', { ...fieldsOf(media), error: outcome.again });
    return postpone(dependencies, record);
  }
  const end = 'again' in outcome ? ({ state: 'failed', fault: 'unreachable' } as const) : outcome.fetched;
  await store.end(media, end);
  metrics.count('MediaFetched', { outcome: end.state === 'ready' ? 'ready' : mediaFaults[end.fault].outcome });
  metrics.measure('MediaFetchTime', clock.monotonicMs() - startedMs, {});
  // Somebody else may have been faster; the row says what holds.
  const ended = await store.find(mediaId);
  if (ended !== undefined && ended.state !== 'pending') await tellMedia(dependencies, ended);
  return 'done';
}

/** Fetches a link. Nobody is told of it: the messages that name it say what became of them. */
async function handleLink(
  dependencies: MediaDependencies,
  file: BroughtFile,
  record: SQSRecord,
): Promise<RecordOutcome> {
  const { brought, logger, metrics } = dependencies;
  if (file.state !== 'pending') return 'done';
  const outcome = await fetchLink(dependencies, file);
  const isLast = Number(record.attributes.ApproximateReceiveCount) >= LINK_TRIES;
  if ('again' in outcome && !isLast) {
    const { tenantId, mediaId } = file;
    logger.info('a link gave no file and is tried again', { tenantId, mediaId, error: outcome.again });
    return postpone(dependencies, record);
  }
  const end = 'again' in outcome ? ({ state: 'failed', fault: 'link_unreachable' } as const) : outcome.fetched;
  await brought.end(file, end);
  metrics.count('MediaFetched', { outcome: end.state === 'ready' ? 'ready' : mediaFaults[end.fault].outcome });
  return 'done';
}

const fieldsOf = ({ tenantId, connectionId, messageId, mediaId, correlationId }: Media) => ({
  tenantId,
  connectionId,
  messageId,
  mediaId,
  correlationId,
});

/** Hides the record until its next try. Where the queue does not hide it, it comes when its visibility timeout is over. */
async function postpone(dependencies: MediaDependencies, record: SQSRecord): Promise<RecordOutcome> {
  const { queue, stage, queueUrlBase, random, logger } = dependencies;
  const tries = Number(record.attributes.ApproximateReceiveCount);
  await queue
    .send(
      new ChangeMessageVisibilityCommand({
        QueueUrl: `${queueUrlBase}${mediaQueueName(stage)}`,
        ReceiptHandle: record.receiptHandle,
        VisibilityTimeout: retrySeconds(tries, random.unit()),
      }),
    )
    .catch((error: unknown) => logger.warn('a job could not be hidden', { error }));
  return 'failed';
}
