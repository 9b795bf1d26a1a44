import { findEventTexts } from '../../shared/event/eventPages.ts';
import type { StopSignal } from '../../shared/kernel/clock.ts';
import type { EventLogDependencies } from '../../shared/event/eventLog.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { judgeOutcome, MOST_SCOUTS, type Attempt } from '../../shared/webhook/attempt.ts';
import { webhookIdOf, type Delivery, type DeliveryQueue } from '../../shared/webhook/delivery.ts';
import { isOpen, type Endpoint } from '../../shared/webhook/endpoint.ts';
import { hasFailedTooLong } from '../../shared/webhook/endpointBreaker.ts';
import { batchBody, firstEventIn } from '../../shared/webhook/eventBatch.ts';
import type { EndpointStore } from '../../shared/webhook/endpointStore.ts';
import { postSigned, reasonOf } from '../../shared/webhook/postSigned.ts';
import type { WebhookPoster } from '../../shared/webhook/postWebhook.ts';
import type { RememberedEndpoints } from '../../shared/webhook/rememberedEndpoints.ts';
import { releaseWaiting } from '../../shared/webhook/releaseDeliveries.ts';
import { isSlow } from '../../shared/webhook/slowEndpoint.ts';
import { forgetWaiting, isOldRound } from '../../shared/webhook/waitingDeliveries.ts';
import { giveTurnBack, settleBreaker, takeTurn, type TurnDependencies } from './breakerTurn.ts';
import type { DeliveryInHand } from './deliveryInHand.ts';
import { disableEndpoint, endAtDisabled, type DisableDependencies } from './disableEndpoint.ts';
import { passToSlow } from './passToSlow.ts';
import { BY_SCHEDULE, type Postponed } from './postpone.ts';
import { postUntilSlow } from './slowPost.ts';

export interface AttemptDependencies
  extends
    Pick<Surroundings, 'random' | 'logger' | 'metrics'>,
    EventLogDependencies,
    DeliveryQueue,
    Omit<DisableDependencies, 'endpoints' | 'known'>,
    Omit<TurnDependencies, 'known'> {
  readonly endpoints: Pick<EndpointStore, 'find' | 'disable' | 'noteDisablingTold'>;
  readonly known: RememberedEndpoints;
  readonly poster: Pick<WebhookPoster, 'post'>;
}

/** What became of a delivery: it is done, or waits as said. */
export interface Attempted {
  readonly end: 'done' | Postponed;
  /** The attempt, if one was made; of a chain, the last one. */
  readonly attempt?: Attempt | undefined;
  /** The attempts before it, of a chain. */
  readonly before?: readonly Attempt[];
}

/** Makes the next attempt of a delivery, if it is to have one now. Throws when that could not be found out. */
export async function attemptDelivery(dependencies: AttemptDependencies, one: DeliveryInHand): Promise<Attempted> {
  const { delivery, number, fields } = one;
  const { logger } = dependencies;
  const isLate = one.isAgain || delivery.round !== undefined;
  const [endpoint, text, isOld] = await Promise.all([
    dependencies.known.find(delivery.tenantId, delivery.endpointId),
    delivery.event ?? readEvent(dependencies, delivery),
    isLate && isOldRound(dependencies, delivery),
  ]);
  if (isOld || endpoint === undefined) return { end: 'done' };
  if (!isOpen(endpoint)) {
    await endAtDisabled(dependencies, one, endpoint);
    return { end: 'done' };
  }
  if (!one.isOfSlow && isSlow(endpoint, dependencies.clock.nowMs())) return passToSlow(dependencies, one);
  if (text === undefined) {
    logger.warn('event of a delivery has expired', fields);
    return { end: 'done' };
  }
  // Only the first attempt is measured: when a later one comes late, the tenant's receiver is the cause.
  const isMeasured = number === 1 && delivery.round === undefined;
  const attempted = await attemptNow(dependencies, one, { endpoint, text, isLate, isMeasured });
  return attempted === 'left' ? passToSlow(dependencies, one) : attempted;
}

/** What is posted, and where. */
export interface Posted {
  readonly endpoint: Endpoint;
  readonly text: string;
  /** Whether the delivery may have a row that says that it waits, and others may wait with it. */
  readonly isLate: boolean;
  /** Whether it counts how long the event took to come here. */
  readonly isMeasured: boolean;
}

/**
 * Makes an attempt to an active endpoint, if its breaker allows one, and draws the consequences. It has none where it was left after a second,
 * since its receiver may have had it or not: `left`, and the attempt is made anew in the queue of slow endpoints.
 */
export async function attemptNow(
  dependencies: AttemptDependencies,
  one: DeliveryInHand,
  { endpoint, text, isLate, isMeasured }: Posted,
): Promise<Attempted | 'left'> {
  const { delivery, number, fields } = one;
  const { logger, metrics } = dependencies;
  const turn = await takeTurn(dependencies, endpoint);
  if ('atLeastMs' in turn) {
    logger.debug('delivery waits: its endpoint has failed too often', { ...fields, waitMs: turn.atLeastMs });
    return { end: turn };
  }
  const tried = await postUntilSlow(dependencies, { endpoint, fields, mayWait: one.mayWait }, (leave) =>
    postEvent(dependencies, { delivery, endpoint, text, number }, leave),
  );
  if (tried === 'left') {
    logger.info('delivery is tried in the queue of slow endpoints', { ...fields, attempt: number });
    await giveTurnBack(dependencies, { endpoint, held: turn.held, fields });
    return 'left';
  }
  const { attempt, retryAfterMs } = tried;
  const { result, httpStatus, reason, durationMs } = attempt;
  logger.info('delivery tried', { ...fields, attempt: number, outcome: result, httpStatus, reason, durationMs });
  metrics.count('DeliveryAttempts', { outcome: result });
  if (isMeasured)
    metrics.measure('EventToDelivery', Math.max(0, attempt.atMs - Date.parse(firstEventIn(text).occurredAt)), {});
  const end = await conclude(dependencies, one, {
    endpoint,
    text,
    held: turn.held,
    isLate,
    result,
    retryAfterMs,
  });
  return { end, attempt };
}

