import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeDeliverHandler, type DeliverDependencies } from '../../../functions/deliver/handler.ts';
import { makeReconcileHandler } from '../../../functions/reconcile/handler.ts';
import { letterKinds } from '../../../shared/deadLetters/deadLetter.ts';
import { readDeadLetters } from '../../../shared/deadLetters/readDeadLetters.ts';
import { settleDeadLetters } from '../../../shared/deadLetters/settleDeadLetters.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { makeDeliveryId, type CorrelationId } from '../../../shared/kernel/id.ts';
import { AddressGuard, systemResolve } from '../../../shared/platform/addressGuard.ts';
import { DELIVERY_ATTEMPTS } from '../../../shared/webhook/attempt.ts';
import type { Delivery } from '../../../shared/webhook/delivery.ts';
import type { Endpoint } from '../../../shared/webhook/endpoint.ts';
import { makeWebhookPoster, type WebhookPoster } from '../../../shared/webhook/postWebhook.ts';
import { releaseWaiting } from '../../../shared/webhook/releaseDeliveries.ts';
import { aStatusDraft, logEvent } from '../../shared/event/loggedEvents.ts';
import { startReceiver, type Receiver } from '../../shared/webhook/receiver.ts';
import { aRecord, aTenantWith, startQueueStack, takeDeliveries, type QueueStack } from '../queueStack.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

