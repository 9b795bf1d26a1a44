import { TransactWriteCommand, PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { DeleteMessageCommand, ReceiveMessageCommand, type Message, type SQSClient } from '@aws-sdk/client-sqs';
import type { SQSEvent } from 'aws-lambda';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withQueueMarks } from '../../../functions/ingest/queueMarks.ts';
import { toRecord } from '../../../infra/local/eventSource.ts';
import { factBatchSchema } from '../../../shared/event/factBatch.ts';
import { ownershipKey } from '../../../shared/fleet/fleetTable.ts';
import type { Clock } from '../../../shared/kernel/clock.ts';
import type { ConnectionId, CorrelationId, MessageId, TenantId } from '../../../shared/kernel/id.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { eventQueueName } from '../../../shared/platform/queues.ts';
import { EventQueueChoice } from '../../../worker/facts/eventQueueChoice.ts';
import { makeSqsFactPublisher } from '../../../worker/facts/sqsFactPublisher.ts';
import type { FactPublisher } from '../../../worker/facts/factPublisher.ts';
import { keepingMetrics } from '../../shared/platform/keepingMetrics.ts';
import { FakeDynamoDb } from '../../simulation/aws/fakeDynamoDb.ts';
import { FakeSqs } from '../../simulation/aws/fakeSqs.ts';
import { openGate } from '../fleet/gates.ts';

/** A shard whose queue differs for 1, 2 and 4 queues. */
const SHARD = 3;
const MOST = 4;
const CONNECTIONS = ['con_a', 'con_b'] as unknown as readonly ConnectionId[];
const urlOf = (queue: number): string => `https://sqs/${eventQueueName('test', queue)}`;

/** Owners of one shard that follow each other, their queues, and ingest, which comes to the queues when it is told to. */
class Stage {
  readonly dynamoDb = new FakeDynamoDb();
  readonly sqs = new FakeSqs();
  /** Keys of facts in the order in which ingest recorded them first, by connection. */
  readonly recorded = new Map<ConnectionId, number[]>();
  /** The queues out of which facts were recorded. */
  readonly used = new Set<string>();
  nowMs = 1_000_000;
  token = 0;
  /** What is done while an owner waits for a mark. */
  meanwhile: () => Promise<void> = async () => undefined;
  /** Whether the next note is written late: its answer is lost, and it lands later. */
  losesNote = false;
  readonly #late: (() => void)[] = [];
  readonly #table: DynamoDBDocumentClient;
  #publisher: FactPublisher | undefined;
  #facts = 0;

  constructor() {
    for (let queue = 0; queue < MOST; queue += 1) {
      this.sqs.createQueue({ url: urlOf(queue), visibilitySeconds: 30, highThroughput: true });
    }
    const send = async (command: unknown): Promise<unknown> => {
      if (command instanceof TransactWriteCommand && this.losesNote) {
        this.losesNote = false;
        this.#late.push(() => this.dynamoDb.apply(command));
        throw Object.assign(new Error('no answer'), { name: 'TimeoutError' });
      }
      return this.dynamoDb.apply(command);
    };
    this.#table = { send } as unknown as DynamoDBDocumentClient;
  }

