import { z } from 'zod';
import { AppError } from '../../shared/kernel/appError.ts';
import { makeId } from '../../shared/kernel/id.ts';
import { judgeOutcome } from '../../shared/webhook/attempt.ts';
import { endpointViewSchema, toEndpointView, type Endpoint } from '../../shared/webhook/endpoint.ts';
import { batchBody } from '../../shared/webhook/eventBatch.ts';
import type { EndpointBreakerStore } from '../../shared/webhook/endpointBreakerStore.ts';
import { TEST_EVERY_MS } from '../../shared/webhook/endpointStore.ts';
import { postSigned, reasonOf, sentenceOf } from '../../shared/webhook/postSigned.ts';
import type { WebhookPoster } from '../../shared/webhook/postWebhook.ts';
import { RELEASE_LIMIT, releaseWaiting, type ReleaseDependencies } from '../../shared/webhook/releaseDeliveries.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { route, type Route } from '../http/route.ts';
import { findWebhook, type WebhookRouteDependencies } from './webhooks.ts';

export interface WebhookTrialDependencies
  extends Pick<Surroundings, 'random' | 'logger'>, WebhookRouteDependencies, ReleaseDependencies {
  readonly endpointBreakers: EndpointBreakerStore;
  readonly poster: Pick<WebhookPoster, 'post'>;
}

const testResultSchema = z
  .object({
    outcome: z.enum(['delivered', 'gone', 'failed']).meta({
      description:
        'delivered: 2xx. gone: 410, with which an event would disable the webhook; a test does not. failed: anything else.',
    }),
    httpStatus: z.number().int().optional().meta({ description: 'What the receiver answered, if it did.' }),
    reason: z.string().optional().meta({ description: 'Why there was no answer, as a code such as `ECONNREFUSED`.' }),
    sentence: z.string(),
    durationMs: z.number().int().meta({ description: 'Until the headers of the answer had come.' }),
    retryAfterSeconds: z.number().int().optional().meta({ description: 'How long the receiver asks us to wait.' }),
    eventId: z.string().meta({ description: 'The `webhook-id` of the test.' }),
    webhook: endpointViewSchema,
  })
  .meta({ id: 'WebhookTest' });

const resumedSchema = endpointViewSchema
  .extend({
    released: z
      .number()
      .int()
      .meta({ description: `Waiting deliveries that go out now, ${RELEASE_LIMIT} at most.` }),
  })
  .meta({ id: 'ResumedWebhook' });

const EXAMPLE_WEBHOOK = {
  id: 'end_01JDT7KZ3V9H2M8Q4S6T1R5N0P',
  url: 'https://example.com/hook',
  order: 'fast',
  state: 'active',
  createdAt: '2026-11-28T20:00:00.000Z',
} as const;
const TEST_EXAMPLE = {
  outcome: 'failed',
  reason: 'ECONNREFUSED',
  sentence: 'Nobody listens at the address and port of the URL.',
  durationMs: 4,
  eventId: 'test_01JDT7M5Y0Q8Z4B1N6K2C3W9XR',
  webhook: {
    ...EXAMPLE_WEBHOOK,
    breaker: { state: 'open', failures: 5, nextTrialAt: '2026-11-28T21:00:05.000Z' },
  },
} as const;
const RESUME_EXAMPLE = { ...EXAMPLE_WEBHOOK, breaker: { state: 'closed', failures: 0 }, released: 25 } as const;

/** Routes for a tenant whose receiver is back, or who wants to see whether it is. */
export function webhookTrialRoutes(dependencies: WebhookTrialDependencies): readonly Route[] {
  const { endpoints, clock } = dependencies;

  return [
    route('POST', '/v1/webhooks/{webhookId}/test', {
      summary: 'Post a signed test event now and see what becomes of it; success closes the breaker',
      problems: ['webhook_test_too_soon'],
      answers: { status: 200, schema: testResultSchema, example: TEST_EXAMPLE },
      handle: async ({ tenantId, parameters, correlationId }) => {
        const endpoint = await findWebhook(endpoints, tenantId, parameters['webhookId']);
        if ((await endpoints.takeTest(tenantId, endpoint.endpointId)) === 'too_soon') {
          throw new AppError('webhook_test_too_soon', { retryAfterSeconds: Math.ceil(TEST_EVERY_MS / 1_000) });
        }
        const test = makeTest(dependencies, endpoint, correlationId);
        const outcome = await postSigned(dependencies.poster, endpoint, test);
        const result = judgeOutcome(outcome);
        if (result === 'delivered') await letGo(dependencies, endpoint);
        const now = await findWebhook(endpoints, tenantId, endpoint.endpointId);
        const { durationMs } = outcome;
        const httpStatus = outcome.outcome === 'answered' ? outcome.httpStatus : undefined;
        const waitMs = outcome.outcome === 'answered' ? outcome.retryAfterMs : 0;
        const json: z.infer<typeof testResultSchema> = {
          outcome: result,
          ...(httpStatus === undefined ? { reason: reasonOf(outcome) } : { httpStatus }),
          sentence: sentenceOf(outcome),
          durationMs,
          ...(waitMs === 0 ? {} : { retryAfterSeconds: Math.ceil(waitMs / 1_000) }),
          eventId: test.id,
          webhook: toEndpointView(now, clock.nowMs()),
        };
        return { status: 200, json };
      },
    }),
    route('POST', '/v1/webhooks/{webhookId}/resume', {
      summary: 'Say that the receiver is back: the breaker closes, and what waits goes out',
      answers: { status: 200, schema: resumedSchema, example: RESUME_EXAMPLE },
      handle: async ({ tenantId, parameters }) => {
        const { endpointId } = await findWebhook(endpoints, tenantId, parameters['webhookId']);
        if ((await endpoints.resume(tenantId, endpointId)) === 'missing') throw new AppError('webhook_not_found');
        const nowMs = clock.nowMs();
        const released = await releaseWaiting(dependencies, endpointId, { nowMs, evenIfAsked: true });
        const now = await findWebhook(endpoints, tenantId, endpointId);
        return { status: 200, json: { ...toEndpointView(now, nowMs), released } };
      },
    }),
  ];
}

/**
 * Makes the event of a test. It has no place in the event log and no connection; its type belongs to no other event.
 */
function makeTest(
  { clock, random }: WebhookTrialDependencies,
  { tenantId, endpointId, batch }: Endpoint,
  correlationId: string,
) {
  const atMs = clock.nowMs();
  const id = `test_${makeId('cor', atMs, random).slice('cor_'.length)}`;
  const text = JSON.stringify({
    id,
    version: 1,
    type: 'webhook.test',
    tenantId,
    correlationId,
    occurredAt: new Date(atMs).toISOString(),
    data: { webhookId: endpointId, sentence: 'This is a test. Nothing has happened.' },
  });
  const body = batch === undefined ? text : batchBody([text]);
  return { id, correlationId, body, atMs };
}

/** Releases the deliveries that wait for an endpoint. The test has succeeded, whatever comes of this. */
async function letGo(dependencies: WebhookTrialDependencies, endpoint: Endpoint): Promise<void> {
  const { endpointBreakers, clock, logger } = dependencies;
  try {
    await endpointBreakers.close(endpoint);
    await releaseWaiting(dependencies, endpoint.endpointId, { nowMs: clock.nowMs(), evenIfAsked: false });
  } catch (error) {
    logger.warn('breaker could not be closed after a test', { endpointId: endpoint.endpointId, error });
  }
}
