import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeDeliverHandler } from '../../../functions/deliver/handler.ts';
import { findEvent } from '../../../shared/event/eventPages.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import type { CorrelationId, EventId, TenantId } from '../../../shared/kernel/id.ts';
import { AddressGuard, systemResolve } from '../../../shared/platform/addressGuard.ts';
import { listAttempts } from '../../../shared/webhook/attemptItems.ts';
import { toDeliveries, webhookIdOf, type Delivery } from '../../../shared/webhook/delivery.ts';
import type { Endpoint } from '../../../shared/webhook/endpoint.ts';
import { makeWebhookPoster, type WebhookPoster } from '../../../shared/webhook/postWebhook.ts';
import { releaseWaiting } from '../../../shared/webhook/releaseDeliveries.ts';
import { aStatusDraft, logEvent } from '../../shared/event/loggedEvents.ts';
import { startReceiver, type Receiver } from '../../shared/webhook/receiver.ts';
import { aRecord, aTenantWith, startQueueStack, takeDeliveries, type QueueStack } from '../queueStack.ts';

describe('events that go in one request', () => {
  let stack: QueueStack;
  let poster: WebhookPoster;
  let receiver: Receiver;
  let status = 200;
  beforeAll(async () => {
    stack = await startQueueStack();
  });
  afterAll(() => stack.stop());
  beforeEach(async () => {
    status = 200;
    receiver = await startReceiver((_request, response) => response.writeHead(status).end());
    const guard = new AddressGuard({ resolve: systemResolve, allowLoopback: true });
    poster = makeWebhookPoster({ guard, clock: systemClock, timeoutMs: 5_000 });
  });
  afterEach(async () => {
    await Promise.all([poster.close(), receiver.stop()]);
  });

  const anEndpoint = async (): Promise<Endpoint> => {
    const { endpoints } = await aTenantWith(stack, [{ url: `${receiver.url}/hook`, batch: { maxEvents: 100 } }]);
    const [made] = endpoints;
    const endpoint = made && (await stack.endpoints.find(made.tenantId, made.endpointId));
    if (endpoint === undefined) throw new Error('the tenant has no endpoint');
    return endpoint;
  };
  const textOf = async (tenantId: TenantId, eventId: EventId): Promise<string> =>
    JSON.stringify(await findEvent(stack, tenantId, eventId));
  const aBatch = async (endpoint: Endpoint): Promise<Delivery> => {
    const { tenantId } = endpoint;
    const ids = [await logEvent(stack, aStatusDraft(tenantId)), await logEvent(stack, aStatusDraft(tenantId))];
    const events = await Promise.all(
      ids.map(async (eventId) => {
        const text = await textOf(tenantId, eventId);
        return { eventId, type: 'connection.status', correlationId: 'cor-of-request' as CorrelationId, text } as const;
      }),
    );
    const [delivery, ...others] = toDeliveries([endpoint], events);
    if (delivery === undefined || others.length > 0) throw new Error('there is one batch');
    return delivery;
  };
  const attempt = async (delivery: Delivery, receiveCount = 1): Promise<boolean> => {
    const send = (command: Parameters<typeof stack.queue.send>[0]) =>
      command.constructor.name === 'ChangeMessageVisibilityCommand' ? Promise.resolve({}) : stack.queue.send(command);
    const queue = Object.assign(Object.create(stack.queue) as typeof stack.queue, { send });
    const record = aRecord(JSON.stringify(delivery));
    const attributes = { ...record.attributes, ApproximateReceiveCount: String(receiveCount) };
    const { batchItemFailures } = await makeDeliverHandler({ ...stack, poster, queue })({
      Records: [{ ...record, attributes }],
    });
    return batchItemFailures.length > 0;
  };

  it('are posted in their order under one id and one signature, and noted as one attempt', async () => {
    const endpoint = await anEndpoint();
    const delivery = await aBatch(endpoint);

    const stays = await attempt(delivery);

    const [post] = receiver.received;
    const { headers, body = '' } = post ?? {};
    const id = webhookIdOf(delivery);
    const key = Buffer.from(endpoint.secret.reveal().slice('whsec_'.length), 'base64');
    const signed = `${id}.${String(headers?.['webhook-timestamp'])}.${body}`;
    expect(stays).toBe(false);
    expect(receiver.received).toHaveLength(1);
    expect((JSON.parse(body) as { events: { id: string }[] }).events.map((one) => one.id)).toEqual(delivery.eventIds);
    expect(headers?.['webhook-id']).toBe(id);
    expect(headers?.['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
    expect(await listAttempts(stack, endpoint.endpointId, { limit: 5, nowMs: 0 })).toMatchObject([
      { eventId: delivery.eventId, deliveryId: delivery.deliveryId, events: 2, result: 'delivered' },
    ]);
  });

  it('come again as a whole, with the same id and the same bytes, also from the log after a long wait', async () => {
    const endpoint = await anEndpoint();
    const delivery = await aBatch(endpoint);
    status = 500;

    const stays = [await attempt(delivery, 1), await attempt(delivery, 7)];
    await releaseWaiting(stack, endpoint.endpointId, { nowMs: stack.clock.nowMs(), evenIfAsked: true });
    const [anew] = await takeDeliveries(stack);
    status = 200;
    await attempt(anew as Delivery);

    expect(stays).toEqual([true, false]);
    expect(anew).toMatchObject({ eventIds: delivery.eventIds, deliveryId: delivery.deliveryId, round: 1 });
    expect(anew?.event).toBeUndefined();
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id']))).toEqual(
      new Set([webhookIdOf(delivery)]),
    );
    expect(new Set(receiver.received.map(({ body }) => body))).toEqual(new Set([delivery.event]));
    expect(receiver.received).toHaveLength(3);
  });

  it('are told by their connection where their webhook is disabled for them', async () => {
    const endpoint = await anEndpoint();
    status = 410;

    await attempt(await aBatch(endpoint));

    const found = await stack.endpoints.find(endpoint.tenantId, endpoint.endpointId);
    expect(found).toMatchObject({
      state: 'disabled',
      disabling: { connectionId: expect.stringMatching(/./), isTold: true },
    });
  });
});
