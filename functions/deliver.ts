import { ChangeMessageVisibilityCommand } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { TenantEvent } from '../shared/event/event.ts';
import { findEvent, type EventLogDependencies } from '../shared/event/eventLog.ts';
import type { Random } from '../shared/kernel/random.ts';
import type { Logger } from '../shared/platform/logger.ts';
import type { Metrics } from '../shared/platform/metrics.ts';
import { judgeOutcome, recordAttempt, retryDelaySeconds, type Attempt } from '../shared/webhook/attempt.ts';
import { admit, afterAttempt } from '../shared/webhook/endpointBreaker.ts';
import type { EndpointBreakerStore } from '../shared/webhook/endpointBreakerStore.ts';
import { deliveryQueueUrl, deliverySchema, type Delivery, type DeliveryQueue } from '../shared/webhook/delivery.ts';
import type { Endpoint } from '../shared/webhook/endpoint.ts';
import type { EndpointStore } from '../shared/webhook/endpointStore.ts';
import type { WebhookPoster } from '../shared/webhook/postWebhook.ts';
import { signDelivery } from '../shared/webhook/signature.ts';
import { handleEach, parseBody, type RecordOutcome } from './recordBatch.ts';

export interface DeliverDependencies extends EventLogDependencies, DeliveryQueue {
  readonly endpoints: Pick<EndpointStore, 'find' | 'disable'>;
  readonly breakers: EndpointBreakerStore;
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
    if (outcome === 'done') return 'done';
    await postpone(dependencies, record, receiveCount, outcome.atLeastMs);
    return 'failed';
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
): Promise<'done' | Postponed> {
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
  const turn = await takeTurn(dependencies, endpoint);
  if ('atLeastMs' in turn) {
    logger.debug('delivery waits: its endpoint has failed too often', { waitMs: turn.atLeastMs });
    return turn;
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
  else await settleBreaker(dependencies, endpoint, turn.held, result === 'delivered', logger);
  // The attempt is over whether or not it is noted: a failure here must not repeat what the receiver has taken.
  await recordAttempt(dependencies, attempt).catch((error: unknown) => {
    logger.warn('attempt could not be noted', { error });
  });
  return result === 'failed' ? { atLeastMs: 0 } : 'done';
}

/** It stays in the queue, hidden for at least so long. */
interface Postponed {
  readonly atLeastMs: number;
}

/** While somebody else tries the endpoint. */
const TRIAL_WAIT_MS = 5_000;

/** Whether the endpoint may be posted to now, and the trial of its breaker if this is one. */
async function takeTurn(
  { breakers, clock }: DeliverDependencies,
  endpoint: Endpoint,
): Promise<{ readonly held: number | undefined } | Postponed> {
  const admitted = admit(endpoint.breaker, clock.nowMs());
  if (admitted.admission === 'post') return { held: undefined };
  if (admitted.admission === 'wait') return { atLeastMs: admitted.waitMs };
  const taken = await breakers.takeTrial(endpoint, admitted.seen, clock.nowMs());
  return taken === 'taken' ? { atLeastMs: TRIAL_WAIT_MS } : taken;
}

/** A failure here must not repeat what the receiver has taken: a trial that is not settled is free again after a minute. */
async function settleBreaker(
  { breakers, clock, metrics }: DeliverDependencies,
  endpoint: Endpoint,
  held: number | undefined,
  succeeded: boolean,
  logger: Logger,
): Promise<void> {
  const change = afterAttempt(endpoint.breaker, held, succeeded, clock.nowMs());
  if (change === undefined) return;
  try {
    if ((await breakers.write(endpoint, change, clock.nowMs())) !== 'opened') return;
    logger.info('breaker opened', { dependency: 'webhook' });
    metrics.count('BreakerOpened', { dependency: 'webhook' });
  } catch (error) {
    logger.warn('breaker could not be written', { error });
  }
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

async function postpone(
  dependencies: DeliverDependencies,
  record: SQSRecord,
  receiveCount: number,
  atLeastMs: number,
): Promise<void> {
  const scheduled = retryDelaySeconds(receiveCount, dependencies.random.unit());
  await dependencies.queue.send(
    new ChangeMessageVisibilityCommand({
      QueueUrl: deliveryQueueUrl(dependencies),
      ReceiptHandle: record.receiptHandle,
      VisibilityTimeout: Math.max(scheduled, Math.ceil(atLeastMs / 1_000)),
    }),
  );
}
