import { ChangeMessageVisibilityCommand } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { TenantEvent } from '../../shared/event/event.ts';
import type { EventLogDependencies } from '../../shared/event/eventLog.ts';
import { findEvent } from '../../shared/event/eventPages.ts';
import type { Logger } from '../../shared/platform/logger.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { judgeOutcome, recordAttempt, retryDelaySeconds, type Attempt } from '../../shared/webhook/attempt.ts';
import { admit, afterAttempt, type AttemptEnd } from '../../shared/webhook/endpointBreaker.ts';
import type { EndpointBreakerStore } from '../../shared/webhook/endpointBreakerStore.ts';
import { deliveryQueueUrl, deliverySchema, type Delivery, type DeliveryQueue } from '../../shared/webhook/delivery.ts';
import type { Endpoint } from '../../shared/webhook/endpoint.ts';
import type { EndpointStore } from '../../shared/webhook/endpointStore.ts';
import type { WebhookPoster } from '../../shared/webhook/postWebhook.ts';
import { postSigned, reasonOf } from '../../shared/webhook/postSigned.ts';
import { forgetWaiting, isOldRound, noteWaiting, releaseWaiting } from '../../shared/webhook/waitingDeliveries.ts';
import { handleEach, parseBody, type RecordOutcome } from '../runtime/recordBatch.ts';

export interface DeliverDependencies
  extends Pick<Surroundings, 'random' | 'logger' | 'metrics'>, EventLogDependencies, DeliveryQueue {
  readonly endpoints: Pick<EndpointStore, 'find' | 'disable'>;
  readonly breakers: EndpointBreakerStore;
  readonly poster: Pick<WebhookPoster, 'post'>;
}

/**
 * Deliver makes one attempt per record. A delivery whose attempt failed stays in the queue, hidden for as long as the
 * schedule says, and SQS counts the attempts; after the last one SQS moves the delivery to the dead letters.
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
  const { tenantId, endpointId, eventId, correlationId, deliveryId, round } = parsed.body;
  const logger = dependencies.logger.child({ tenantId, endpointId, eventId, correlationId, deliveryId, round });
  try {
    const outcome = await attemptDelivery(dependencies, parsed.body, receiveCount, logger);
    if (outcome === 'done') return 'done';
    await postpone(dependencies, { record, delivery: parsed.body, receiveCount }, outcome, logger);
    return 'failed';
  } catch (error) {
    logger.warn('delivery could not be tried and comes again', { error, receiveCount });
    // A receive without an attempt counts as well. By the schedule they last for hours, and for minutes otherwise.
    const untried = { record, delivery: parsed.body, receiveCount };
    await postpone(dependencies, untried, { atLeastMs: 0 }, logger).catch((also: unknown) => {
      logger.debug('the delivery comes again when its visibility timeout is over', { error: also });
    });
    return 'failed';
  }
}

/** The delivery stays in the queue, hidden until its next attempt. */
interface Postponed {
  readonly atLeastMs: number;
  /** The longest wait, whatever the schedule of the delivery says; no such limit when left out. */
  readonly atMostMs?: number | undefined;
  /** Whether the receiver asked for the wait: then only the tenant may shorten it. */
  readonly asked?: boolean;
}

async function attemptDelivery(
  dependencies: DeliverDependencies,
  delivery: Delivery,
  receiveCount: number,
  logger: Logger,
): Promise<'done' | Postponed> {
  const { tenantId, endpointId, eventId } = delivery;
  const isLate = receiveCount > 1 || delivery.round !== undefined;
  const [endpoint, event, isOld] = await Promise.all([
    dependencies.endpoints.find(tenantId, endpointId),
    findEvent(dependencies, tenantId, eventId),
    isLate && isOldRound(dependencies, delivery),
  ]);
  if (isOld || endpoint === undefined || endpoint.state !== 'active') return 'done';
  if (event === undefined) {
    logger.warn('event of a delivery has expired');
    return 'done';
  }
  const turn = await takeTurn(dependencies, endpoint);
  if ('atLeastMs' in turn) {
    logger.debug('delivery waits: its endpoint has failed too often', { waitMs: turn.atLeastMs });
    return turn;
  }
  const number = receiveCount + (delivery.attempts ?? 0);
  const { attempt, retryAfterMs } = await postEvent(dependencies, delivery, endpoint, event, number);
  const { result, httpStatus, reason, durationMs } = attempt;
  logger.info('delivery tried', { attempt: number, outcome: result, httpStatus, reason, durationMs });
  dependencies.metrics.count('DeliveryAttempts', { outcome: result });
  // Only the first attempt is measured: when a later one comes late, the tenant's receiver is the cause.
  if (number === 1) {
    const lateMs = Math.max(0, attempt.atMs - Date.parse(event.occurredAt));
    dependencies.metrics.measure('EventToDelivery', lateMs, {});
  }
  let openedForMs: number | undefined;
  if (result === 'gone') await dependencies.endpoints.disable(tenantId, endpointId);
  else {
    const end = { succeeded: result === 'delivered', retryAfterMs };
    openedForMs = await settleBreaker(dependencies, endpoint, turn.held, end, logger);
  }
  // The attempt is over whether or not it is noted: a failure here must not repeat a POST that the receiver has
  // accepted.
  await recordAttempt(dependencies, attempt).catch((error: unknown) => {
    logger.warn('attempt could not be noted', { error });
  });
  if (result === 'failed') return nextWait(receiveCount, retryAfterMs, openedForMs);
  if (isLate || endpoint.breaker.failures > 0) await afterLateSuccess(dependencies, delivery, result, logger);
  return 'done';
}

