import { DeleteMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeIngestHandler } from '../../functions/ingest.ts';
import { keepingMetrics } from '../shared/platform/keepingMetrics.ts';
import { readEvents } from '../../shared/event/eventLog.ts';
import type { InternalEventBatch } from '../../shared/event/internalEvent.ts';
import { makeDeliveryId, makeEventId } from '../../shared/kernel/id.ts';
import { eventQueueName } from '../../shared/platform/queues.ts';
import { aBatch, aMessageFact, newIds } from '../shared/event/eventStores.ts';
import {
  aRecord,
  aTenantWith,
  failingQueue,
  receive,
  release,
  startQueueStack,
  takeDeliveries,
  toSqsEvent,
  type QueueStack,
} from './queueStack.ts';

describe('ingest', () => {
  let stack: QueueStack;
  beforeAll(async () => {
    stack = await startQueueStack();
  });
  afterAll(() => stack.stop());
  beforeEach(async () => {
    await takeDeliveries(stack);
  });

  const url = 'https://hooks.example/';
  const asRecord = (batch: InternalEventBatch, id = 'record-1') =>
    aRecord(JSON.stringify(batch), { id, group: batch.connectionId });
  const typesIn = async (tenantId: InternalEventBatch['tenantId']) =>
    (await readEvents(stack, tenantId, undefined, 100)).events.map(({ type }) => type);

  it('enqueues one delivery for each endpoint that wants the event', async () => {
    const tenant = await aTenantWith(stack, [
      { url },
      { url, events: ['message.received'] },
      { url, events: ['connection.status'] },
    ]);
    const ids = { ...newIds(), tenantId: tenant.tenantId };

    const answer = await makeIngestHandler(stack)({ Records: [asRecord(aBatch(ids, [aMessageFact()]))] });

    const deliveries = await takeDeliveries(stack);
    const [all, messages] = tenant.endpoints.map(({ endpointId }) => endpointId);
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(new Set(deliveries.map(({ endpointId }) => endpointId))).toEqual(new Set([all, messages]));
    expect(deliveries).toHaveLength(2);
    expect(deliveries.find(({ endpointId }) => endpointId === all)).toEqual({
      version: 1,
      tenantId: tenant.tenantId,
      endpointId: all,
      eventId: makeEventId(1),
      correlationId: 'cor-of-batch',
      deliveryId: all && makeDeliveryId(all, makeEventId(1)),
    });
  });

  it('measures how long after it happened something was stored', async () => {
    const ids = { ...newIds(), tenantId: (await aTenantWith(stack, [])).tenantId };
    const metrics = keepingMetrics();
    const atMs = stack.clock.nowMs() - 3_000;

    await makeIngestHandler({ ...stack, metrics })({ Records: [asRecord(aBatch(ids, [aMessageFact({ atMs })]))] });

    expect(metrics.valuesOf('EventLag')).toEqual([stack.clock.nowMs() - atMs]);
  });

  it('enqueues more deliveries than SQS takes in one call', async () => {
    const tenant = await aTenantWith(stack, [{ url }, { url }, { url }]);
    const ids = { ...newIds(), tenantId: tenant.tenantId };
    const facts = Array.from({ length: 9 }, () => aMessageFact());

    await makeIngestHandler(stack)({ Records: [asRecord(aBatch(ids, facts))] });

    const deliveries = await takeDeliveries(stack);
    expect(new Set(deliveries.map(({ deliveryId }) => deliveryId)).size).toBe(27);
  });

  it('delivers the same event when it died between the transaction and the fan-out', async () => {
    const tenant = await aTenantWith(stack, [{ url }]);
    const ids = { ...newIds(), tenantId: tenant.tenantId };
    const event = { Records: [asRecord(aBatch(ids, [aMessageFact()]))] };

    const died = await makeIngestHandler({ ...stack, queue: failingQueue(stack.queue, 1) })(event);
    const between = await takeDeliveries(stack);
    const again = await makeIngestHandler(stack)(event);

    expect(died).toEqual({ batchItemFailures: [{ itemIdentifier: 'record-1' }] });
    expect(between).toEqual([]);
    expect(again).toEqual({ batchItemFailures: [] });
    expect((await takeDeliveries(stack)).map(({ eventId }) => eventId)).toEqual([makeEventId(1)]);
    expect(await typesIn(tenant.tenantId)).toEqual(['message.received']);
  });

  it('stops a group at its first failure and reports that record and the later ones of the group', async () => {
    const [broken, sound] = [newIds(), newIds()];
    const bad = aRecord('{"version":1}', { id: 'bad', group: broken.connectionId });
    const Records = [
      asRecord(aBatch(broken, [aMessageFact()], 'b1'), 'before'),
      asRecord(aBatch(sound, [aMessageFact()], 'b2'), 'other-1'),
      bad,
      asRecord(aBatch(sound, [aMessageFact()], 'b3'), 'other-2'),
      asRecord(aBatch(broken, [aMessageFact()], 'b4'), 'after'),
    ];

    const answer = await makeIngestHandler(stack)({ Records });

    expect(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual(['bad', 'after']);
    expect(await typesIn(broken.tenantId)).toHaveLength(1);
    expect(await typesIn(sound.tenantId)).toHaveLength(2);
  });

  it('reports a record while the store throttles, and records it afterwards', async () => {
    const ids = newIds();
    const event = { Records: [asRecord(aBatch(ids, [aMessageFact()]))] };
    const table = mockClient(DynamoDBDocumentClient.from(stack.table));
    table.on(GetCommand).rejects(Object.assign(new Error('slow down'), { name: 'ThrottlingException' }));

    const throttled = await makeIngestHandler({ ...stack, table: table as unknown as typeof stack.table })(event);
    table.restore();
    const later = await makeIngestHandler(stack)(event);

    expect(throttled.batchItemFailures).toHaveLength(1);
    expect(later.batchItemFailures).toEqual([]);
    expect(await typesIn(ids.tenantId)).toHaveLength(1);
  });

  it('restores the correlation id into its log and never writes content there', async () => {
    const ids = newIds();
    const content = { type: 'text', text: { body: 'secret words' } } as const;
    const records = [asRecord(aBatch(ids, [aMessageFact({ content })])), aRecord('secret words', { id: 'bad' })];
    const from = stack.logLines.length;

    await makeIngestHandler(stack)({ Records: records });

    const lines = stack.logLines.slice(from);
    expect(lines.join('')).not.toContain('secret words');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toContainEqual(
      expect.objectContaining({
        message: 'event recorded',
        correlationId: 'cor-of-batch',
        connectionId: ids.connectionId,
        eventId: makeEventId(1),
      }),
    );
  });

  it('leaves a body that is no batch to the dead letters after eight receives', async () => {
    const QueueUrl = `${stack.queueUrlBase}${eventQueueName('test')}`;
    const deadUrl = `${stack.queueUrlBase}test-events-dead.fifo`;
    const handler = makeIngestHandler(stack);
    await stack.queue.send(
      new SendMessageCommand({ QueueUrl, MessageBody: '{}', MessageGroupId: 'g', MessageDeduplicationId: 'd' }),
    );

    let receives = 0;
    for (;;) {
      const [message] = await receive(stack, QueueUrl);
      if (message === undefined) break;
      receives++;
      const answer = await handler(toSqsEvent([message]));
      expect(answer.batchItemFailures).toHaveLength(1);
      await release(stack, QueueUrl, message);
    }

    const [dead] = await receive(stack, deadUrl, 2);
    expect(receives).toBe(8);
    expect(dead?.Body).toBe('{}');
    await stack.queue.send(new DeleteMessageCommand({ QueueUrl: deadUrl, ReceiptHandle: dead?.ReceiptHandle ?? '' }));
  });
});
