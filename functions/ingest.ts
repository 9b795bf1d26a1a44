import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { internalEventBatchSchema } from '../shared/event/internalEvent.ts';
import { recordFacts, type FactDependencies } from '../shared/event/recordFacts.ts';
import type { Logger } from '../shared/platform/logger.ts';
import type { Metrics } from '../shared/platform/metrics.ts';
import { enqueueDeliveries, type DeliveryQueue } from '../shared/webhook/delivery.ts';
import type { EndpointStore } from '../shared/webhook/endpointStore.ts';
import { handleInGroups, parseBody, type RecordOutcome } from './recordBatch.ts';

export interface IngestDependencies extends FactDependencies, DeliveryQueue {
  readonly endpoints: Pick<EndpointStore, 'list'>;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Ingest: the events queue becomes messages, events and deliveries. A record is done when its facts are recorded and their
 * deliveries are in the queue; until then SQS brings it again, and the same events are found again. A body that is no
 * batch fails each time and ends in the dead letters.
 */
export function makeIngestHandler(dependencies: IngestDependencies): (event: SQSEvent) => Promise<SQSBatchResponse> {
  return (event) => handleInGroups(event.Records, (record) => ingestRecord(dependencies, record));
}

async function ingestRecord(dependencies: IngestDependencies, record: SQSRecord): Promise<RecordOutcome> {
  const receiveCount = Number(record.attributes.ApproximateReceiveCount);
  const parsed = parseBody(internalEventBatchSchema, record);
  if ('wrongFields' in parsed) {
    dependencies.logger.error('facts are not valid', { attributes: parsed.wrongFields, receiveCount });
    return 'failed';
  }
  const { tenantId, connectionId, correlationId, shard } = parsed.body;
  const logger = dependencies.logger.child({ tenantId, connectionId, correlationId, shard });
  try {
    const events = await recordFacts(dependencies, parsed.body);
    const endpoints = events.length === 0 ? [] : await dependencies.endpoints.list(tenantId);
    await enqueueDeliveries(dependencies, endpoints, events);
    const nowMs = dependencies.clock.nowMs();
    // WhatsApp's clock and ours need not agree.
    for (const { atMs } of parsed.body.events) dependencies.metrics.measure('EventLag', Math.max(0, nowMs - atMs), {});
    for (const { eventId, type, correlationId: ofRequest } of events) {
      logger.debug('event recorded', { eventId, eventType: type, correlationId: ofRequest });
    }
    return 'done';
  } catch (error) {
    logger.warn('facts could not be recorded and come again', { error, receiveCount });
    return 'failed';
  }
}
