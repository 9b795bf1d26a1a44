import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { QueryCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { SQSRecord } from 'aws-lambda';
import { makeIngestHandler } from '../../../functions/ingest/handler.ts';
import type { TenantEvent } from '../../../shared/event/event.ts';
import type { FactBatch } from '../../../shared/event/factBatch.ts';
import { readEvents } from '../../../shared/event/readEvents.ts';
import { makeId, type TenantId } from '../../../shared/kernel/id.ts';
import { CHAINED_PREFIX, chainPartition } from '../../../shared/platform/keys.ts';
import { tableName } from '../../../shared/platform/tables.ts';
import { makeLogger } from '../../../shared/platform/logger.ts';
import { Secret } from '../../../shared/kernel/secret.ts';
import { CLOSED } from '../../../shared/webhook/endpointBreaker.ts';
import type { Endpoint } from '../../../shared/webhook/endpoint.ts';
import { deliverySchema } from '../../../shared/webhook/delivery.ts';
import { keepingMetrics } from '../../shared/platform/keepingMetrics.ts';
import { makeTestClock } from '../../shared/event/testClock.ts';
import { FakeDynamoDb } from '../../simulation/aws/fakeDynamoDb.ts';
import { makeSeededRandom, type SeededRandom } from '../../simulation/seededRandom.ts';
import { aRecord } from '../queueStack.ts';

/**
 * The fate of an invocation: at a request of its, before or after it takes effect, it dies, or it sleeps until long after
 * its records were given to another one (a zombie).
 */
export interface Fate {
  readonly atRequest: number;
  readonly afterEffect: boolean;
  readonly end: 'dies' | 'sleeps';
}

class Died extends Error {}

/**
 * Ingest on a store and queues in memory, with the events queue as SQS has it: the batches of a connection come in order,
 * and the next ones when those before are done. Between any two requests anything else may happen.
 */
export class IngestWorld {
  readonly store = new FakeDynamoDb();
  readonly clock = makeTestClock();
  readonly delivered = new Map<string, string>();
  /** The events that were in the chain of a connection when a delivery for it was queued last. */
  readonly chained = new Map<string, readonly string[]>();
  readonly logLines: string[] = [];
  /** The requests of all invocations, by name. */
  readonly requests: string[] = [];
  readonly #random: SeededRandom;
  readonly #waiting = new Map<string, FactBatch[]>();
  readonly #zombies: { readonly wake: () => void; readonly end: Promise<unknown> }[] = [];

  readonly #orders: readonly Endpoint['order'][];

  /** @param orders of the endpoints of a tenant */
  constructor(seed: number, orders: readonly Endpoint['order'][] = ['fast']) {
    this.#random = makeSeededRandom(seed);
    this.#orders = orders;
  }

  /** The table as its own client, without a fate. */
  get table(): DynamoDBDocumentClient {
    return this.#clientOf((effect) => this.#turn(effect));
  }

  /** Puts batches into the queue of facts. */
  enqueue(batches: readonly FactBatch[]): void {
    for (const batch of batches) {
      const waiting = this.#waiting.get(batch.connectionId) ?? [];
      this.#waiting.set(batch.connectionId, [...waiting, batch]);
    }
  }

  /** Runs invocations until all batches are done: the first ones have fates. Then all that sleep wake up. */
  async run(fates: readonly Fate[]): Promise<void> {
    const left = [...fates];
    for (let turns = 0; [...this.#waiting.values()].some((batches) => batches.length > 0); turns++) {
      if (turns > 500) throw new Error(`the batches are never done: ${this.logLines.slice(-5).join('\n')}`);
      await this.#invoke(left.shift());
      this.clock.advance(this.#random.pick([0, 100, 5_000, 40_000, 61_000]));
      if (this.#random.chance(0.3)) this.#zombies.splice(this.#random.integer(0, 3), 1).forEach(({ wake }) => wake());
    }
    for (const zombie of this.#zombies) zombie.wake();
    await Promise.all(this.#zombies.map(({ end }) => end));
  }

  /** One invocation with all of some batches. Returns the names of its requests, in order. */
  async runOnce(batches: readonly FactBatch[]): Promise<readonly string[]> {
    const before = this.requests.length;
    await this.#handle(batches.map(toRecord), (effect) => Promise.resolve(effect()));
    return this.requests.slice(before);
  }

  /** One invocation, with some batches of some connections. */
  async #invoke(fate: Fate | undefined): Promise<void> {
    const given = [...this.#waiting.values()].flatMap((batches) => batches.slice(0, this.#random.integer(0, 3)));
    const records = given.map(toRecord);
    if (records.length === 0) return;
    const gate = Promise.withResolvers<void>();
    const stopped = Promise.withResolvers<'stopped'>();
    let requests = 0;
    let state: 'runs' | 'stopped' = 'runs';
    const around = async <Answer>(effect: () => Answer): Promise<Answer> => {
      await this.#turn();
      if (state === 'stopped') await stop();
      requests += 1;
      const isLast = fate !== undefined && requests === fate.atRequest;
      if (isLast && !fate.afterEffect) await stop();
      const answer = effect();
      await this.#turn();
      if (isLast && fate.afterEffect) await stop();
      return answer;
    };
    const stop = async (): Promise<void> => {
      state = 'stopped';
      stopped.resolve('stopped');
      if (fate?.end === 'dies') throw new Died();
      await gate.promise;
    };
    const end = this.#handle(records, around);
    const outcome = await Promise.race([end, stopped.promise]);
    if (outcome === 'stopped') {
      const wake = (): void => {
        state = 'runs';
        gate.resolve();
      };
      this.#zombies.push({ wake, end });
      return;
    }
    const failed = new Set(outcome.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    const done = new Set(given.filter(({ batchId }) => !failed.has(batchId)));
    for (const [group, batches] of this.#waiting)
      this.#waiting.set(
        group,
        batches.filter((batch) => !done.has(batch)),
      );
  }

  #handle(Records: SQSRecord[], around: <Answer>(effect: () => Answer) => Promise<Answer>) {
    const handler = makeIngestHandler({
      table: this.#clientOf(async (effect) => around(effect)),
      stage: 'test',
      clock: this.clock,
      random: this.#random.fork(),
      queue: { send: (command: unknown) => around(() => this.#take(command)) } as unknown as SQSClient,
      queueUrlBase: 'https://sqs/',
      logger: makeLogger('test', 'warn', { write: (line) => this.logLines.push(line) }),
      metrics: keepingMetrics(),
      // People are noted behind the recording, which alone is examined here.
      people: { note: () => Promise.resolve() },
      chats: { note: () => Promise.resolve() },
      endpoints: { list: (tenantId) => around(() => this.#orders.map((order) => anEndpoint(tenantId, order))) },
    });
    return handler({ Records });
  }

  #clientOf(around: (effect: () => unknown) => Promise<unknown>): DynamoDBDocumentClient {
    const send = (command: object): Promise<unknown> =>
      around(() => {
        this.requests.push(command.constructor.name);
        return this.store.apply(command);
      });
    return { send } as unknown as DynamoDBDocumentClient;
  }

  async #turn(effect: () => unknown = () => undefined): Promise<unknown> {
    for (let turns = this.#random.integer(0, 4); turns > 0; turns--) await Promise.resolve();
    return effect();
  }

  #take(command: unknown): object {
    if (!(command instanceof SendMessageBatchCommand)) throw new Error('something was set aside');
    this.requests.push('SendMessageBatchCommand');
    const { Entries = [] } = command.input;
    for (const { MessageBody = '' } of Entries) {
      const { tenantId, endpointId, eventId, chain, event = '' } = deliverySchema.parse(JSON.parse(MessageBody));
      if (chain !== undefined) {
        this.chained.set(chain, this.#idsIn(chainPartition(endpointId, chain)));
        continue;
      }
      const name = `${tenantId} ${eventId}`;
      const known = this.delivered.get(name);
      if (known !== undefined && known !== event) throw new Error(`two texts of ${name}`);
      this.delivered.set(name, event);
    }
    return { Successful: Entries.map(({ Id }) => ({ Id })), Failed: [], $metadata: {} };
  }

  #idsIn(pk: string): readonly string[] {
    const { Items = [] } = this.store.apply(
      new QueryCommand({
        TableName: tableName('test', 'core'),
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: { ':pk': pk, ':prefix': CHAINED_PREFIX },
      }),
    ) as { readonly Items?: readonly { readonly sk: string }[] };
    return Items.map(({ sk }) => sk.slice(CHAINED_PREFIX.length));
  }

  /** All events of a tenant, as a reader gets them that waits for what is missing. */
  async eventsOf(tenantId: TenantId): Promise<readonly TenantEvent[]> {
    this.clock.advance(120_000);
    const events: TenantEvent[] = [];
    let after: string | undefined;
    for (let pages = 0; pages < 500; pages++) {
      const page = await readEvents({ table: this.table, stage: 'test', clock: this.clock }, tenantId, after, 50);
      events.push(...page.events);
      after = page.next;
      if (!page.hasMore) return events;
    }
    throw new Error('the log never ends');
  }
}

function toRecord(batch: FactBatch): SQSRecord {
  return aRecord(JSON.stringify(batch), { id: batch.batchId, group: batch.connectionId });
}

function anEndpoint(tenantId: TenantId, order: Endpoint['order']): Endpoint {
  return {
    tenantId,
    endpointId: makeId('end', 1, makeSeededRandom(tenantId.length)),
    url: 'https://hooks.example/',
    events: undefined,
    order,
    state: 'active',
    secret: new Secret('secret'),
    breaker: CLOSED,
    createdAtMs: 0,
  };
}
