import { ChangeMessageVisibilityCommand } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { broughtHoldOf, type BroughtFile } from '../../shared/media/broughtFile.ts';
import type { BroughtFileStore } from '../../shared/media/broughtFileStore.ts';
import { countBrought } from '../../shared/media/countBrought.ts';
import {
  eraseFilesJobSchema,
  eraseForGoodJobSchema,
  eraseJobSchema,
  eraseMessageJobSchema,
  holderOf,
} from '../../shared/media/eraseJob.ts';
import { objectNameOf, type Media } from '../../shared/media/media.ts';
import type { ObjectHolds } from '../../shared/media/objectHolds.ts';
import { mediaFaults } from '../../shared/media/mediaFaults.ts';
import { askForFiles, mediaJobSchema, type MediaQueue } from '../../shared/media/mediaJob.ts';
import { historyJobSchema } from '../../shared/history/historyJob.ts';
import { pictureJobSchema } from '../../shared/media/pictureJob.ts';
import { sendJobSchema } from '../../shared/media/sendJob.ts';
import type { MediaEnd, MediaStore } from '../../shared/media/mediaStore.ts';
import type { ObjectStore } from '../../shared/media/objectStore.ts';
import { mediaQueueName, mediaTimes } from '../../shared/platform/queues.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { handleEach, parseBody, type RecordOutcome } from '../runtime/recordBatch.ts';
import { askPhone } from './askPhone.ts';
import {
  eraseFile,
  eraseFilesForGood,
  eraseFilesOfConnection,
  eraseMessage,
  letGo,
  type EraseDependencies,
} from './eraseFile.ts';
import { fetchFile, type FetchDependencies } from './fetchFile.ts';
import { fetchLink, LINK_TRIES, type LinkDependencies } from './fetchLink.ts';
import { fetchPicture } from './fetchPicture.ts';
import { handleHistoryJob, type HistoryJobDependencies } from './history/handleHistoryJob.ts';
import { handlePictureJob, type PictureJobDependencies } from './handlePictureJob.ts';
import { retrySeconds } from './retrySchedule.ts';
import { handleSendJob, type SendJobDependencies } from './send/handleSendJob.ts';
import { tellMedia } from './tellMedia.ts';

export interface MediaDependencies
  extends
    Omit<FetchDependencies, 'clock' | 'objects' | 'holds'>,
    Pick<LinkDependencies, 'links'>,
    MediaQueue,
    Pick<Surroundings, 'clock' | 'random' | 'logger' | 'metrics'> {
  readonly objects: Pick<ObjectStore, 'read' | 'remove' | 'write'>;
  readonly holds: Pick<ObjectHolds, 'hold' | 'holdOf' | 'count' | 'release' | 'forget'>;
  readonly media: Pick<MediaStore, 'find' | 'findAny' | 'end' | 'erase' | 'noteAsked' | 'remove'>;
  readonly brought: Pick<BroughtFileStore, 'end' | 'erase' | 'find'>;
  readonly histories: Pick<HistoryJobDependencies, 'notices' | 'past' | 'live' | 'chats' | 'contacts' | 'table'>;
  readonly pictures: PictureJobDependencies['pictures'] & EraseDependencies['pictures'];
  readonly sending: Pick<SendJobDependencies, 'prepare' | 'hosts'> & {
    readonly makePicture: PictureJobDependencies['makePicture'];
    readonly uploads: SendJobDependencies['uploads'] & EraseDependencies['uploads'];
  };
}

/**
 * Media fetches the files of messages, and brings those that messages are made of to WhatsApp: one record names one file, whose row says all else.
 * The files of a batch are worked side by side.
 *
 * The row is written first, on the condition that it waits in this round; then the fact is published, and only then is the record done. Whoever comes
 * again after a death in between finds the row as it is, and publishes the same fact, which ingest tells once.
 */
export function makeMediaHandler(dependencies: MediaDependencies): (event: SQSEvent) => Promise<SQSBatchResponse> {
  return ({ Records }) =>
    handleEach(Records, (record) =>
      handleRecord(dependencies, record).catch(async (error: unknown): Promise<RecordOutcome> => {
        dependencies.logger.warn('a job of the media queue failed and is tried again', { error });
        return postpone(dependencies, record, pauseAfter(dependencies, record));
      }),
    );
}

