import { z } from 'zod';
import type { TenantEvent } from '../../shared/event/event.ts';
import type { EventLogDependencies } from '../../shared/event/eventLog.ts';
import { findEvent } from '../../shared/event/eventPages.ts';
import { readEvents } from '../../shared/event/readEvents.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import { isDeliveryIdOf, type ConnectionId, type CorrelationId, type EventId } from '../../shared/kernel/id.ts';
import type { Attempt } from '../../shared/webhook/attempt.ts';
import { isAttemptPlace, pageOfAttempts } from '../../shared/webhook/attemptItems.ts';
import { isStrict, putIntoChains } from '../../shared/webhook/chainEvents.ts';
import {
  enqueueDeliveries,
  sendDeliveries,
  wantedOf,
  type DeliverableEvent,
  type DeliveryQueue,
} from '../../shared/webhook/delivery.ts';
import type { Endpoint } from '../../shared/webhook/endpoint.ts';
import { releaseFailed, type ReleaseDependencies } from '../../shared/webhook/releaseDeliveries.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { route, type Route } from '../http/route.ts';
import { findWebhook, type WebhookRouteDependencies } from './webhooks.ts';
import { limitSchema, pageOf, toPage } from './views.ts';

export interface WebhookDeliveryDependencies
  extends WebhookRouteDependencies, EventLogDependencies, ReleaseDependencies, Pick<Surroundings, 'random'> {}

const attemptSchema = z
  .object({
    eventId: z.string(),
    events: z.number().int().optional().meta({ description: 'Of a batch: how many events; `eventId` is the first.' }),
    deliveryId: z.string(),
    number: z.number().int().meta({ description: 'Of the attempt: 1 is the first.' }),
    at: z.iso.datetime(),
    result: z.enum(['delivered', 'failed', 'gone']),
    httpStatus: z.number().int().optional().meta({ description: 'What the receiver answered, if it did.' }),
    reason: z.string().optional().meta({ description: 'Why there was no answer, as a code such as `ECONNREFUSED`.' }),
    durationMs: z.number().int(),
    answer: z.string().optional().meta({
      description:
        'The first kilobyte of what the receiver answered, of an attempt that it did not take; absent where that is empty or no text.',
    }),
  })
  .meta({ id: 'WebhookAttempt' });

const toAttemptView = ({ atMs, httpStatus, reason, answer, events, ...attempt }: Attempt) => ({
  eventId: attempt.eventId,
  ...(events === undefined ? {} : { events }),
  deliveryId: attempt.deliveryId,
  number: attempt.number,
  at: new Date(atMs).toISOString(),
  result: attempt.result,
  ...(httpStatus === undefined ? {} : { httpStatus }),
  ...(reason === undefined ? {} : { reason }),
  durationMs: attempt.durationMs,
  ...(answer === undefined ? {} : { answer }),
});

/** The most events that are named in one request. */
const MOST_EVENTS = 100;
/** The events that one request looks through in the log. */
const LOOKED_AT = { pages: 10, events: 100 } as const;

const replaySchema = z
  .strictObject({
    eventIds: z.array(z.string().max(64)).min(1).max(MOST_EVENTS).optional(),
    failed: z.literal(true).optional().meta({
      description: 'All that failed and was not taken since: what waits, lies in the dead letters or was given up.',
    }),
    since: z.iso.datetime({ offset: true }).optional().meta({
      description:
        'Events that happened at this time or later; with `failed`, what failed first at this time or later.',
    }),
    until: z.iso.datetime({ offset: true }).optional().meta({ description: 'Events that happened before this time.' }),
    after: z.string().optional().meta({ description: '`next` of the answer before, to go on.' }),
  })
  .refine(({ eventIds, failed, since, after, until }) => {
    const isRange = since !== undefined || after !== undefined;
    if (failed === true) return eventIds === undefined && until === undefined;
    return eventIds === undefined ? isRange : !isRange && until === undefined;
  }, 'must have either `eventIds`, or `failed`, or `since` or `after`')
  .meta({ id: 'WebhookReplay', example: { since: '2026-11-30T08:00:00Z', until: '2026-11-30T09:00:00Z' } });
type Replay = z.infer<typeof replaySchema>;

const replayedSchema = z
  .object({
    queued: z.number().int().meta({ description: 'Deliveries that were put into the queue.' }),
    missing: z.array(z.string()).meta({ description: 'Event ids that the log does not have, or not any more.' }),
    hasMore: z.boolean(),
    next: z.string().optional().meta({ description: 'Where to go on, of a time range: with the same times.' }),
  })
  .meta({ id: 'WebhookReplayed' });

