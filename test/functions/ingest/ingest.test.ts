import { DeleteMessageCommand } from '@aws-sdk/client-sqs';
import { BatchGetCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeIngestHandler } from '../../../functions/ingest/handler.ts';
import { keepingMetrics } from '../../shared/platform/keepingMetrics.ts';
import { endLog } from '../../../shared/event/endLog.ts';
import { readEvents } from '../../../shared/event/readEvents.ts';
import { batchEnvelopeSchema, type FactBatch } from '../../../shared/event/factBatch.ts';
import type { Fact } from '../../../shared/event/facts/factRows.ts';
import type { InboundContent } from '../../../shared/content/content.ts';
import { boundedName } from '../../../shared/kernel/boundedName.ts';
import { makeDeliveryId } from '../../../shared/kernel/id.ts';
import { scanItems } from '../../../shared/platform/pages.ts';
import { tableName } from '../../../shared/platform/tables.ts';
import { aBatch, aMessageFact, aSentMessage, newIds } from '../../shared/event/eventStores.ts';
import {
  aRecord,
  aTenantWith,
  failingQueue,
  receive,
  startQueueStack,
  takeDeliveries,
  type QueueStack,
} from '../queueStack.ts';
import { eventIdOf } from '../../shared/event/loggedEvents.ts';

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
  const asRecord = (batch: FactBatch, id = 'record-1') =>
    aRecord(JSON.stringify(batch), { id, group: batch.connectionId });
  const typesIn = async (tenantId: FactBatch['tenantId']) =>
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
      event: JSON.stringify((await readEvents(stack, tenant.tenantId, undefined, 1)).events[0]),
      version: 1,
      tenantId: tenant.tenantId,
      endpointId: all,
      eventId: eventIdOf(1),
      correlationId: 'cor-of-batch',
      deliveryId: all && makeDeliveryId(all, eventIdOf(1)),
    });
  });

  it('measures how long after it happened something was stored', async () => {
    const ids = { ...newIds(), tenantId: (await aTenantWith(stack, [])).tenantId };
    const metrics = keepingMetrics();
    const atMs = stack.clock.nowMs() - 3_000;

    await makeIngestHandler({ ...stack, metrics })({ Records: [asRecord(aBatch(ids, [aMessageFact({ atMs })]))] });

    expect(metrics.valuesOf('EventLag')).toEqual([stack.clock.nowMs() - atMs]);
  });

  it('drops what is told of a tenant that is deleted: no event, no row, no delivery and no dead letter', async () => {
    const [leaving, other] = [await aTenantWith(stack, [{ url }]), await aTenantWith(stack, [{ url }])];
    const [ids, others] = [leaving, other].map(({ tenantId }) => ({ ...newIds(), tenantId }));
    if (ids === undefined || others === undefined) throw new Error('there are two');
    await endLog(stack, ids.tenantId);
    const records = [ids, others].map((one, place) => asRecord(aBatch(one, [aMessageFact()]), `record-${place}`));

    const answer = await makeIngestHandler(stack)({ Records: records });

    expect(answer).toEqual({ batchItemFailures: [] });
    expect([await typesIn(ids.tenantId), await typesIn(others.tenantId)]).toEqual([[], ['message.received']]);
    const rows = await Array.fromAsync(scanItems(stack.table, { TableName: tableName('test', 'core') }));
    expect(rows.filter(({ pk }) => String(pk).includes(ids.connectionId))).toEqual([]);
    expect((await takeDeliveries(stack)).map(({ tenantId }) => tenantId)).toEqual([others.tenantId]);
    expect(await takeDead()).toEqual([]);
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
    expect((await takeDeliveries(stack)).map(({ eventId }) => eventId)).toEqual([eventIdOf(1)]);
    expect(await typesIn(tenant.tenantId)).toEqual(['message.received']);
  });

  /** What lies in the dead letters of events; it is removed. */
  const takeDead = async (): Promise<readonly string[]> => {
    const deadUrl = `${stack.queueUrlBase}test-events-dead.fifo`;
    const found: string[] = [];
    for (;;) {
      const messages = await receive(stack, deadUrl);
      if (messages.length === 0) return found;
      for (const { Body = '', ReceiptHandle = '' } of messages) {
        found.push(Body);
        await stack.queue.send(new DeleteMessageCommand({ QueueUrl: deadUrl, ReceiptHandle }));
      }
    }
  };
  const contentsIn = async (tenantId: FactBatch['tenantId']) =>
    (await readEvents(stack, tenantId, undefined, 100)).events.map(({ data }) =>
      'content' in data ? data.content : data,
    );
  const words = (body: string): InboundContent => ({ type: 'text', text: { body } });
  /** A store that refuses any write with these words in it, as DynamoDB refuses what it cannot keep. */
  const refusing = (poison: string, error: Error): typeof stack.table => {
    const send = (command: Parameters<typeof stack.table.send>[0]) =>
      JSON.stringify(command.input).includes(poison) ? Promise.reject(error) : stack.table.send(command);
    return Object.assign(Object.create(stack.table) as typeof stack.table, { send });
  };

  it('stops a group while the store does not answer, and reports that record and the later ones of the group', async () => {
    const [broken, sound] = [newIds(), newIds()];
    const Records = [
      asRecord(aBatch(broken, [aMessageFact()], 'b1'), 'before'),
      asRecord(aBatch(sound, [aMessageFact()], 'b2'), 'other-1'),
      asRecord(aBatch(broken, [aMessageFact({ content: words('slow one') })], 'b3'), 'bad'),
      asRecord(aBatch(sound, [aMessageFact()], 'b4'), 'other-2'),
      asRecord(aBatch(broken, [aMessageFact()], 'b5'), 'after'),
    ];
    const slow = refusing('slow one', Object.assign(new Error('down'), { name: 'InternalServerError' }));

    const answer = await makeIngestHandler({ ...stack, table: slow })({ Records });

    expect(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual(['bad', 'after']);
    expect(await typesIn(broken.tenantId)).toHaveLength(1);
    expect(await typesIn(sound.tenantId)).toHaveLength(2);
  });

  it('sets a body that is no batch aside at once, and goes on with its group', async () => {
    const ids = newIds();
    const Records = [
      aRecord('{"version":1}', { id: 'bad', group: ids.connectionId }),
      asRecord(aBatch(ids, [aMessageFact()]), 'after'),
    ];

    const answer = await makeIngestHandler(stack)({ Records });

    expect(answer).toEqual({ batchItemFailures: [] });
    expect(await typesIn(ids.tenantId)).toEqual(['message.received']);
    expect(await takeDead()).toEqual(['{"version":1}']);
  });

  it.each<readonly [what: string, body: string]>([
    ['half an emoji', 'a\ud83db'],
    ['a text that is none', 7 as unknown as string],
  ])('tells a message with %s as malformed, and its neighbours whole and in order', async (_what, body) => {
    const ids = newIds();
    const facts = [words('before'), words(body), words('after')].map((content) => aMessageFact({ content }));

    const answer = await makeIngestHandler(stack)({ Records: [asRecord(aBatch(ids, facts))] });

    expect(answer).toEqual({ batchItemFailures: [] });
    expect(await contentsIn(ids.tenantId)).toEqual([
      words('before'),
      { type: 'unsupported', unsupported: { kind: 'malformed', bytes: expect.any(Number) } },
      words('after'),
    ]);
    expect(await takeDead()).toEqual([]);
  });

  it('sets a receipt without an id aside, and records its neighbours', async () => {
    const ids = newIds();
    const receipt = {
      kind: 'receipt',
      key: 'receipt:1',
      atMs: 1,
      stanzaId: '',
      chat: 'a',
      recipient: 'a',
      state: 'read',
    };
    const facts = [aMessageFact(), receipt as Fact, aMessageFact()];
    const metrics = keepingMetrics();

    const answer = await makeIngestHandler({ ...stack, metrics })({ Records: [asRecord(aBatch(ids, facts))] });

    expect(answer).toEqual({ batchItemFailures: [] });
    expect(await typesIn(ids.tenantId)).toEqual(['message.received', 'message.received']);
    const dead = (await takeDead()).map((body) => batchEnvelopeSchema.parse(JSON.parse(body)).events);
    expect(dead).toEqual([[receipt]]);
    expect(metrics.totalOf('FactsRefused', { reason: 'malformed' })).toBe(1);
  });

  it.each(['presence', 'Receipt', 'constructor', '__proto__', 'long'.repeat(100)])(
    'sets a fact of the unknown kind %s aside, by its name, never as a receipt, and records its neighbours',
    async (kind) => {
      const ids = newIds();
      const message = aSentMessage(ids);
      await stack.messages.create(message, 0);
      const { stanzaId, to } = message;
      const receipt = { kind, key: `receipt:${kind}`, atMs: 1, stanzaId, chat: to, recipient: to, state: 'read' };
      const facts = [aMessageFact(), receipt as unknown as Fact, aMessageFact()];
      const metrics = keepingMetrics();
      const from = stack.logLines.length;

      const answer = await makeIngestHandler({ ...stack, metrics })({ Records: [asRecord(aBatch(ids, facts))] });

      expect(answer).toEqual({ batchItemFailures: [] });
      expect(await typesIn(ids.tenantId)).toEqual(['message.received', 'message.received']);
      expect(await stack.messages.find(ids.connectionId, message.messageId)).toMatchObject({ state: 'sending' });
      const dead = (await takeDead()).map((body) => batchEnvelopeSchema.parse(JSON.parse(body)));
      expect(dead).toMatchObject([{ ...ids, events: [receipt] }]);
      expect(metrics.totalOf('FactsRefused', { reason: 'unknown_kind' })).toBe(1);
      const line = stack.logLines.slice(from).find((text) => text.includes('a fact was refused')) ?? '';
      expect(JSON.parse(line)).toMatchObject({ reason: 'unknown_kind', factKind: boundedName(kind, 64) });
    },
  );

  it.each(['presence', undefined])(
    'sets aside once more what a person has sent again and nobody can read yet (%s)',
    async (kind) => {
      const ids = newIds();
      const fact = { kind: 'presence', key: 'a', atMs: 1 } as unknown as Fact;
      const body = kind === undefined ? `not a batch of ${ids.connectionId}` : JSON.stringify(aBatch(ids, [fact]));
      const bring = (id: string) =>
        makeIngestHandler(stack)({ Records: [aRecord(body, { id, group: ids.connectionId })] });

      await bring('first');
      await bring('first');
      const once = await takeDead();
      await bring('sent again');
      const again = await takeDead();

      expect(once).toHaveLength(1);
      expect(again).toEqual(once);
    },
  );

  it('records what it has set aside, once it knows the kind and the dead letter comes again', async () => {
    const ids = newIds();
    const fact = aMessageFact();
    const Records = [asRecord(aBatch(ids, [{ ...fact, kind: 'newer' } as unknown as Fact]))];
    await makeIngestHandler(stack)({ Records });
    const [dead = ''] = await takeDead();

    const again = dead.replace('"newer"', '"message"');
    const answer = await makeIngestHandler(stack)({
      Records: [aRecord(again, { id: 'again', group: ids.connectionId })],
    });

    expect(answer).toEqual({ batchItemFailures: [] });
    expect(await typesIn(ids.tenantId)).toEqual(['message.received']);
  });

  it('tells a message that the store refuses for its size as too large, and records its neighbours', async () => {
    const ids = newIds();
    const facts = [words('before'), words('poison'), words('after')].map((content) => aMessageFact({ content }));
    const message = 'Item size has exceeded the maximum allowed size';
    const refusal = Object.assign(new Error(message), { name: 'ValidationException' });
    const table = refusing('poison', refusal);

    const answer = await makeIngestHandler({ ...stack, table })({ Records: [asRecord(aBatch(ids, facts))] });

    expect(answer).toEqual({ batchItemFailures: [] });
    expect(await contentsIn(ids.tenantId)).toEqual([
      words('before'),
      { type: 'unsupported', unsupported: { kind: 'too_large', bytes: expect.any(Number) } },
      words('after'),
    ]);
    expect(await takeDead()).toEqual([]);
  });

  it('reports a record while the store throttles, and records it afterwards', async () => {
    const ids = newIds();
    const event = { Records: [asRecord(aBatch(ids, [aMessageFact()]))] };
    const table = mockClient(DynamoDBDocumentClient.from(stack.table));
    table.on(BatchGetCommand).rejects(Object.assign(new Error('slow down'), { name: 'ThrottlingException' }));

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
        eventId: eventIdOf(1),
      }),
    );
  });
});