  /** Another worker claims the shard, which knows so many queues. */
  claim(eventQueues: number): void {
    this.token += 1;
    const Item = { ...ownershipKey(SHARD), epoch: this.token };
    this.dynamoDb.apply(new PutCommand({ TableName: 'test-fleet', Item }));
    const { token } = this;
    let batches = 0;
    const clock: Clock = {
      nowMs: () => this.nowMs,
      monotonicMs: () => this.nowMs,
      // A wait that can be given up is a deadline: in this world everything is answered at once.
      sleep: async (durationMs, signal) => {
        if (signal !== undefined) return new Promise(() => undefined);
        this.nowMs += durationMs;
        await this.meanwhile();
      },
    };
    const eventQueues_ = new EventQueueChoice({
      table: this.#table,
      stage: 'test',
      eventQueues,
      clock,
      logger: silentLogger,
    });
    this.#publisher = makeSqsFactPublisher({
      queue: { send: async (command: unknown) => this.sqs.apply(command, this.nowMs) } as unknown as SQSClient,
      stage: 'test',
      queueUrlBase: 'https://sqs/',
      gate: openGate,
      clock,
      logger: silentLogger,
      metrics: keepingMetrics(),
      eventQueues: eventQueues_,
      makeBatchId: () => `${token}-${(batches += 1)}`,
    });
  }

  /** Publishes the next fact of a connection, again and again until it is taken, as WhatsApp would bring it. */
  async publish(connectionId: ConnectionId): Promise<void> {
    const key = this.nextFact();
    for (let tries = 0; tries < 5; tries += 1) if (await this.offer(connectionId, key)) return;
    throw new Error('the fact was not taken');
  }

  nextFact(): number {
    return (this.#facts += 1);
  }

  /** Publishes a fact once. Returns whether it was taken. */
  async offer(connectionId: ConnectionId, key: number): Promise<boolean> {
    const owned = { tenantId: 'tnt_1' as TenantId, connectionId, shard: SHARD, token: this.token };
    const messageId = 'msg_1' as MessageId;
    const fact = { kind: 'send_result', key: String(key), atMs: 1, messageId, state: 'sent' } as const;
    try {
      await this.#publisher?.publish(owned, [fact], 'cor-test-1' as CorrelationId);
      return true;
    } catch {
      return false;
    }
  }

  /** Late writes arrive. One that is refused is refused. */
  land(): void {
    for (const write of this.#late.splice(0)) {
      try {
        write();
      } catch {
        // The condition of the write does not hold any more.
      }
    }
  }

  /** Ingest takes a batch of one queue. When it dies, it has recorded all of it and deleted nothing. */
  async ingest(queue: number, dies = false): Promise<boolean> {
    const url = urlOf(queue);
    const receive = new ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: 4,
      MessageSystemAttributeNames: ['MessageGroupId'],
      VisibilityTimeout: dies ? 0 : 30,
    });
    const { Messages = [] } = this.sqs.apply(receive, this.nowMs) as { readonly Messages?: readonly Message[] };
    const handler = withQueueMarks(
      { table: this.#table, stage: 'test', clock: { nowMs: () => this.nowMs } as Clock, logger: silentLogger },
      async ({ Records }: SQSEvent) => {
        for (const { body } of Records) {
          const { connectionId, events } = factBatchSchema.parse(JSON.parse(body));
          const recorded = this.recorded.get(connectionId) ?? [];
          for (const { key } of events) if (!recorded.includes(Number(key))) recorded.push(Number(key));
          this.recorded.set(connectionId, recorded);
          this.used.add(url);
        }
        return { batchItemFailures: [] };
      },
    );
    if (Messages.length > 0) await handler({ Records: Messages.map((message) => toRecord(message, url)) });
    if (!dies) {
      for (const { ReceiptHandle } of Messages) {
        this.sqs.apply(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle }), this.nowMs);
      }
    }
    return Messages.length > 0;
  }

  async ingestAll(): Promise<void> {
    for (let queue = 0; queue < MOST; queue += 1) while (await this.ingest(queue));
  }
}

