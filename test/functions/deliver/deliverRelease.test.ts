import { ChangeMessageVisibilityCommand, DeleteMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeDeliverHandler } from '../../../functions/deliver/handler.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { makeDeliveryId, type CorrelationId, type EventId } from '../../../shared/kernel/id.ts';
import { AddressGuard, systemResolve } from '../../../shared/platform/addressGuard.ts';
import { deliveryQueueUrl, sendDeliveries, type Delivery } from '../../../shared/webhook/delivery.ts';
import type { Endpoint } from '../../../shared/webhook/endpoint.ts';
import { makeWebhookPoster, type WebhookPoster } from '../../../shared/webhook/postWebhook.ts';
import { releaseWaiting } from '../../../shared/webhook/releaseDeliveries.ts';
import { startReceiver, type Receiver } from '../../shared/webhook/receiver.ts';
import {
  aRecord,
  aTenantWith,
  receive,
  startQueueStack,
  takeDeliveries,
  toSqsEvent,
  type QueueStack,
} from '../queueStack.ts';
import { aStatusDraft, logEvent } from '../../shared/event/loggedEvents.ts';

describe('deliveries that wait for a receiver', () => {
  let stack: QueueStack;
  let poster: WebhookPoster;
  let receiver: Receiver;
  let status = 500;
  let headers: Record<string, string> = {};
  beforeAll(async () => {
    stack = await startQueueStack();
  });
  afterAll(() => stack.stop());
  beforeEach(async () => {
    status = 500;
    headers = {};
    receiver = await startReceiver((_request, response) => response.writeHead(status, headers).end());
    const guard = new AddressGuard({ resolve: systemResolve, allowLoopback: true });
    poster = makeWebhookPoster({ guard, clock: systemClock, timeoutMs: 5_000 });
    await takeDeliveries(stack);
  });
  afterEach(async () => {
    await Promise.all([poster.close(), receiver.stop()]);
  });

  // What is hidden stays hidden: what comes back in these tests comes because it was released.
  const handler = () => {
    const send = (command: Parameters<SQSClient['send']>[0]) => {
      if (command instanceof ChangeMessageVisibilityCommand) command.input.VisibilityTimeout = 3_600;
      return stack.queue.send(command);
    };
    return makeDeliverHandler({
      ...stack,
      poster,
      queue: Object.assign(Object.create(stack.queue) as SQSClient, { send }),
    });
  };
  const anEndpoint = async (): Promise<Endpoint> => {
    const { endpoints } = await aTenantWith(stack, [{ url: `${receiver.url}/hook` }]);
    const [endpoint] = endpoints;
    if (endpoint === undefined) throw new Error('the tenant has no endpoint');
    return endpoint;
  };
  const aDelivery = async ({ tenantId, endpointId }: Endpoint): Promise<Delivery> => {
    const eventId = await logEvent(stack, aStatusDraft(tenantId));
    const correlationId = 'cor-of-request' as CorrelationId;
    return {
      version: 1,
      tenantId,
      endpointId,
      eventId,
      correlationId,
      deliveryId: makeDeliveryId(endpointId, eventId),
    };
  };
  /** Works off what the queue shows now, and deletes what is done, as the event source does. */
  const work = async (): Promise<number> => {
    const messages = await receive(stack, deliveryQueueUrl(stack));
    const { batchItemFailures } = await handler()(toSqsEvent(messages));
    const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    const done = messages.filter(({ MessageId }) => !failed.has(MessageId ?? ''));
    for (const { ReceiptHandle } of done) {
      await stack.queue.send(new DeleteMessageCommand({ QueueUrl: deliveryQueueUrl(stack), ReceiptHandle }));
    }
    return messages.length;
  };
  const posted = (): readonly EventId[] => receiver.received.map((post) => post.headers['webhook-id'] as EventId);

  it('go out at once when one succeeds, each once, and their hidden messages end without a post', async () => {
    const endpoint = await anEndpoint();
    const waiting = [await aDelivery(endpoint), await aDelivery(endpoint), await aDelivery(endpoint)];
    await sendDeliveries(stack, waiting);
    while ((await work()) > 0);
    const failedPosts = receiver.received.length;
    status = 200;

    const next = await aDelivery(endpoint);
    await sendDeliveries(stack, [next]);
    while ((await work()) > 0);

    const after = posted().slice(failedPosts);
    expect(failedPosts).toBe(3);
    expect([...after].sort()).toEqual([...waiting, next].map(({ eventId }) => eventId).sort());
    const hidden = aRecord(JSON.stringify(waiting[0]));
    const again = { ...hidden, attributes: { ...hidden.attributes, ApproximateReceiveCount: '2' } };
    expect(await handler()({ Records: [again] })).toEqual({ batchItemFailures: [] });
    expect(receiver.received).toHaveLength(failedPosts + 4);
  });

  it('all go out, however many there are', async () => {
    const endpoint = await anEndpoint();
    const waiting: Delivery[] = [];
    for (let count = 0; count < 60; count += 1) waiting.push(await aDelivery(endpoint));
    await sendDeliveries(stack, waiting);
    while ((await work()) > 0);
    status = 200;
    await stack.breakers.close(endpoint);

    await releaseWaiting(stack, endpoint.endpointId, { nowMs: stack.clock.nowMs(), evenIfAsked: true });
    const before = receiver.received.length;
    while ((await work()) > 0);

    expect(new Set(posted().slice(before)).size).toBe(60);
  });

  it('keep the wait that the receiver asked for, unless the tenant says that it is back', async () => {
    const endpoint = await anEndpoint();
    [status, headers] = [429, { 'retry-after': '60' }];
    await sendDeliveries(stack, [await aDelivery(endpoint)]);
    while ((await work()) > 0);
    status = 200;
    await sendDeliveries(stack, [await aDelivery(endpoint)]);
    while ((await work()) > 0);
    const before = receiver.received.length;

    const released = await releaseWaiting(stack, endpoint.endpointId, {
      nowMs: stack.clock.nowMs(),
      evenIfAsked: true,
    });
    while ((await work()) > 0);

    expect(before).toBe(2);
    expect(released).toBe(1);
    expect(receiver.received).toHaveLength(3);
  });

  it.each([
    { name: 'seconds', status: 429, header: '60', least: 60, most: 61 },
    { name: 'less than the schedule', status: 503, header: '1', least: 4, most: 7 },
  ])('are hidden for what Retry-After asks: $name', async (row) => {
    const endpoint = await anEndpoint();
    [status, headers] = [row.status, { 'retry-after': row.header }];
    const hidden: number[] = [];
    const send = (command: { readonly input: object }) => {
      hidden.push(Number((command.input as { VisibilityTimeout?: number }).VisibilityTimeout));
      return Promise.resolve({});
    };
    const queue = Object.assign(Object.create(stack.queue) as typeof stack.queue, { send });

    await makeDeliverHandler({ ...stack, poster, queue })({
      Records: [aRecord(JSON.stringify(await aDelivery(endpoint)))],
    });

    expect(hidden[0]).toBeGreaterThanOrEqual(row.least);
    expect(hidden[0]).toBeLessThanOrEqual(row.most);
  });
});
