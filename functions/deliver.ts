import { ChangeMessageVisibilityCommand } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { TenantEvent } from '../shared/event/event.ts';
import { findEvent, type EventLogDependencies } from '../shared/event/eventLog.ts';
import type { Random } from '../shared/kernel/random.ts';
import type { Logger } from '../shared/platform/logger.ts';
import type { Metrics } from '../shared/platform/metrics.ts';
import { judgeOutcome, recordAttempt, retryDelaySeconds, type Attempt } from '../shared/webhook/attempt.ts';
import { deliveryQueueUrl, deliverySchema, type Delivery, type DeliveryQueue } from '../shared/webhook/delivery.ts';
import type { Endpoint } from '../shared/webhook/endpoint.ts';
import type { EndpointStore } from '../shared/webhook/endpointStore.ts';
import type { WebhookPoster } from '../shared/webhook/postWebhook.ts';
import { signDelivery } from '../shared/webhook/signature.ts';
import { handleEach, parseBody, type RecordOutcome } from './recordBatch.ts';

export interface DeliverDependencies extends EventLogDependencies, DeliveryQueue {
  readonly endpoints: Pick<EndpointStore, 'find' | 'disable'>;
  readonly poster: Pick<WebhookPoster, 'post'>;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Deliver: one attempt per record. A failed one stays in the queue, hidden for as long as the schedule says, and SQS counts
 * the attempts; after the last one it moves the delivery to the dead letters.
 */
export function makeDeliverHandler(dependencies: DeliverDependencies): (event: SQSEvent) => Promise<SQSBatchResponse> {
  return (event) => handleEach(event.Records, (record) => deliverRecord(dependencies, record));
}

async function deliverRecord(dependencies: DeliverDependencies, record: SQSRecord): Promise<RecordOutcome> {
  const receiveCount = Number(record.attributes.ApproximateReceiveCount);
  const parsed = parseBody(deliverySchema, record);
  if ('wrongFields' in parsed) {
    dependencies.logger.error('delivery is not valid', { attributes: parsed.wrongFields, receiveCount });
    return 'failed';
  }
  const { tenantId, endpointId, eventId, correlationId, deliveryId } = parsed.body;
  const logger = dependencies.logger.child({ tenantId, endpointId, eventId, correlationId, deliveryId });
  try {
    const outcome = await attemptDelivery(dependencies, parsed.body, receiveCount, logger);
    if (outcome === 'failed') await postpone(dependencies, record, receiveCount);
    return outcome;
  } catch (error) {
    logger.warn('delivery could not be tried and comes again', { error, receiveCount });
    return 'failed';
  }
}

async function attemptDelivery(
  dependencies: DeliverDependencies,
  delivery: Delivery,
  number: number,
  logger: Logger,
): Promise<RecordOutcome> {
  const { tenantId, endpointId, eventId } = delivery;
  const [endpoint, event] = await Promise.all([
    dependencies.endpoints.find(tenantId, endpointId),
    findEvent(dependencies, tenantId, eventId),
  ]);
  if (endpoint === undefined || endpoint.state !== 'active') return 'done';
  if (event === undefined) {
    logger.warn('event of a delivery has expired');
    return 'done';
  }
  const attempt = await postEvent(dependencies, delivery, endpoint, event, number);
  const { result, httpStatus, reason, durationMs } = attempt;
  logger.info('delivery tried', { attempt: number, outcome: result, httpStatus, reason, durationMs });
  dependencies.metrics.count('DeliveryAttempts', { outcome: result });
  // What comes after a failed attempt is late by the tenant's doing.
  if (number === 1) {
    const lateMs = Math.max(0, attempt.atMs - Date.parse(event.occurredAt));
    dependencies.metrics.measure('EventToDelivery', lateMs, {});
  }
  if (result === 'gone') await dependencies.endpoints.disable(tenantId, endpointId);
  // The attempt is over whether or not it is noted: a failure here must not repeat what the receiver has taken.
  await recordAttempt(dependencies, attempt).catch((error: unknown) => {
    logger.warn('attempt could not be noted', { error });
  });
  return result === 'failed' ? 'failed' : 'done';
}

async function postEvent(
  dependencies: DeliverDependencies,
  delivery: Delivery,
  endpoint: Endpoint,
  event: TenantEvent,
  number: number,
): Promise<Attempt> {
  const { endpointId, eventId, deliveryId, correlationId } = delivery;
  const atMs = dependencies.clock.nowMs();
  const body = JSON.stringify(event);
  const outcome = await dependencies.poster.post(
    endpoint.url,
    {
      'content-type': 'application/json',
      'user-agent': 'Holdfast',
      'x-correlation-id': correlationId,
      // The id is the event's, the same in each attempt: receivers recognise a repeated delivery by it.
      ...signDelivery(endpoint.secret, eventId, atMs, body),
    },
    body,
  );
  return {
    endpointId,
    deliveryId,
    eventId,
    number,
    atMs,
    result: judgeOutcome(outcome),
    httpStatus: outcome.outcome === 'answered' ? outcome.httpStatus : undefined,
    reason: toReason(outcome),
    durationMs: outcome.durationMs,
  };
}

function toReason(outcome: Awaited<ReturnType<WebhookPoster['post']>>): string | undefined {
  if (outcome.outcome === 'answered') return undefined;
  if (outcome.outcome === 'timed_out') return 'timed_out';
  return outcome.outcome === 'refused' ? outcome.refusal : outcome.reason;
}

async function postpone(dependencies: DeliverDependencies, record: SQSRecord, receiveCount: number): Promise<void> {
  await dependencies.queue.send(
    new ChangeMessageVisibilityCommand({
      QueueUrl: deliveryQueueUrl(dependencies),
      ReceiptHandle: record.receiptHandle,
      VisibilityTimeout: retryDelaySeconds(receiveCount, dependencies.random.unit()),
    }),
  );
}