describe('the queue of a connection when their number grows', () => {
  it('is another one once everything in the old one is recorded', async () => {
    const stage = new Stage();
    stage.claim(1);
    for (let count = 0; count < 6; count += 1) await stage.publish('con_a' as ConnectionId);

    stage.meanwhile = () => stage.ingestAll();
    stage.claim(4);
    await stage.publish('con_a' as ConnectionId);
    const before = [...(stage.recorded.get('con_a' as ConnectionId) ?? [])];
    await stage.ingest(3);

    expect(before).toEqual([1, 2, 3, 4, 5, 6]);
    expect(stage.recorded.get('con_a' as ConnectionId)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(stage.used).toContain(urlOf(3));
  });

  it('stays the old one while ingest does not come to its end, and is tried again later', async () => {
    const stage = new Stage();
    stage.claim(1);
    await stage.publish('con_a' as ConnectionId);

    stage.claim(4);
    await stage.publish('con_a' as ConnectionId);
    await stage.ingestAll();
    const while_ = new Set(stage.used);
    stage.nowMs += 10 * 60_000;
    stage.meanwhile = () => stage.ingestAll();
    await stage.publish('con_a' as ConnectionId);
    await stage.ingestAll();

    expect([...while_]).toEqual([urlOf(0)]);
    expect(stage.used).toContain(urlOf(3));
    expect(stage.recorded.get('con_a' as ConnectionId)).toEqual([1, 2, 3]);
  });

  it('is not changed by a note that lands after its owner has tried again and stayed', async () => {
    const stage = new Stage();
    const of = 'con_a' as ConnectionId;
    stage.claim(1);
    await stage.publish(of);
    stage.claim(4);
    stage.meanwhile = () => stage.ingestAll();
    stage.losesNote = true;
    const key = stage.nextFact();

    const first = await stage.offer(of, key);
    stage.meanwhile = async () => undefined;
    const second = await stage.offer(of, key);
    stage.land();
    stage.claim(4);
    await stage.publish(of);
    await stage.ingest(3);
    await stage.ingestAll();

    expect([first, second]).toEqual([false, true]);
    expect(stage.recorded.get(of)).toEqual([1, 2, 3]);
  });

  it('is not changed by a note that lands after another owner has published', async () => {
    const stage = new Stage();
    const of = 'con_a' as ConnectionId;
    stage.claim(1);
    await stage.publish(of);
    stage.claim(4);
    stage.meanwhile = () => stage.ingestAll();
    stage.losesNote = true;
    const key = stage.nextFact();

    const first = await stage.offer(of, key);
    stage.meanwhile = async () => undefined;
    stage.claim(1);
    const second = await stage.offer(of, key);
    stage.land();
    stage.claim(4);
    await stage.publish(of);
    await stage.ingest(3);
    await stage.ingestAll();

    expect([first, second]).toEqual([false, true]);
    expect(stage.recorded.get(of)).toEqual([1, 2, 3]);
  });

  it('always keeps the facts of a connection in order, whoever owns it, dies, or writes late', async () => {
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ step: fc.constant('publish' as const), of: fc.constantFrom(...CONNECTIONS) }),
      },
      {
        weight: 3,
        arbitrary: fc.record({ step: fc.constant('claim' as const), eventQueues: fc.constantFrom(1, 2, 4) }),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          step: fc.constant('ingest' as const),
          queue: fc.nat({ max: MOST - 1 }),
          dies: fc.boolean(),
        }),
      },
      { weight: 2, arbitrary: fc.record({ step: fc.constant('lose a note' as const) }) },
      { weight: 2, arbitrary: fc.record({ step: fc.constant('land' as const) }) },
      { weight: 1, arbitrary: fc.record({ step: fc.constant('wait' as const) }) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.infiniteStream(fc.record({ queue: fc.nat({ max: MOST - 1 }), comes: fc.boolean(), dies: fc.boolean() })),
        async (steps, looks) => {
          const stage = new Stage();
          stage.claim(1);
          stage.meanwhile = async () => {
            const look = looks.next().value;
            if (look?.comes === true) await stage.ingest(look.queue, look.dies);
          };
          for (const one of steps) {
            if (one.step === 'publish') await stage.publish(one.of);
            if (one.step === 'claim') stage.claim(one.eventQueues);
            if (one.step === 'ingest') await stage.ingest(one.queue, one.dies);
            if (one.step === 'lose a note') stage.losesNote = true;
            if (one.step === 'land') stage.land();
            if (one.step === 'wait') stage.nowMs += 6 * 60_000;
          }
          stage.nowMs += 60_000;
          await stage.ingestAll();

          for (const keys of stage.recorded.values()) {
            expect(keys).toEqual(keys.toSorted((left, right) => left - right));
          }
          const published = steps.filter((one) => one.step === 'publish').length;
          expect([...stage.recorded.values()].flat().length).toBe(published);
        },
      ),
      { numRuns: 200 },
    );
  });
});
