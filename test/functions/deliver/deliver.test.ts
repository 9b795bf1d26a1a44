import { createHmac } from 'node:crypto';
import { ChangeMessageVisibilityCommand, DeleteMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeDeliverHandler, type DeliverDependencies } from '../../../functions/deliver/handler.ts';
import { findEvent } from '../../../shared/event/eventPages.ts';
import { makeDeliveryId, type CorrelationId, type EventId, type TenantId } from '../../../shared/kernel/id.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { AddressGuard, systemResolve } from '../../../shared/platform/addressGuard.ts';
import { listAttempts } from '../../../shared/webhook/attemptItems.ts';
import { deliveryQueueUrl, enqueueDeliveries } from '../../../shared/webhook/delivery.ts';
import type { Endpoint } from '../../../shared/webhook/endpoint.ts';
import { makeWebhookPoster, type WebhookPoster } from '../../../shared/webhook/postWebhook.ts';
import { keepingMetrics } from '../../shared/platform/keepingMetrics.ts';
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

describe('deliver', () => {
  let stack: QueueStack;
  let poster: WebhookPoster;
  let receiver: Receiver;
  /** Status of each next answer of the receiver; 200 when there is none left. */
  let answers: number[] = [];
  beforeAll(async () => {
    stack = await startQueueStack();
  });
  afterAll(() => stack.stop());
  beforeEach(async () => {
    answers = [];
    receiver = await startReceiver((_request, response) => response.writeHead(answers.shift() ?? 200).end());
    const guard = new AddressGuard({ resolve: systemResolve, allowLoopback: true });
    poster = makeWebhookPoster({ guard, clock: systemClock, timeoutMs: 5_000 });
    await takeDeliveries(stack);
  });
  afterEach(async () => {
    await Promise.all([poster.close(), receiver.stop()]);
  });

  const dependencies = (overrides: Partial<DeliverDependencies> = {}): DeliverDependencies => ({
    ...stack,
    poster,
    ...overrides,
  });
  const anEvent = async (tenantId: TenantId): Promise<EventId> => {
    return logEvent(stack, aStatusDraft(tenantId));
  };
  const aDelivery = async (
    url = `${receiver.url}/hook`,
  ): Promise<{
    readonly tenantId: TenantId;
    readonly endpoint: Endpoint;
    readonly eventId: EventId;
    readonly body: string;
  }> => {
    const { tenantId, endpoints } = await aTenantWith(stack, [{ url }]);
    const [endpoint] = endpoints;
    if (endpoint === undefined) throw new Error('the tenant has no endpoint');
    const eventId = await anEvent(tenantId);
    const { endpointId } = endpoint;
    const deliveryId = makeDeliveryId(endpointId, eventId);
    const delivery = { version: 1, tenantId, endpointId, eventId, correlationId: 'cor-of-request', deliveryId };
    return { tenantId, endpoint, eventId, body: JSON.stringify(delivery) };
  };
  const attemptsOf = (endpoint: Endpoint) => listAttempts(stack, endpoint.endpointId, { limit: 20, nowMs: 0 });
  /** A queue client that takes what it is asked and does nothing. */
  const deafQueue = () => mockClient(SQSClient).on(ChangeMessageVisibilityCommand).resolves({});

  it('posts the event, signed, with the correlation id, and notes the attempt', async () => {
    const { tenantId, endpoint, eventId, body } = await aDelivery();

    const answer = await makeDeliverHandler(dependencies())({ Records: [aRecord(body)] });

    const [post] = receiver.received;
    const event = await findEvent(stack, tenantId, eventId);
    const key = Buffer.from(endpoint.secret.reveal().slice('whsec_'.length), 'base64');
    const seconds = Math.floor(stack.clock.nowMs() / 1_000);
    const signature = createHmac('sha256', key).update(`${eventId}.${seconds}.${post?.body}`).digest('base64');
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(JSON.parse(post?.body ?? '')).toEqual(event);
    expect(post?.headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': eventId,
      'webhook-timestamp': String(seconds),
      'webhook-signature': `v1,${signature}`,
      'x-correlation-id': 'cor-of-request',
    });
    expect(await attemptsOf(endpoint)).toMatchObject([{ number: 1, result: 'delivered', httpStatus: 200, eventId }]);
  });

  it('measures from the event to the first attempt, and counts how each attempt ended', async () => {
    const metrics = keepingMetrics();
    const { body } = await aDelivery();
    const again = { ...aRecord(body), attributes: { ...aRecord(body).attributes, ApproximateReceiveCount: '2' } };
    answers = [500];
    const handler = makeDeliverHandler(dependencies({ metrics, queue: stack.queue }));

    await handler({ Records: [aRecord(body)] });
    await handler({ Records: [again] });

    const happenedAtMs = Date.parse('2026-08-01T12:00:00.000Z');
    expect(metrics.valuesOf('EventToDelivery')).toEqual([Math.max(0, stack.clock.nowMs() - happenedAtMs)]);
    expect(metrics.totalOf('DeliveryAttempts', { outcome: 'failed' })).toBe(1);
    expect(metrics.totalOf('DeliveryAttempts', { outcome: 'delivered' })).toBe(1);
  });

  it('keeps a failed delivery in the queue and tries again with the same id and the same bytes', async () => {
    const { tenantId, endpoint, eventId } = await aDelivery();
    const recorded = { eventId, type: 'connection.status', correlationId: 'cor-of-request' as CorrelationId } as const;
    const handler = makeDeliverHandler(dependencies({ random: { ...stack.random, unit: () => 0 } }));
    answers = [500];
    await enqueueDeliveries(stack, await stack.endpoints.list(tenantId), [recorded]);

    const first = await handler(toSqsEvent(await receive(stack, deliveryQueueUrl(stack))));
    const [hidden] = await receive(stack, deliveryQueueUrl(stack));
    const messages = await receive(stack, deliveryQueueUrl(stack), 10);
    const second = await handler(toSqsEvent(messages));

    expect(first.batchItemFailures).toHaveLength(1);
    expect(hidden).toBeUndefined();
    expect(second.batchItemFailures).toEqual([]);
    expect(receiver.received.map(({ headers }) => headers['webhook-id'])).toEqual([eventId, eventId]);
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
    const attempts = [...(await attemptsOf(endpoint))];
    expect(attempts.map(({ number, result }) => `${number} ${result}`).sort()).toEqual(['1 failed', '2 delivered']);
    const ReceiptHandle = messages[0]?.ReceiptHandle ?? '';
    await stack.queue.send(new DeleteMessageCommand({ QueueUrl: deliveryQueueUrl(stack), ReceiptHandle }));
  });

  it.each([
    { status: 302, receiveCount: 1, seconds: 5 },
    { status: 404, receiveCount: 2, seconds: 30 },
    { status: 500, receiveCount: 5, seconds: 600 },
  ])('hides a delivery for $seconds s after answer $status to attempt $receiveCount', async (row) => {
    const { body } = await aDelivery();
    const record = aRecord(body);
    const attributes = { ...record.attributes, ApproximateReceiveCount: String(row.receiveCount) };
    const queue = deafQueue();
    answers = [row.status];
    const handler = makeDeliverHandler(
      dependencies({ queue: queue as unknown as SQSClient, random: { ...stack.random, unit: () => 0.5 } }),
    );

    const answer = await handler({ Records: [{ ...record, attributes }] });

    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'record-1' }] });
    expect(queue).toHaveReceivedCommandWith(ChangeMessageVisibilityCommand, {
      QueueUrl: deliveryQueueUrl(stack),
      ReceiptHandle: 'handle',
      VisibilityTimeout: row.seconds,
    });
    queue.restore();
  });

  it('disables an endpoint that answers 410, and posts nothing more there', async () => {
    const { tenantId, endpoint, body } = await aDelivery();
    answers = [410];
    const handler = makeDeliverHandler(dependencies());

    const gone = await handler({ Records: [aRecord(body)] });
    const later = await handler({ Records: [aRecord(body)] });

    expect([gone, later]).toEqual([{ batchItemFailures: [] }, { batchItemFailures: [] }]);
    expect(receiver.received).toHaveLength(1);
    expect((await stack.endpoints.find(tenantId, endpoint.endpointId))?.state).toBe('disabled');
    expect(await attemptsOf(endpoint)).toMatchObject([{ result: 'gone', httpStatus: 410 }]);
  });

  it('is done with a delivery whose endpoint is deleted', async () => {
    const { tenantId, endpoint, body } = await aDelivery();
    await stack.endpoints.delete(tenantId, endpoint.endpointId);

    const answer = await makeDeliverHandler(dependencies())({ Records: [aRecord(body)] });

    expect(answer).toEqual({ batchItemFailures: [] });
    expect(receiver.received).toEqual([]);
  });

  it('is done with a delivery whose event has expired', async () => {
    const { body } = await aDelivery();
    const later = { ...stack.clock, nowMs: () => stack.clock.nowMs() + 31 * 86_400_000 };

    const answer = await makeDeliverHandler(dependencies({ clock: later }))({ Records: [aRecord(body)] });

    expect(answer).toEqual({ batchItemFailures: [] });
    expect(receiver.received).toEqual([]);
  });

  it('dials no inside address, and notes why', async () => {
    const { endpoint, body } = await aDelivery('https://169.254.169.254/latest/meta-data');
    const queue = deafQueue();

    const answer = await makeDeliverHandler(dependencies({ queue: queue as unknown as SQSClient }))({
      Records: [aRecord(body)],
    });

    expect(answer.batchItemFailures).toHaveLength(1);
    expect(await attemptsOf(endpoint)).toMatchObject([{ result: 'failed', reason: 'not_public' }]);
    queue.restore();
  });

  it('delivers the others of a batch when one fails or is no delivery', async () => {
    const [good, bad] = [await aDelivery(), await aDelivery('https://127.0.0.9/')];
    const queue = deafQueue();
    const Records = [
      aRecord(bad.body, { id: 'failed' }),
      aRecord('not json', { id: 'no-delivery' }),
      aRecord(good.body, { id: 'good' }),
    ];

    const answer = await makeDeliverHandler(dependencies({ queue: queue as unknown as SQSClient }))({ Records });

    expect(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual(['failed', 'no-delivery']);
    expect(receiver.received).toHaveLength(1);
    queue.restore();
  });

  it('is done when the receiver has the event, although the attempt could not be noted', async () => {
    const { body } = await aDelivery();
    const send = (command: Parameters<typeof stack.table.send>[0]) =>
      command.constructor.name === 'PutCommand' ? Promise.reject(new Error('busy')) : stack.table.send(command);
    const table = Object.assign(Object.create(stack.table) as typeof stack.table, { send });

    const answer = await makeDeliverHandler(dependencies({ table }))({ Records: [aRecord(body)] });

    expect(answer).toEqual({ batchItemFailures: [] });
    expect(receiver.received).toHaveLength(1);
  });
});
