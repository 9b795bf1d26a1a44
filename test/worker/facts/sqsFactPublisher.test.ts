import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { factBatchSchema } from '../../../shared/event/factBatch.ts';
import type { Fact } from '../../../shared/event/facts/factRows.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import type { ConnectionId, CorrelationId, MessageId, StanzaId, TenantId } from '../../../shared/kernel/id.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { keepingMetrics } from '../../shared/platform/keepingMetrics.ts';
import { NotStoredError } from '../../../worker/facts/notStored.ts';
import { makeSqsFactPublisher, splitFacts } from '../../../worker/facts/sqsFactPublisher.ts';
import { GateClosedError, type CommitGate } from '../../../worker/fleet/gate.ts';
import type { OwnedConnection } from '../../../worker/fleet/ownedConnection.ts';
import { fencedGate, makeSwitchGate, openGate } from '../fleet/gates.ts';

const sqs = mockClient(SQSClient);
const metrics = keepingMetrics();
const correlationId = 'cor-test-1' as CorrelationId;
const owned = (connectionId: string): OwnedConnection => ({
  tenantId: 'tnt_1' as TenantId,
  connectionId: connectionId as ConnectionId,
  shard: 3,
  token: 9,
});
const fact = (key: string, padding = 0): Fact => ({
  kind: 'send_result',
  key,
  atMs: 1,
  messageId: `msg_${'x'.repeat(padding)}` as MessageId,
  state: 'sent',
});
const aPublisher = (options: { readonly deadlineMs?: number; readonly gate?: CommitGate } = {}) => {
  let batches = 0;
  return makeSqsFactPublisher({
    queue: new SQSClient({ region: 'us-east-1' }),
    stage: 'test',
    queueUrlBase: 'http://127.0.0.1:1/0/',
    gate: openGate,
    clock: systemClock,
    logger: silentLogger,
    metrics,
    makeBatchId: () => `batch-${(batches += 1)}`,
    ...options,
  });
};
const bodies = (): readonly string[] =>
  sqs.commandCalls(SendMessageCommand).map(({ args }) => args[0].input.MessageBody ?? '');