async function readEvent(dependencies: EventLogDependencies, delivery: Delivery): Promise<string | undefined> {
  const { tenantId, eventId, eventIds } = delivery;
  const texts = await findEventTexts(dependencies, tenantId, eventIds ?? [eventId]);
  if (texts.length === 0) return undefined;
  return eventIds === undefined ? texts[0] : batchBody(texts);
}

interface Concluded {
  readonly endpoint: Endpoint;
  /** The event that was posted. */
  readonly text: string;
  readonly held: number | undefined;
  readonly isLate: boolean;
  readonly result: Attempt['result'];
  readonly retryAfterMs: number;
}

/**
 * Draws the consequences of an attempt for its endpoint and for what waits. A first success of an endpoint that is well
 * has none, and costs nothing.
 */
async function conclude(
  dependencies: AttemptDependencies,
  one: DeliveryInHand,
  { endpoint, text, held, isLate, result, retryAfterMs }: Concluded,
): Promise<Attempted['end']> {
  let openedForMs: number | undefined;
  if (result === 'gone') {
    if (!(await disable(dependencies, one, endpoint, { because: 'gone', text }))) return BY_SCHEDULE;
  } else {
    const end = { succeeded: result === 'delivered', retryAfterMs };
    openedForMs = await settleBreaker(dependencies, { endpoint, held, fields: one.fields }, end);
  }
  const failures = endpoint.breaker.failures + 1;
  if (result === 'failed' && hasFailedTooLong({ ...endpoint, failures }, dependencies.clock.nowMs())) {
    await disable(dependencies, one, endpoint, { because: 'failing', text });
  }
  if (result === 'failed') return nextWait(one.number, retryAfterMs, openedForMs);
  if (isLate || endpoint.breaker.failures > 0) await afterLateSuccess(dependencies, one, result);
  return 'done';
}

/** Disables an endpoint. Returns whether that is written and told; if not, the delivery comes again. */
async function disable(
  dependencies: AttemptDependencies,
  one: DeliveryInHand,
  endpoint: Endpoint,
  cause: Parameters<typeof disableEndpoint>[3],
): Promise<boolean> {
  try {
    await disableEndpoint(dependencies, one, endpoint, cause);
    return true;
  } catch (error) {
    dependencies.logger.warn('webhook could not be disabled; its delivery comes again', { ...one.fields, error });
    return false;
  }
}

/**
 * The wait before the next attempt. The delivery that has just opened the breaker is the scout: it finds out whether
 * the receiver is back.
 */
function nextWait(number: number, retryAfterMs: number, openedForMs: number | undefined): Postponed {
  const isScout = openedForMs !== undefined && number <= MOST_SCOUTS;
  const atLeastMs = Math.max(retryAfterMs, openedForMs ?? 0);
  return { atLeastMs, atMostMs: isScout ? atLeastMs : undefined, asked: retryAfterMs > 0 };
}

/**
 * Ends the waiting after a success, which shows that the receiver is back: this delivery waits no longer, and the
 * others that wait for the endpoint follow.
 */
async function afterLateSuccess(
  dependencies: AttemptDependencies,
  { delivery, fields }: DeliveryInHand,
  result: Attempt['result'],
): Promise<void> {
  const { logger, clock } = dependencies;
  try {
    await forgetWaiting(dependencies, delivery);
    if (result !== 'delivered') return;
    const released = await releaseWaiting(dependencies, delivery.endpointId, {
      nowMs: clock.nowMs(),
      evenIfAsked: false,
    });
    if (released > 0) logger.info('deliveries that waited were queued anew', { ...fields, count: released });
  } catch (error) {
    logger.warn('deliveries that wait come at their own time', { ...fields, error });
  }
}

async function postEvent(
  { clock, poster }: AttemptDependencies,
  of: { readonly delivery: Delivery; readonly endpoint: Endpoint; readonly text: string; readonly number: number },
  leave: StopSignal,
): Promise<{ readonly attempt: Attempt; readonly retryAfterMs: number } | 'left'> {
  const { delivery, endpoint, text, number } = of;
  const { endpointId, eventId, deliveryId, correlationId } = delivery;
  const atMs = clock.nowMs();
  // The webhook's id is that of the event or the batch, and so the same in each attempt.
  const post = { id: webhookIdOf(delivery), correlationId, body: text, atMs };
  const outcome = await postSigned(poster, endpoint, post, leave);
  const isAnswer = outcome.outcome === 'answered';
  if (leave.aborted && !isAnswer) return 'left';
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
    answer: isAnswer ? outcome.answer : undefined,
    events: delivery.eventIds?.length,
  };
  return { attempt, retryAfterMs: isAnswer ? outcome.retryAfterMs : 0 };
}
