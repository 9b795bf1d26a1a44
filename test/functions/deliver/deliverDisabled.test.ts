import { DeleteMessageCommand, type Message } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeDeliverHandler, type DeliverDependencies } from '../../../functions/deliver/handler.ts';
import { makeIngestHandler } from '../../../functions/ingest/handler.ts';
import { findEvent } from '../../../shared/event/eventPages.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { makeDeliveryId, type CorrelationId } from '../../../shared/kernel/id.ts';
import { AddressGuard, systemResolve } from '../../../shared/platform/addressGuard.ts';
import { eventQueueName } from '../../../shared/platform/queues.ts';
import type { Delivery } from '../../../shared/webhook/delivery.ts';
import type { Endpoint } from '../../../shared/webhook/endpoint.ts';
import { failingRule, hasFailedTooLong } from '../../../shared/webhook/endpointBreaker.ts';
import { makeWebhookPoster, type WebhookPoster } from '../../../shared/webhook/postWebhook.ts';
import { releaseWaiting } from '../../../shared/webhook/releaseDeliveries.ts';
import { aStatusDraft, logEvent } from '../../shared/event/loggedEvents.ts';
import { startReceiver, type Receiver } from '../../shared/webhook/receiver.ts';
import { aRecord, aTenantWith, receive, startQueueStack, takeDeliveries, type QueueStack } from '../queueStack.ts';

