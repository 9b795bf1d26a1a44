import { ChangeMessageVisibilityCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeDeliverHandler } from '../../../functions/deliver/handler.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { makeDeliveryId } from '../../../shared/kernel/id.ts';
import { AddressGuard, systemResolve } from '../../../shared/platform/addressGuard.ts';
import { TRIAL_HELD_MS } from '../../../shared/webhook/endpointBreaker.ts';
import { toEndpointView, type Endpoint } from '../../../shared/webhook/endpoint.ts';
import { makeWebhookPoster, type WebhookPoster } from '../../../shared/webhook/postWebhook.ts';
import { keepingMetrics } from '../../shared/platform/keepingMetrics.ts';
import { startReceiver, type Receiver } from '../../shared/webhook/receiver.ts';
import { aRecord, aTenantWith, startQueueStack, type QueueStack } from '../queueStack.ts';
import { aStatusDraft, logEvent } from '../../shared/event/loggedEvents.ts';

/** The time for which the breaker opens with a jitter of one half. */
const OPEN_MS = 4_500;
const SECOND_OPEN_MS = 9_000;

describe('deliver to an endpoint that fails', () => {
  let stack: QueueStack;
  let poster: WebhookPoster;
  let receiver: Receiver;
  let status = 500;
  let metrics = keepingMetrics();
  const queue = mockClient(SQSClient);
  beforeAll(async () => {
    stack = await startQueueStack();
  });
  afterAll(async () => {
    queue.restore();
    await stack.stop();
  });
  beforeEach(async () => {
    status = 500;
    metrics = keepingMetrics();
    queue.reset();
    queue.on(ChangeMessageVisibilityCommand).resolves({});
    receiver = await startReceiver((_request, response) => response.writeHead(status).end());
    const guard = new AddressGuard({ resolve: systemResolve, allowLoopback: true });
    poster = makeWebhookPoster({ guard, clock: systemClock, timeoutMs: 5_000 });
  });
  afterEach(async () => {
    await Promise.all([poster.close(), receiver.stop()]);
  });

  /** Another instance of the function each time: nothing is shared but the tables. */
  const anInstance = () =>
    makeDeliverHandler({
      ...stack,
      poster,
      metrics,
      queue: queue as unknown as SQSClient,
      random: { ...stack.random, unit: () => 0.5 },
    });
  const aFailingEndpoint = async (): Promise<{ readonly body: string; readonly now: () => Promise<Endpoint> }> => {
    const { tenantId, endpoints } = await aTenantWith(stack, [{ url: `${receiver.url}/hook` }]);
    const [endpoint] = endpoints;
    if (endpoint === undefined) throw new Error('the tenant has no endpoint');
    const { endpointId } = endpoint;
    const eventId = await logEvent(stack, aStatusDraft(tenantId));
    const deliveryId = makeDeliveryId(endpointId, eventId);
    const body = JSON.stringify({ version: 1, tenantId, endpointId, eventId, correlationId: 'cor-1', deliveryId });
    const now = async (): Promise<Endpoint> => {
      const found = await stack.endpoints.find(tenantId, endpointId);
      if (found === undefined) throw new Error('the endpoint is gone');
      return found;
    };
    return { body, now };
  };
  const deliver = (body: string, times = 1): Promise<unknown> =>
    Promise.all(Array.from({ length: times }, () => anInstance()({ Records: [aRecord(body)] })));
  const breakerOf = async (now: () => Promise<Endpoint>) => toEndpointView(await now(), stack.clock.nowMs()).breaker;
  const hiddenSeconds = (): readonly (number | undefined)[] =>
    queue.commandCalls(ChangeMessageVisibilityCommand).map(({ args }) => args[0].input.VisibilityTimeout);

  it('opens after five attempts in a row that failed, and lets deliveries wait instead of posting them', async () => {
    const { body, now } = await aFailingEndpoint();

    for (let attempt = 0; attempt < 5; attempt += 1) await deliver(body);
    stack.clock.advance(1_500);
    await deliver(body, 3);

    expect(receiver.received).toHaveLength(5);
    expect(await breakerOf(now)).toEqual({
      state: 'open',
      failures: 5,
      nextTrialAt: new Date(stack.clock.nowMs() + OPEN_MS - 1_500).toISOString(),
    });
    // The one that opened it looks when its time is over; the others come by their schedule, or when it succeeds.
    expect(hiddenSeconds().slice(4)).toEqual([5, 5, 5, 5]);
    expect(metrics.totalOf('BreakerOpened', { dependency: 'webhook' })).toBe(1);
  });

  it('opens when the failures come at once in many instances, and counts that once', async () => {
    const { body, now } = await aFailingEndpoint();

    await deliver(body, 8);
    await deliver(body, 4);

    expect(receiver.received).toHaveLength(8);
    expect((await breakerOf(now)).state).toBe('open');
    expect(metrics.totalOf('BreakerOpened')).toBe(1);
  });

  it('tries with one delivery when its time is over, and waits for twice as long when that fails', async () => {
    const { body, now } = await aFailingEndpoint();
    await deliver(body, 5);

    stack.clock.advance(OPEN_MS);
    await deliver(body, 6);

    expect(receiver.received).toHaveLength(6);
    expect(await breakerOf(now)).toMatchObject({
      state: 'open',
      nextTrialAt: new Date(stack.clock.nowMs() + SECOND_OPEN_MS).toISOString(),
    });
  });

  it('closes after one trial that succeeds, and is then as if nothing had been', async () => {
    const { body, now } = await aFailingEndpoint();
    await deliver(body, 5);
    stack.clock.advance(OPEN_MS);
    status = 200;

    await deliver(body);
    const after = await breakerOf(now);
    await deliver(body, 4);

    expect(after).toEqual({ state: 'closed', failures: 0 });
    expect(receiver.received).toHaveLength(5 + 1 + 4);
  });

  it('begins anew after a success, and writes nothing on the successes that follow', async () => {
    const { body, now } = await aFailingEndpoint();
    await deliver(body, 4);
    status = 200;
    await deliver(body);
    const forgotten = await breakerOf(now);
    status = 500;
    await deliver(body, 4);

    const after = await breakerOf(now);

    expect(forgotten).toEqual({ state: 'closed', failures: 0 });
    expect(after).toEqual({ state: 'closed', failures: 4 });
  });

  it('gives the trial of a function that died to another one', async () => {
    const { body, now } = await aFailingEndpoint();
    await deliver(body, 5);
    stack.clock.advance(OPEN_MS);
    const { breaker, tenantId, endpointId } = await now();
    const seen = breaker.openUntilMs ?? 0;
    await stack.breakers.takeTrial({ tenantId, endpointId }, seen, stack.clock.nowMs());

    await deliver(body);
    stack.clock.advance(TRIAL_HELD_MS);
    status = 200;
    await deliver(body);

    expect(receiver.received).toHaveLength(6);
    expect((await breakerOf(now)).state).toBe('closed');
  });
});