/**
 * How many times a delivery may be the scout of a breaker. Then its own schedule holds, so that a long outage does not
 * use it up.
 */
const MOST_SCOUTS = 8;

/**
 * The wait before the next attempt. The delivery that has just opened the breaker is the scout: it finds out whether
 * the receiver is back.
 */
function nextWait(receiveCount: number, retryAfterMs: number, openedForMs: number | undefined): Postponed {
  const isScout = openedForMs !== undefined && receiveCount <= MOST_SCOUTS;
  const atLeastMs = Math.max(retryAfterMs, openedForMs ?? 0);
  return { atLeastMs, atMostMs: isScout ? atLeastMs : undefined, asked: retryAfterMs > 0 };
}

/**
 * Ends the waiting after a success, which shows that the receiver is back: this delivery waits no longer, and the
 * others that wait for the endpoint follow.
 */
async function afterLateSuccess(
  dependencies: DeliverDependencies,
  delivery: Delivery,
  result: Attempt['result'],
  logger: Logger,
): Promise<void> {
  try {
    await forgetWaiting(dependencies, delivery);
    if (result !== 'delivered') return;
    const nowMs = dependencies.clock.nowMs();
    const released = await releaseWaiting(dependencies, delivery.endpointId, { nowMs, evenIfAsked: false });
    if (released > 0) logger.info('deliveries that waited were queued anew', { count: released });
  } catch (error) {
    logger.warn('deliveries that wait come at their own time', { error });
  }
}

/** The wait of a delivery while another one tries the endpoint, in milliseconds. */
const TRIAL_WAIT_MS = 5_000;

/** Whether the endpoint may be posted to now; with the trial of its breaker, when this attempt is the trial. */
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

/**
 * Records the outcome in the breaker. Returns for how long this attempt has opened it, or undefined when it has not. A
 * failure here must not repeat a POST that the receiver has accepted: a trial that is not settled is free again after
 * half a minute.
 */
async function settleBreaker(
  { breakers, clock, metrics, random }: DeliverDependencies,
  endpoint: Endpoint,
  held: number | undefined,
  end: Pick<AttemptEnd, 'succeeded' | 'retryAfterMs'>,
  logger: Logger,
): Promise<number | undefined> {
  const nowMs = clock.nowMs();
  const change = afterAttempt(endpoint.breaker, held, { ...end, nowMs, jitter: random.unit() });
  if (change === undefined) return undefined;
  try {
    const written = await breakers.write(endpoint, change, nowMs);
    if (written === 'opened') {
      logger.info('breaker opened', { dependency: 'webhook' });
      metrics.count('BreakerOpened', { dependency: 'webhook' });
    }
    if (change.change === 'count') return written === 'opened' ? change.openMs : undefined;
    if (change.change === 'forget' || change.to.openUntilMs === undefined) return undefined;
    return change.to.openUntilMs - nowMs;
  } catch (error) {
    logger.warn('breaker could not be written', { error });
    return undefined;
  }
}

async function postEvent(
  dependencies: DeliverDependencies,
  delivery: Delivery,
  endpoint: Endpoint,
  event: TenantEvent,
  number: number,
): Promise<{ readonly attempt: Attempt; readonly retryAfterMs: number }> {
  const { endpointId, eventId, deliveryId, correlationId } = delivery;
  const atMs = dependencies.clock.nowMs();
  // The webhook's id is the event's, and so the same in each attempt.
  const post = { id: eventId, correlationId, body: JSON.stringify(event), atMs };
  const outcome = await postSigned(dependencies.poster, endpoint, post);
  const isAnswer = outcome.outcome === 'answered';
  const attempt = {
    endpointId,
    deliveryId,
    eventId,
    number,
    atMs,
    result: judgeOutcome(outcome),
    httpStatus: isAnswer ? outcome.httpStatus : undefined,
    reason: reasonOf(outcome),
    durationMs: outcome.durationMs,
  };
  return { attempt, retryAfterMs: isAnswer ? outcome.retryAfterMs : 0 };
}

/** The shortest wait in seconds that is noted. */
const NOTED_FROM_SECONDS = 3;

async function postpone(
  dependencies: DeliverDependencies,
  of: { readonly record: SQSRecord; readonly delivery: Delivery; readonly receiveCount: number },
  { atLeastMs, atMostMs, asked = false }: Postponed,
  logger: Logger,
): Promise<void> {
  const { record, delivery, receiveCount } = of;
  const scheduled = retryDelaySeconds(receiveCount, dependencies.random.unit());
  const most = atMostMs === undefined ? scheduled : Math.min(scheduled, Math.ceil(atMostMs / 1_000));
  const seconds = Math.max(1, most, Math.ceil(atLeastMs / 1_000));
  await dependencies.queue.send(
    new ChangeMessageVisibilityCommand({
      QueueUrl: deliveryQueueUrl(dependencies),
      ReceiptHandle: record.receiptHandle,
      VisibilityTimeout: seconds,
    }),
  );
  if (seconds < NOTED_FROM_SECONDS) return;
  const nowMs = dependencies.clock.nowMs();
  const wait = {
    attempts: receiveCount + (delivery.attempts ?? 0),
    notBeforeMs: asked ? nowMs + atLeastMs : 0,
    nowMs,
  };
  await noteWaiting(dependencies, delivery, wait).catch((error: unknown) => {
    logger.warn('a wait could not be noted; the delivery comes at its own time', { error });
  });
}