describe('the publisher of facts', () => {
  beforeEach(() => sqs.reset());

  it('sends the facts of a connection as one message in its group', async () => {
    sqs.on(SendMessageCommand).resolves({});

    await aPublisher().publish(owned('con_1'), [fact('a'), fact('b')], correlationId);

    const [call] = sqs.commandCalls(SendMessageCommand);
    const batch = factBatchSchema.parse(JSON.parse(bodies()[0] ?? ''));
    expect(call?.args[0].input).toMatchObject({
      QueueUrl: 'http://127.0.0.1:1/0/test-events-00.fifo',
      MessageGroupId: 'con_1',
      MessageDeduplicationId: 'batch-1',
    });
    expect(batch).toMatchObject({ shard: 3, token: 9, correlationId, batchId: 'batch-1' });
    expect(batch.events.map(({ key }) => key)).toEqual(['a', 'b']);
  });

  it('never has two publishes of a connection in flight, and keeps their order', async () => {
    let inFlight = 0;
    let most = 0;
    sqs.on(SendMessageCommand).callsFake(async () => {
      most = Math.max(most, (inFlight += 1));
      await new Promise((resolve) => setImmediate(resolve));
      inFlight -= 1;
      return {};
    });
    const publisher = aPublisher();

    await Promise.all(['a', 'b', 'c'].map((key) => publisher.publish(owned('con_1'), [fact(key)], correlationId)));

    expect(most).toBe(1);
    expect(bodies().map((body) => factBatchSchema.parse(JSON.parse(body)).events[0]?.key)).toEqual(['a', 'b', 'c']);
  });

  it('does not let one connection wait for another', async () => {
    const stuck = Promise.withResolvers<object>();
    sqs.on(SendMessageCommand, { MessageGroupId: 'con_1' }).callsFake(() => stuck.promise);
    sqs.on(SendMessageCommand, { MessageGroupId: 'con_2' }).resolves({});
    const publisher = aPublisher();

    const first = publisher.publish(owned('con_1'), [fact('a')], correlationId);
    await publisher.publish(owned('con_2'), [fact('b')], correlationId);

    stuck.resolve({});
    await first;
    expect(bodies().length).toBe(2);
  });

  it('rejects when the queue does not take the facts, and lets the next publish try', async () => {
    sqs.on(SendMessageCommand).rejectsOnce(new Error('throttled')).resolves({});
    const publisher = aPublisher();

    await expect(publisher.publish(owned('con_1'), [fact('a')], correlationId)).rejects.toThrow('throttled');
    await publisher.publish(owned('con_1'), [fact('b')], correlationId);

    expect(bodies().length).toBe(2);
  });

  it('rejects at the deadline when the queue is silent', async () => {
    sqs.on(SendMessageCommand).callsFake(() => new Promise(() => undefined));

    const published = aPublisher({ deadlineMs: 20 }).publish(owned('con_1'), [fact('a')], correlationId);

    await expect(published).rejects.toThrow('publishing facts did not finish within 20 ms');
  });

  it('holds what it was given while the worker is suspended, and sends it when the gate opens', async () => {
    sqs.on(SendMessageCommand).resolves({});
    const gate = makeSwitchGate();
    gate.close();

    const published = aPublisher({ gate }).publish(owned('con_1'), [fact('a')], correlationId);
    await Promise.resolve();
    const whileClosed = bodies();
    gate.open();
    await published;

    expect(whileClosed).toEqual([]);
    expect(bodies()).toHaveLength(1);
  });

  it('sends nothing when the gate will never open again', async () => {
    const published = aPublisher({ gate: fencedGate }).publish(owned('con_1'), [fact('a')], correlationId);

    await expect(published).rejects.toThrow(GateClosedError);
    expect(bodies()).toEqual([]);
  });

  describe('when the queue refuses a body for good', () => {
    const refusal = Object.assign(new Error('Invalid characters found'), {
      name: 'InvalidMessageContents',
      $metadata: { httpStatusCode: 400 },
    });
    const message = (key: string, body: string): Fact => ({
      kind: 'message',
      key,
      atMs: Date.now(),
      stanzaId: key as StanzaId,
      chat: '1@lid',
      sender: '1@lid',
      fromMe: false,
      content: { type: 'text', text: { body } },
    });
    /** A queue that takes no body with a word in it, whatever the reason may be. */
    const refuseWord = (): void => {
      sqs.on(SendMessageCommand).callsFake((input: { readonly MessageBody: string }) => {
        if (input.MessageBody.includes('poison')) throw refusal;
        return {};
      });
    };
    const taken = async (): Promise<readonly Fact[]> => {
      const results = await Promise.allSettled(
        sqs.commandCalls(SendMessageCommand).map(({ returnValue }) => returnValue),
      );
      return results.flatMap(({ status }, at) =>
        status === 'fulfilled' ? factBatchSchema.parse(JSON.parse(bodies()[at] ?? '')).events : [],
      );
    };

    it('tells the fact without its content, and its neighbours whole and in order', async () => {
      refuseWord();

      await aPublisher().publish(
        owned('con_1'),
        [message('a', 'good'), message('b', 'poison'), message('c', 'good')],
        correlationId,
      );

      const facts = await taken();
      expect(facts.map(({ key }) => key)).toEqual(['a', 'b', 'c']);
      expect(facts[1]).toMatchObject({ content: { type: 'unsupported', unsupported: { kind: 'malformed' } } });
      expect(metrics.totalOf('FactsRefused', { reason: 'malformed' })).toBe(1);
    });

    it('rejects when even that is refused: then it is not the fact which the queue refuses', async () => {
      sqs.on(SendMessageCommand).rejects(refusal);

      const published = aPublisher().publish(owned('con_1'), [message('a', 'good')], correlationId);

      await expect(published).rejects.toThrow(NotStoredError);
    });
  });

  it('always splits into parts that keep all facts in order and stay under 64 KB unless one fact alone is larger', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 40_000 }), { maxLength: 250 }), (paddings) => {
        const facts = paddings.map((padding, place) => fact(String(place), padding));
        const parts = splitFacts(facts);
        expect(parts.flat()).toEqual(facts);
        for (const part of parts) {
          expect(part.length).toBeLessThanOrEqual(100);
          expect(part.length === 1 || Buffer.byteLength(JSON.stringify(part)) <= 64 * 1_024).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });
});