describe('a webhook that is disabled', () => {
  let stack: QueueStack;
  let poster: WebhookPoster;
  let receiver: Receiver;
  let [status, laterMs] = [500, 0];
  beforeAll(async () => {
    stack = await startQueueStack();
  });
  afterAll(() => stack.stop());
  beforeEach(async () => {
    [status, laterMs] = [500, 0];
    receiver = await startReceiver((_request, response) => response.writeHead(status).end());
    const guard = new AddressGuard({ resolve: systemResolve, allowLoopback: true });
    poster = makeWebhookPoster({ guard, clock: systemClock, timeoutMs: 5_000 });
    await Promise.all([takeDeliveries(stack), takeFacts()]);
  });
  afterEach(async () => {
    await Promise.all([poster.close(), receiver.stop()]);
  });

  const clock = () => ({ ...stack.clock, nowMs: () => stack.clock.nowMs() + laterMs });
  const twoEndpoints = async (): Promise<{ readonly endpoint: Endpoint; readonly other: Endpoint }> => {
    const { endpoints } = await aTenantWith(stack, [{ url: `${receiver.url}/hook` }, { url: `${receiver.url}/other` }]);
    const [endpoint, other] = endpoints;
    if (endpoint === undefined || other === undefined) throw new Error('the tenant has no endpoints');
    return { endpoint, other };
  };
  const aDelivery = async ({ tenantId, endpointId }: Endpoint): Promise<Delivery> => {
    const eventId = await logEvent(stack, aStatusDraft(tenantId));
    const correlationId = 'cor-of-request' as CorrelationId;
    const deliveryId = makeDeliveryId(endpointId, eventId);
    return { version: 1, tenantId, endpointId, eventId, correlationId, deliveryId };
  };
  /** Has an instance of the function try a delivery. Returns whether its message stays in the queue. */
  const attempt = async (delivery: Delivery, overrides: Partial<DeliverDependencies> = {}): Promise<boolean> => {
    const send = (command: Parameters<typeof stack.queue.send>[0]) =>
      command.constructor.name === 'ChangeMessageVisibilityCommand' ? Promise.resolve({}) : stack.queue.send(command);
    const queue = Object.assign(Object.create(stack.queue) as typeof stack.queue, { send });
    const handler = makeDeliverHandler({ ...stack, clock: clock(), poster, queue, ...overrides });
    return (await handler({ Records: [aRecord(JSON.stringify(delivery))] })).batchItemFailures.length > 0;
  };
  const now = ({ tenantId, endpointId }: Endpoint) => stack.endpoints.find(tenantId, endpointId);
  /** Has a receiver fail so often, each time when its breaker lets one through. */
  const fail = async (endpoint: Endpoint, times: number): Promise<void> => {
    for (let count = 0; count < times; count += 1) {
      await attempt(await aDelivery(endpoint));
      laterMs += 61_000;
    }
  };
  const takeFacts = async (): Promise<readonly Message[]> => {
    const QueueUrl = `${stack.queueUrlBase}${eventQueueName(stack.stage)}`;
    const found: Message[] = [];
    for (let some = await receive(stack, QueueUrl); some.length > 0; some = await receive(stack, QueueUrl)) {
      found.push(...some);
      for (const { ReceiptHandle } of some) {
        await stack.queue.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    }
    return found;
  };
  const causesOf = (messages: readonly Message[]) =>
    messages
      .flatMap(({ Body = '' }) => (JSON.parse(Body) as { events: readonly Record<string, unknown>[] }).events)
      .map(({ kind, because, webhookId }) => ({ kind, because, webhookId }));

  it('is so after five days in which it took nothing, and its tenant is told, at its other webhooks, too', async () => {
    const { endpoint, other } = await twoEndpoints();
    await fail(endpoint, 10);
    laterMs += failingRule.afterMs;

    await attempt(await aDelivery(endpoint));

    const disabled = await now(endpoint);
    expect(disabled).toMatchObject({ state: 'disabled', disabling: { because: 'failing', isTold: true } });
    const facts = await takeFacts();
    expect(causesOf(facts)).toEqual([{ kind: 'webhook_disabled', because: 'failing', webhookId: endpoint.endpointId }]);
    await takeDeliveries(stack);
    const group = facts[0]?.Attributes?.MessageGroupId ?? '';
    await makeIngestHandler(stack)({ Records: [aRecord(facts[0]?.Body ?? '', { group })] });
    const told = await takeDeliveries(stack);
    expect(told.map(({ endpointId }) => endpointId)).toEqual([other.endpointId]);
    const event = await findEvent(stack, endpoint.tenantId, told[0]?.eventId ?? ('' as never));
    expect(event).toMatchObject({
      type: 'webhook.disabled',
      data: { webhookId: endpoint.endpointId, because: 'failing', failingSince: expect.any(String) },
    });
  });

  it('is not so before, nor after one success, nor where it failed seldom', async () => {
    const [early, well, quiet] = [await twoEndpoints(), await twoEndpoints(), await twoEndpoints()];
    await fail(early.endpoint, 10);
    await fail(well.endpoint, 10);
    await fail(quiet.endpoint, 2);
    laterMs += failingRule.afterMs / 2;
    await attempt(await aDelivery(early.endpoint));
    status = 200;
    await attempt(await aDelivery(well.endpoint));
    status = 500;
    laterMs += failingRule.afterMs;
    await attempt(await aDelivery(well.endpoint));
    await attempt(await aDelivery(quiet.endpoint));

    const states = await Promise.all([early, well, quiet].map(async ({ endpoint }) => (await now(endpoint))?.state));

    expect(states).toEqual(['active', 'active', 'active']);
    expect(await takeFacts()).toEqual([]);
  });

  it('is so after a 410, and its tenant is told the same way', async () => {
    const { endpoint } = await twoEndpoints();
    status = 410;

    await attempt(await aDelivery(endpoint));

    expect(await now(endpoint)).toMatchObject({ state: 'disabled', disabling: { because: 'gone', isTold: true } });
    expect(causesOf(await takeFacts())).toMatchObject([{ because: 'gone' }]);
  });

  it('is told by the next delivery where the function died before it had told', async () => {
    const { endpoint } = await twoEndpoints();
    status = 410;
    const delivery = await aDelivery(endpoint);
    const queue = Object.assign(Object.create(stack.queue) as typeof stack.queue, {
      send: () => Promise.reject(new Error('died')),
    });

    const stays = await attempt(delivery, { queue });
    const untold = await now(endpoint);
    await attempt(delivery);
    await attempt(await aDelivery(endpoint));

    expect(stays).toBe(true);
    expect(untold).toMatchObject({ state: 'disabled', disabling: { isTold: false } });
    expect(await now(endpoint)).toMatchObject({ disabling: { isTold: true } });
    expect(causesOf(await takeFacts())).toHaveLength(1);
    expect(receiver.received).toHaveLength(1);
  });

  it('gets what it did not take, once it is resumed', async () => {
    const { endpoint } = await twoEndpoints();
    await fail(endpoint, 10);
    laterMs += failingRule.afterMs;
    await attempt(await aDelivery(endpoint));
    const late = await aDelivery(endpoint);
    await attempt(late);
    const { tenantId, endpointId } = endpoint;

    await stack.endpoints.resume(tenantId, endpointId);
    const released = await releaseWaiting(stack, endpointId, { nowMs: clock().nowMs(), evenIfAsked: true });

    expect(released).toBe(12);
    expect((await takeDeliveries(stack)).map(({ eventId }) => eventId)).toContain(late.eventId);
    expect(await now(endpoint)).toMatchObject({ state: 'active', disabling: undefined, failingSinceMs: undefined });
  });
});

describe('the rule by which a webhook is disabled', () => {
  const day = 86_400_000;

  it.each([
    { name: 'five days and ten failures', failingSinceMs: 0, failures: 10, nowMs: 5 * day, is: true },
    { name: 'a millisecond less', failingSinceMs: 1, failures: 10, nowMs: 5 * day, is: false },
    { name: 'one failure less', failingSinceMs: 0, failures: 9, nowMs: 5 * day, is: false },
    { name: 'no failure', failingSinceMs: undefined, failures: 50, nowMs: 50 * day, is: false },
  ])('says $is of $name', ({ failingSinceMs, failures, nowMs, is }) => {
    expect(hasFailedTooLong({ failingSinceMs, failures }, nowMs)).toBe(is);
  });
});