/** Routes that show what was delivered to a webhook, and that have it delivered again. */
export function webhookDeliveryRoutes(dependencies: WebhookDeliveryDependencies): readonly Route[] {
  const { endpoints, clock } = dependencies;
  return [
    route('GET', '/v1/webhooks/{webhookId}/attempts', {
      summary: 'List the attempts to deliver to a webhook, newest first',
      description: 'They are kept for 30 days. A page may have a few more than `limit`.',
      query: z.strictObject({
        before: z.string().max(200).optional().meta({ description: '`next` of the page before.' }),
        limit: limitSchema,
      }),
      answers: { status: 200, schema: pageOf(attemptSchema) },
      handle: async ({ tenantId, parameters, query: { before, limit } }) => {
        const { endpointId } = await findWebhook(endpoints, tenantId, parameters['webhookId']);
        if (before !== undefined && !isAttemptPlace(before)) throw new AppError('invalid_cursor');
        const page = await pageOfAttempts(dependencies, endpointId, { before, limit, nowMs: clock.nowMs() });
        return { status: 200, json: toPage(page.attempts.map(toAttemptView), page.next) };
      },
    }),
    route('POST', '/v1/webhooks/{webhookId}/replay', {
      summary: 'Deliver events once more: some of them, all that failed, or all since a time',
      description:
        'Of a time range one request looks through 1,000 events, and of what failed through 500 deliveries; go on with `next` while `hasMore`. What the webhook does not want is passed. Each delivery has the `webhook-id` that it had before.',
      body: replaySchema,
      problems: ['invalid_cursor', 'webhook_disabled'],
      answers: { status: 200, schema: replayedSchema },
      handle: async ({ tenantId, parameters, body }) => {
        const endpoint = await findWebhook(endpoints, tenantId, parameters['webhookId']);
        if (endpoint.state !== 'active') throw new AppError('webhook_disabled');
        const { eventIds, failed } = body;
        const replay = failed === true ? replayFailed : replayRange;
        const json =
          eventIds === undefined
            ? await replay(dependencies, endpoint, body)
            : await replaySome(dependencies, endpoint, eventIds);
        return { status: 200, json };
      },
    }),
  ];
}

async function replaySome(
  dependencies: WebhookDeliveryDependencies,
  endpoint: Endpoint,
  eventIds: readonly string[],
): Promise<z.infer<typeof replayedSchema>> {
  const named = [...new Set(eventIds)];
  const found = await Promise.all(
    named.map((eventId) => findEvent(dependencies, endpoint.tenantId, eventId as EventId)),
  );
  const missing = named.filter((_eventId, place) => found[place] === undefined);
  const queued = await putIntoQueue(
    dependencies,
    endpoint,
    found.filter((event) => event !== undefined),
  );
  return { queued, missing, hasMore: false };
}

/** Puts what failed into the queue once more. Where a process dies, the caller asks again: a few come twice. */
async function replayFailed(
  dependencies: WebhookDeliveryDependencies,
  { endpointId }: Endpoint,
  { since, after }: Replay,
): Promise<z.infer<typeof replayedSchema>> {
  if (after !== undefined && !isDeliveryIdOf(endpointId, after)) throw new AppError('invalid_cursor');
  const { released, next } = await releaseFailed(dependencies, endpointId, {
    nowMs: dependencies.clock.nowMs(),
    sinceMs: since === undefined ? -Infinity : Date.parse(since),
    after,
  });
  return { queued: released, missing: [], hasMore: next !== undefined, ...(next === undefined ? {} : { next }) };
}

/** Puts the events of a range into the queue, page by page. Where a process dies, the caller asks again: a few come twice. */
async function replayRange(
  dependencies: WebhookDeliveryDependencies,
  endpoint: Endpoint,
  { since, until, after }: Replay,
): Promise<z.infer<typeof replayedSchema>> {
  const fromMs = since === undefined ? -Infinity : Date.parse(since);
  const toMs = until === undefined ? Infinity : Date.parse(until);
  let place = after;
  let queued = 0;
  for (let pages = 1; ; pages += 1) {
    const page = await readEvents(dependencies, endpoint.tenantId, place, LOOKED_AT.events);
    const within = page.events.filter(({ occurredAt }) => {
      const atMs = Date.parse(occurredAt);
      return fromMs <= atMs && atMs < toMs;
    });
    queued += await (isStrict(endpoint) ? putIntoItsChains : putIntoQueue)(dependencies, endpoint, within);
    place = page.next;
    if (!page.hasMore) return { queued, missing: [], hasMore: false };
    if (pages === LOOKED_AT.pages) return { queued, missing: [], hasMore: true, next: page.next };
  }
}

function putIntoQueue(
  dependencies: DeliveryQueue,
  endpoint: Endpoint,
  events: readonly TenantEvent[],
): Promise<number> {
  return enqueueDeliveries(dependencies, [endpoint], events.map(toDeliverable));
}

/** Has the chains of an endpoint go back to the first of these events of each connection. Returns how many it wants. */
async function putIntoItsChains(
  dependencies: WebhookDeliveryDependencies,
  endpoint: Endpoint,
  events: readonly TenantEvent[],
): Promise<number> {
  for (const [connectionId, some] of Map.groupBy(events, (event) => event.connectionId as ConnectionId)) {
    const deliverable = some.map(toDeliverable);
    await sendDeliveries(dependencies, await putIntoChains(dependencies, [endpoint], connectionId, deliverable, true));
  }
  return wantedOf(endpoint, events.map(toDeliverable)).length;
}

const toDeliverable = (event: TenantEvent): DeliverableEvent => ({
  eventId: event.id as EventId,
  type: event.type,
  correlationId: event.correlationId as CorrelationId,
  text: JSON.stringify(event),
});