describe('deliveries that wait for hours', () => {
  let stack: QueueStack;
  let poster: WebhookPoster;
  let receiver: Receiver;
  let [status, headers]: [number, Record<string, string>] = [500, {}];
  /** How much later it is than now: the windows of earlier tests are over, so time goes on. */
  let laterMs = 0;
  beforeAll(async () => {
    stack = await startQueueStack();
  });
  afterAll(() => stack.stop());
  beforeEach(async () => {
    [status, headers] = [500, {}];
    receiver = await startReceiver((_request, response) => response.writeHead(status, headers).end());
    const guard = new AddressGuard({ resolve: systemResolve, allowLoopback: true });
    poster = makeWebhookPoster({ guard, clock: systemClock, timeoutMs: 5_000 });
    await reconcile();
    await takeDeliveries(stack);
    await settleDeadLetters(letters(), 'deliveries', { act: 'discard', by: 'test', isMeant: () => true, most: MOST });
  });
  afterEach(async () => {
    await Promise.all([poster.close(), receiver.stop()]);
  });

  const MOST = { looked: 100, settled: 100 } as const;
  const letters = () => ({ ...stack, findConnection: () => Promise.resolve(undefined) });
  const clock = () => ({ ...stack.clock, nowMs: () => stack.clock.nowMs() + laterMs });
  /** One run, which goes through two hours at most. */
  const reconcile = (): Promise<void> => makeReconcileHandler({ ...stack, clock: clock() })();
  const anEndpoint = async (): Promise<Endpoint> => {
    const { endpoints } = await aTenantWith(stack, [{ url: `${receiver.url}/hook` }]);
    const [endpoint] = endpoints;
    if (endpoint === undefined) throw new Error('the tenant has no endpoint');
    return endpoint;
  };
  const aDelivery = async ({ tenantId, endpointId }: Endpoint): Promise<Delivery> => {
    const eventId = await logEvent(stack, aStatusDraft(tenantId));
    const correlationId = 'cor-of-request' as CorrelationId;
    const deliveryId = makeDeliveryId(endpointId, eventId);
    return { version: 1, tenantId, endpointId, eventId, correlationId, deliveryId };
  };
  /** Has the function try a delivery that was given out so often. Returns whether its message stays in the queue. */
  const attempt = async (delivery: Delivery, receiveCount = 1, overrides: Partial<DeliverDependencies> = {}) => {
    const record = aRecord(JSON.stringify(delivery));
    const attributes = { ...record.attributes, ApproximateReceiveCount: String(receiveCount) };
    // Nothing is received in these tests, so there is no message to hide.
    const send = (command: Parameters<typeof stack.queue.send>[0]) =>
      command.constructor.name === 'ChangeMessageVisibilityCommand' ? Promise.resolve({}) : stack.queue.send(command);
    const queue = Object.assign(Object.create(stack.queue) as typeof stack.queue, { send });
    const parts = {
      ...stack,
      clock: clock(),
      poster,
      queue,
      random: { ...stack.random, unit: () => 0.5 },
      ...overrides,
    };
    const { batchItemFailures } = await makeDeliverHandler(parts)({ Records: [{ ...record, attributes }] });
    return batchItemFailures.length > 0;
  };

  it('leave the queue, and come back into it when their time has come, with the number of their attempts', async () => {
    const delivery = await aDelivery(await anEndpoint());

    const stays = [await attempt(delivery, 5), await attempt(delivery, 6)];
    laterMs += 20 * MINUTE_MS;
    await reconcile();
    const early = await takeDeliveries(stack);
    laterMs += 20 * MINUTE_MS;
    await reconcile();

    expect(stays).toEqual([true, false]);
    expect(early).toEqual([]);
    const failure = { atMs: expect.any(Number), httpStatus: 500 };
    expect(await takeDeliveries(stack)).toEqual([{ ...delivery, round: 1, attempts: 6, firstFailure: failure }]);
    await reconcile();
    expect(await takeDeliveries(stack)).toEqual([]);
  });

  it('leave it also for as long as Retry-After asks', async () => {
    const delivery = await aDelivery(await anEndpoint());
    [status, headers] = [503, { 'retry-after': '7200' }];

    const stays = await attempt(delivery);
    laterMs += 100 * MINUTE_MS;
    await reconcile();
    const early = await takeDeliveries(stack);
    laterMs += 40 * MINUTE_MS;
    await reconcile();

    expect([stays, early]).toEqual([false, []]);
    expect(await takeDeliveries(stack)).toMatchObject([{ deliveryId: delivery.deliveryId }]);
  });

  it('stay in it where they could not be put aside', async () => {
    const delivery = await aDelivery(await anEndpoint());
    const send = (command: Parameters<typeof stack.table.send>[0]) =>
      command.constructor.name === 'UpdateCommand' ? Promise.reject(new Error('busy')) : stack.table.send(command);
    const table = Object.assign(Object.create(stack.table) as typeof stack.table, { send });

    expect(await attempt(delivery, 7, { table })).toBe(true);

    laterMs += 110 * MINUTE_MS;
    await reconcile();
    expect(await takeDeliveries(stack)).toEqual([]);
  });

  it('go out at once when the receiver is back, and not a second time when their time comes', async () => {
    const endpoint = await anEndpoint();
    const delivery = await aDelivery(endpoint);
    await attempt(delivery, 6);

    const released = await releaseWaiting(stack, endpoint.endpointId, { nowMs: clock().nowMs(), evenIfAsked: false });
    const [anew] = await takeDeliveries(stack);
    status = 200;
    await attempt(anew as Delivery);
    laterMs += HOUR_MS;
    await reconcile();

    expect(released).toBe(1);
    expect(anew).toMatchObject({ deliveryId: delivery.deliveryId, round: 1, attempts: 6 });
    expect(await takeDeliveries(stack)).toEqual([]);
  });

  it('are taken up by another where the process that released them died before it sent them', async () => {
    const endpoint = await anEndpoint();
    const delivery = await aDelivery(endpoint);
    await attempt(delivery, 6);
    laterMs += 40 * MINUTE_MS;
    const queue = Object.assign(Object.create(stack.queue) as typeof stack.queue, {
      send: () => Promise.reject(new Error('died')),
    });
    const release = releaseWaiting({ ...stack, queue }, endpoint.endpointId, {
      nowMs: clock().nowMs(),
      evenIfAsked: true,
    });
    await expect(release).rejects.toThrow('died');

    await reconcile();
    const held = await takeDeliveries(stack);
    laterMs += 2 * MINUTE_MS;
    await reconcile();

    expect(held).toEqual([]);
    expect(await takeDeliveries(stack)).toMatchObject([{ deliveryId: delivery.deliveryId, round: 1 }]);
  });

  it('go to the dead letters after the last attempt, with how the first and the last one failed', async () => {
    const endpoint = await anEndpoint();
    const delivery = await aDelivery(endpoint);
    await attempt(delivery, 1);
    laterMs += MINUTE_MS;
    status = 404;

    const stays = await attempt(delivery, DELIVERY_ATTEMPTS);

    const { letters: found } = await readDeadLetters(stack, { kinds: letterKinds, tenantId: endpoint.tenantId }, 10);
    expect(stays).toBe(false);
    expect(found).toMatchObject([
      {
        kind: 'deliveries',
        reason: 'not_taken',
        webhookId: endpoint.endpointId,
        eventId: delivery.eventId,
        firstFailure: { httpStatus: 500 },
        lastFailure: { httpStatus: 404 },
      },
    ]);
  });

  it('begin their schedule anew when they are redriven, and when a person says that their receiver is back', async () => {
    const endpoint = await anEndpoint();
    const delivery = await aDelivery(endpoint);
    await attempt(delivery, DELIVERY_ATTEMPTS);
    const all = { act: 'redrive', by: 'test', isMeant: () => true, most: MOST } as const;

    const { settled } = await settleDeadLetters(letters(), 'deliveries', all);
    const redriven = await takeDeliveries(stack);
    const nowMs = clock().nowMs();
    // A success of another delivery does not: one that its receiver never takes would go round for ever.
    const byItself = await releaseWaiting(stack, endpoint.endpointId, { nowMs, evenIfAsked: false });
    await releaseWaiting(stack, endpoint.endpointId, { nowMs, evenIfAsked: true });
    const released = await takeDeliveries(stack);

    expect(settled).toHaveLength(1);
    expect(redriven).toEqual([delivery]);
    expect(byItself).toBe(0);
    expect(released).toMatchObject([{ deliveryId: delivery.deliveryId, round: 1 }]);
    expect(released[0]?.attempts).toBeUndefined();
  });

  it('are not given up while it cannot be found out whether to try them', async () => {
    const delivery = await aDelivery(await anEndpoint());
    const find = () => Promise.reject(new Error('the store is away'));
    const endpoints = Object.assign(Object.create(stack.endpoints) as typeof stack.endpoints, { find });

    const stays = await attempt(delivery, DELIVERY_ATTEMPTS + 5, { endpoints });

    expect(stays).toBe(true);
    const { counts } = await readDeadLetters(stack, { kinds: ['deliveries'] }, 10);
    expect(counts.deliveries).toBe(0);
  });
});
