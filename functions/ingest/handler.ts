import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { batchEnvelopeSchema, type BatchEnvelope } from '../../shared/event/factBatch.ts';
import { judgeFailure } from '../../shared/platform/judgeFailure.ts';
import type { Logger } from '../../shared/platform/logger.ts';
import { enqueueDeliveries } from '../../shared/webhook/delivery.ts';
import type { EndpointStore } from '../../shared/webhook/endpointStore.ts';
import { handleInGroups, parseBody, type RecordOutcome } from '../runtime/recordBatch.ts';
import { recordEach, setAside, type RecordEachDependencies } from './recordEach.ts';

export interface IngestDependencies extends RecordEachDependencies {
  readonly endpoints: Pick<EndpointStore, 'list'>;
}

/**
 * Ingest turns the events queue into messages, events and deliveries. A record is done when its facts are recorded and
 * their deliveries are in the queue; until then SQS brings it again, and the same events are found again. Only a
 * failure that passes is waited for: a queue with groups stands still behind a record that comes again, and a record
 * that is refused for good never gets better. Such a record goes to the dead letters at once, and its group goes on.
 */
export function makeIngestHandler(dependencies: IngestDependencies): (event: SQSEvent) => Promise<SQSBatchResponse> {
  return (event) => handleInGroups(event.Records, (record) => ingestRecord(dependencies, record));
}

async function ingestRecord(dependencies: IngestDependencies, record: SQSRecord): Promise<RecordOutcome> {
  const receiveCount = Number(record.attributes.ApproximateReceiveCount);
  const parsed = parseBody(batchEnvelopeSchema, record);
  if ('wrongFields' in parsed) {
    const attributes = parsed.wrongFields;
    dependencies.logger.error('facts are not valid and go to the dead letters', { attributes, receiveCount });
    return giveUp(dependencies, record, dependencies.logger);
  }
  const { tenantId, connectionId, correlationId, shard } = parsed.body;
  const logger = dependencies.logger.child({ tenantId, connectionId, correlationId, shard });
  try {
    await ingestBatch({ ...dependencies, logger }, parsed.body);
    return 'done';
  } catch (error) {
    if (judgeFailure(error) === 'passing') {
      logger.warn('facts could not be recorded and come again', { error, receiveCount });
      return 'failed';
    }
    logger.error('facts were refused and go to the dead letters', { error, receiveCount });
    return giveUp(dependencies, record, logger);
  }
}

async function ingestBatch(dependencies: IngestDependencies, batch: BatchEnvelope): Promise<void> {
  const { logger, metrics, endpoints, clock } = dependencies;
  const { events, timesMs } = await recordEach(dependencies, batch);
  const wanted = events.length === 0 ? [] : await endpoints.list(batch.tenantId);
  await enqueueDeliveries(dependencies, wanted, events);
  const nowMs = clock.nowMs();
  // The difference is at least 0, because WhatsApp's clock and ours need not agree.
  for (const atMs of timesMs) metrics.measure('EventLag', Math.max(0, nowMs - atMs), {});
  for (const { eventId, type, correlationId: ofRequest } of events) {
    logger.debug('event recorded', { eventId, eventType: type, correlationId: ofRequest });
  }
}

/**
 * Moves the whole record to the dead letters. When they do not accept it either, it stays in the queue, which moves it
 * in the end.
 */
async function giveUp(dependencies: IngestDependencies, record: SQSRecord, logger: Logger): Promise<RecordOutcome> {
  const group = record.attributes.MessageGroupId ?? record.messageId;
  try {
    await setAside(dependencies, record.body, group);
    return 'done';
  } catch (error) {
    logger.warn('the dead letters did not take a record', { error });
    return 'failed';
  }
}