async function handleRecord(dependencies: MediaDependencies, record: SQSRecord): Promise<RecordOutcome> {
  const { media: store, logger } = dependencies;
  const send = parseBody(sendJobSchema, record);
  if ('body' in send) {
    const outcome = await handleSendJob({ ...dependencies, ...dependencies.sending }, send.body, record);
    return outcome === 'done' ? 'done' : postpone(dependencies, record, outcome.hiddenForSeconds);
  }
  const picture = parseBody(pictureJobSchema, record);
  if ('body' in picture) {
    const outcome = await handlePictureJob(
      { ...dependencies, makePicture: dependencies.sending.makePicture },
      picture.body,
      record,
    );
    return outcome === 'done' ? 'done' : postpone(dependencies, record, outcome.hiddenForSeconds);
  }
  const history = parseBody(historyJobSchema, record);
  if ('body' in history) {
    const outcome = await handleHistoryJob({ ...dependencies, ...dependencies.histories }, history.body, record);
    return outcome === 'done' ? 'done' : postpone(dependencies, record, outcome.hiddenForSeconds);
  }
  if (await erases(dependencies, record)) return 'done';
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
  return handleReceived(dependencies, media, record);
}

/** Fetches the file of a message that came, and tells what has become of it. */
async function handleReceived(
  dependencies: MediaDependencies,
  media: Media,
  record: SQSRecord,
): Promise<RecordOutcome> {
  const { media: store, logger, metrics, clock } = dependencies;
  const { mediaId } = media;
  if (media.state === 'left') return 'done';
  if (media.state === 'gone') {
    // It was erased while it was fetched, and the fetch died before it saw that.
    await letGo(dependencies, await dependencies.holds.holdOf(objectNameOf(media), holderOf(media)));
    return 'done';
  }
  if (media.state !== 'pending') {
    await tellMedia(dependencies, media);
    return 'done';
  }
  const startedMs = clock.monotonicMs();
  const outcome = await fetchFile(dependencies, media);
  if ('again' in outcome && !isWornOut(record)) {
    logger.info('a file did not come and is tried again', { ...fieldsOf(media), error: outcome.again });
    return postpone(dependencies, record, pauseAfter(dependencies, record));
  }
  let end: MediaEnd = 'again' in outcome ? { state: 'failed', fault: 'unreachable' } : outcome.fetched;
  if (end.state === 'failed' && end.fault === 'gone') {
    const asked = await askPhone(dependencies, media);
    if ('againInMs' in asked) return lookAgain(dependencies, record, media, asked.againInMs);
    end = { state: 'failed', fault: asked.fault };
  }
  await store.end(media, end);
  metrics.count('MediaFetched', { outcome: end.state === 'ready' ? 'ready' : mediaFaults[end.fault].outcome });
  metrics.measure('MediaFetchTime', clock.monotonicMs() - startedMs, {});
  // Somebody else may have been faster; the row says what holds.
  const ended = await store.find(mediaId);
  const isKept = ended?.state === 'ready' && ended.round === media.round;
  if (!isKept) await letGo(dependencies, outcome.hold);
  if (ended !== undefined && isOver(ended)) await tellMedia(dependencies, ended);
  return 'done';
}

/** Whether there is something to tell of a file: one that was erased is told by whoever did that. */
function isOver({ state }: Media): boolean {
  return state !== 'pending' && state !== 'gone';
}

/** Erases what a record names; false where it is another job. */
async function erases(dependencies: MediaDependencies, record: SQSRecord): Promise<boolean> {
  const stores = { ...dependencies, table: dependencies.histories.table, uploads: dependencies.sending.uploads };
  const file = parseBody(eraseJobSchema, record);
  if ('body' in file) {
    const { tenantId, mediaId } = file.body;
    const outcome = await eraseFile(stores, file.body);
    dependencies.logger.info('a file was erased, or another one holds its bytes', { tenantId, mediaId, outcome });
    return true;
  }
  const message = parseBody(eraseMessageJobSchema, record);
  if ('body' in message) {
    await eraseMessage(stores, message.body);
    return true;
  }
  const some = parseBody(eraseFilesJobSchema, record);
  if ('body' in some) {
    await eraseFilesOfConnection(stores, some.body);
    return true;
  }
  const forGood = parseBody(eraseForGoodJobSchema, record);
  if (!('body' in forGood)) return false;
  await eraseFilesForGood(stores, forGood.body);
  return true;
}

