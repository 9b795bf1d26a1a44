import { SendMessageBatchCommand, SQSClient, type SendMessageBatchCommandInput } from '@aws-sdk/client-sqs';
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
import { splitFacts } from '../../../worker/facts/factParts.ts';
import { makeSqsFactPublisher } from '../../../worker/facts/sqsFactPublisher.ts';
import { GateClosedError, type CommitGate } from '../../../worker/fleet/gate.ts';
import type { OwnedConnection } from '../../../worker/fleet/ownedConnection.ts';
import { fencedGate, makeSwitchGate, openGate } from '../fleet/gates.ts';
import { answerBatch, oneEventQueue } from './queueAnswers.ts';
import { eventually } from '../../eventually.ts';

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
    eventQueues: oneEventQueue,
    makeBatchId: () => `batch-${(batches += 1)}`,
    ...options,
  });
};
const calls = () => sqs.commandCalls(SendMessageBatchCommand).map(({ args }) => args[0].input);
const bodies = (): readonly string[] =>
  calls().flatMap(({ Entries = [] }) => Entries.map(({ MessageBody = '' }) => MessageBody));
const takeAll = (): void =>
  void sqs.on(SendMessageBatchCommand).callsFake((input: SendMessageBatchCommandInput) => answerBatch(input));

describe('the publisher of facts', () => {
  beforeEach(() => sqs.reset());

  it('sends the facts of a connection as one message in its group', async () => {
    takeAll();

    await aPublisher().publish(owned('con_1'), [fact('a'), fact('b')], correlationId);

    const [call] = calls();
    const batch = factBatchSchema.parse(JSON.parse(bodies()[0] ?? ''));
    expect(call).toMatchObject({
      QueueUrl: 'http://127.0.0.1:1/0/test-events-00.fifo',
      Entries: [{ MessageGroupId: 'con_1', MessageDeduplicationId: 'batch-1' }],
    });
    expect(batch).toMatchObject({ shard: 3, token: 9, correlationId, batchId: 'batch-1' });
    expect(batch.events.map(({ key }) => key)).toEqual(['a', 'b']);
  });

  it('never has two publishes of a connection in flight, and keeps their order', async () => {
    let inFlight = 0;
    let most = 0;
    sqs.on(SendMessageBatchCommand).callsFake(async (input: SendMessageBatchCommandInput) => {
      most = Math.max(most, (inFlight += input.Entries?.length ?? 0));
      await new Promise((resolve) => setImmediate(resolve));
      inFlight -= input.Entries?.length ?? 0;
      return answerBatch(input);
    });
    const publisher = aPublisher();

    await Promise.all(['a', 'b', 'c'].map((key) => publisher.publish(owned('con_1'), [fact(key)], correlationId)));

    expect(most).toBe(1);
    expect(bodies().map((body) => factBatchSchema.parse(JSON.parse(body)).events[0]?.key)).toEqual(['a', 'b', 'c']);
  });

  it('does not let one connection wait for another', async () => {
    const stuck = Promise.withResolvers<void>();
    sqs.on(SendMessageBatchCommand).callsFake(async (input: SendMessageBatchCommandInput) => {
      if (input.Entries?.[0]?.MessageGroupId === 'con_1') await stuck.promise;
      return answerBatch(input);
    });
    const publisher = aPublisher();

    const first = publisher.publish(owned('con_1'), [fact('a')], correlationId);
    await publisher.publish(owned('con_2'), [fact('b')], correlationId);

    stuck.resolve();
    await first;
    expect(bodies().length).toBe(2);
  });

  it('lets the connections of a worker share a call, of which each entry is judged alone', async () => {
    const first = Promise.withResolvers<void>();
    let failures = 1;
    sqs.on(SendMessageBatchCommand).callsFake(async (input: SendMessageBatchCommandInput) => {
      if (calls().length <= 2) await first.promise;
      return answerBatch(input, ({ MessageGroupId }) =>
        MessageGroupId === 'con_9' && failures-- > 0 ? 'InternalError' : undefined,
      );
    });
    const publisher = aPublisher();

    const published = Array.from({ length: 24 }, (_, at) =>
      publisher.publish(owned(`con_${at}`), [fact(`a${at}`)], correlationId),
    );
    await eventually(() => expect(calls().length).toBe(2));
    first.resolve();
    await Promise.all(published);

    const groups = calls().map(({ Entries = [] }) => Entries.map(({ MessageGroupId }) => MessageGroupId));
    expect(Math.max(...groups.map(({ length }) => length))).toBe(10);
    expect(groups.at(-1)).toEqual(['con_9']);
    expect(groups.flat().length).toBe(25);
    const ofNine = calls().flatMap(({ Entries = [] }) =>
      Entries.filter(({ MessageGroupId }) => MessageGroupId === 'con_9'),
    );
    expect(new Set(ofNine.map(({ MessageDeduplicationId }) => MessageDeduplicationId)).size).toBe(1);
  });

  it('makes a call that is refused as a whole again, entry by entry', async () => {
    const tooLong = Object.assign(new Error('too long'), {
      name: 'BatchRequestTooLong',
      $metadata: { httpStatusCode: 400 },
    });
    const first = Promise.withResolvers<void>();
    sqs.on(SendMessageBatchCommand).callsFake(async (input: SendMessageBatchCommandInput) => {
      if (calls().length <= 2) await first.promise;
      if ((input.Entries?.length ?? 0) > 1) throw tooLong;
      return answerBatch(input);
    });
    const publisher = aPublisher();

    const published = ['a', 'b', 'c', 'd'].map((key) => publisher.publish(owned(key), [fact(key)], correlationId));
    await eventually(() => expect(calls().length).toBe(2));
    first.resolve();
    await Promise.all(published);

    expect(calls().map(({ Entries = [] }) => Entries.length)).toEqual([1, 1, 2, 1, 1]);
    expect(metrics.totalOf('FactsRefused', { reason: 'too_large' })).toBe(0);
  });

  it('rejects when the queue does not take the facts, and lets the next publish try', async () => {
    sqs
      .on(SendMessageBatchCommand)
      .rejectsOnce(new Error('throttled'))
      .callsFake((input: SendMessageBatchCommandInput) => answerBatch(input));
    const publisher = aPublisher();

    await expect(publisher.publish(owned('con_1'), [fact('a')], correlationId)).rejects.toThrow('throttled');
    await publisher.publish(owned('con_1'), [fact('b')], correlationId);

    expect(bodies().length).toBe(2);
  });

  it('rejects at the deadline when the queue is silent', async () => {
    sqs.on(SendMessageBatchCommand).callsFake(() => new Promise(() => undefined));

    const published = aPublisher({ deadlineMs: 20 }).publish(owned('con_1'), [fact('a')], correlationId);

    await expect(published).rejects.toThrow('publishing facts did not finish within 20 ms');
  });

  it('holds what it was given while the worker is suspended, and sends it when the gate opens', async () => {
    takeAll();
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
      sqs.on(SendMessageBatchCommand).callsFake((input: SendMessageBatchCommandInput) => {
        const answer = answerBatch(input, ({ MessageBody = '' }) =>
          MessageBody.includes('poison') ? 'InvalidMessageContents' : undefined,
        );
        const accepted = new Set(answer.Successful.map(({ Id }) => Id));
        for (const { Id, MessageBody = '' } of input.Entries ?? []) {
          if (accepted.has(Id)) taken.push(...factBatchSchema.parse(JSON.parse(MessageBody)).events);
        }
        return answer;
      });
    };
    let taken: Fact[] = [];
    beforeEach(() => {
      taken = [];
    });

    it('tells the fact without its content, and its neighbours whole and in order', async () => {
      refuseWord();

      await aPublisher().publish(
        owned('con_1'),
        [message('a', 'good'), message('b', 'poison'), message('c', 'good')],
        correlationId,
      );

      const facts = taken;
      expect(facts.map(({ key }) => key)).toEqual(['a', 'b', 'c']);
      expect(facts[1]).toMatchObject({ content: { type: 'unsupported', unsupported: { kind: 'malformed' } } });
      expect(metrics.totalOf('FactsRefused', { reason: 'malformed' })).toBe(1);
    });

    it('rejects when even that is refused: then it is not the fact which the queue refuses', async () => {
      sqs.on(SendMessageBatchCommand).rejects(refusal);

      const published = aPublisher().publish(owned('con_1'), [message('a', 'good')], correlationId);

      await expect(published).rejects.toThrow(NotStoredError);
    });
  });

  it('always splits into parts that keep all facts in order and stay under 64 KB unless one fact alone is larger', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 40_000 }), { maxLength: 250 }), (paddings) => {
        const facts = paddings.map((padding, place) => fact(String(place), padding));
        const parts = splitFacts(facts);
        expect(parts.flatMap((part) => part.facts)).toEqual(facts);
        for (const part of parts) {
          const bytes = Buffer.byteLength(JSON.stringify(part.facts));
          expect(part.facts.length).toBeLessThanOrEqual(100);
          expect(part.facts.length === 1 || bytes <= 64 * 1_024).toBe(true);
          expect(part.bytes).toBeGreaterThanOrEqual(bytes);
        }
      }),
      { numRuns: 50 },
    );
  });
});