/** Fetches a link, or a picture. Nobody is told of it: the messages that name it say what became of them, and who asked for a picture looks. */
async function handleLink(
  dependencies: MediaDependencies,
  file: BroughtFile,
  record: SQSRecord,
): Promise<RecordOutcome> {
  const { brought, holds, logger, metrics, objects } = dependencies;
  if (file.state !== 'pending') return 'done';
  const isPicture = file.broughtBy === 'picture';
  const outcome = await (isPicture ? fetchPicture(dependencies, file) : fetchLink(dependencies, file));
  const isLast = Number(record.attributes.ApproximateReceiveCount) >= LINK_TRIES;
  if ('again' in outcome && !isLast) {
    const { tenantId, mediaId } = file;
    logger.info('a link gave no file and is tried again', { tenantId, mediaId, error: outcome.again });
    return postpone(dependencies, record, pauseAfter(dependencies, record));
  }
  const end =
    'again' in outcome
      ? ({ state: 'failed', fault: isPicture ? 'unreachable' : 'link_unreachable' } as const)
      : outcome.fetched;
  if (end.state === 'ready') await countBrought(holds, file, end.bytes);
  const isEnded = await brought.end(file, end);
  const now = isEnded ? file : await brought.find(file.mediaId);
  if (now === undefined || now.state === 'gone') {
    // It was erased while it was fetched, or its tenant deleted.
    await holds.release(broughtHoldOf(file));
    await objects.remove(file.objectKey);
  }
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

/** Whether a record was given out as often as a file is tried. */
function isWornOut({ attributes }: SQSRecord): boolean {
  return Number(attributes.ApproximateReceiveCount) >= mediaTimes.tries;
}

function pauseAfter({ random }: Pick<MediaDependencies, 'random'>, { attributes }: SQSRecord): number {
  return retrySeconds(Number(attributes.ApproximateReceiveCount), random.unit());
}

/**
 * Looks at a file again after a pause. Its phone is asked for longer than a record may be given out or kept: one that was given out often is
 * followed by a new one.
 */
async function lookAgain(
  dependencies: MediaDependencies,
  record: SQSRecord,
  { tenantId, mediaId }: Media,
  pauseMs: number,
): Promise<RecordOutcome> {
  const seconds = Math.ceil(pauseMs / 1_000);
  if (!isWornOut(record)) return postpone(dependencies, record, Math.min(seconds, MOST_HIDDEN_SECONDS));
  await askForFiles(dependencies, [{ version: 1, tenantId, mediaId }], Math.min(seconds, MOST_DELAYED_SECONDS));
  return 'done';
}

/**
 * The longest that a message is hidden, and that SQS keeps a new one back, in seconds. SQS hides one for 12 hours from when it gave it out, the
 * time of the function included (SQS API, `ChangeMessageVisibility`, `SendMessage`).
 */
const MOST_HIDDEN_SECONDS = 42_000;
const MOST_DELAYED_SECONDS = 900;

/** Hides the record until its next try. Where the queue does not hide it, it comes when its visibility timeout is over. */
async function postpone(dependencies: MediaDependencies, record: SQSRecord, seconds: number): Promise<RecordOutcome> {
  const { queue, stage, queueUrlBase, logger } = dependencies;
  await queue
    .send(
      new ChangeMessageVisibilityCommand({
        QueueUrl: `${queueUrlBase}${mediaQueueName(stage)}`,
        ReceiptHandle: record.receiptHandle,
        VisibilityTimeout: seconds,
      }),
    )
    .catch((error: unknown) => logger.warn('a job could not be hidden', { error }));
  return 'failed';
}
