import { randomUUID } from 'node:crypto';
import { ReceiveMessageCommand, DeleteMessageCommand } from '@aws-sdk/client-sqs';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Connection } from '../../../shared/connection/connection.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { makeId, type CorrelationId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { acceptMessage } from '../../../shared/message/acceptMessage.ts';
import { isDone, movesForward, sendStates, type SendState } from '../../../shared/message/message.ts';
import { MessageStore } from '../../../shared/message/messageStore.ts';
import { makeDocumentClient, makeQueueClient } from '../../../shared/platform/aws.ts';
import { commandQueueName } from '../../../shared/platform/queues.ts';
import { createTables, startDynamoDb } from '../../emulators/dynamodb.ts';
import { createQueues, startQueues } from '../../emulators/queues.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';

/** Wraps a client so that its n-th call fails, before or after it took effect. */
function failing<Client extends { send: (...args: never[]) => unknown }>(
  client: Client,
  plan: Plan,
  calls: { count: number },
): Client {
  const send = client.send.bind(client) as (...args: unknown[]) => Promise<unknown>;
  return Object.assign(Object.create(client) as Client, {
    send: async (...args: unknown[]) => {
      calls.count += 1;
      if (calls.count === plan.at && !plan.applied) throw new Error('lost before');
      const answer = await send(...args);
      if (calls.count === plan.at) throw new Error('lost after');
      return answer;
    },
  });
}
interface Plan {
  /** The number of the call that fails; 1 is the first, and a number beyond the last fails none. */
  readonly at: number;
  /** Whether the call took effect although its answer was lost. */
  readonly applied: boolean;
}

describe('accepting a message', () => {
  let dynamoDb: Awaited<ReturnType<typeof startDynamoDb>>;
  let queues: Awaited<ReturnType<typeof startQueues>>;
  beforeAll(async () => {
    [dynamoDb, queues] = await Promise.all([startDynamoDb(), startQueues()]);
    await createTables(dynamoDb.endpoint, 'test');
    await createQueues(queues.endpoint, 'test', 1);
  });
  afterAll(() => Promise.all([dynamoDb.stop(), queues.stop()]));

  const aConnection = (): Connection => ({
    tenantId: makeId('tnt', Date.now(), systemRandom),
    connectionId: makeId('con', Date.now(), systemRandom),
    label: undefined,
    shard: 0,
    wanted: 'online',
    pairing: undefined,
    account: { phoneJid: '1@s.whatsapp.net', lid: undefined, name: undefined },
    status: 'online',
    statusCode: 'open',
    statusSinceMs: 0,
    createdAtMs: 0,
    parkedCount: 0,
  });

  it('gives one message id per key and says 202 only when the queue has the command, whatever fails in between', async () => {
    const config = aStoreConfig({ dynamoDb, queues });
    const [table, queue] = [makeDocumentClient(config), makeQueueClient(config)];
    const QueueUrl = `${queues.queueUrlBase}${commandQueueName('test', 0)}`;
    const takeAll = async (): Promise<readonly string[]> => {
      const taken: string[] = [];
      for (;;) {
        const { Messages = [] } = await queue.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
        if (Messages.length === 0) return taken;
        for (const { Body, ReceiptHandle } of Messages) {
          taken.push((JSON.parse(Body ?? '') as { messageId: string }).messageId);
          await queue.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
        }
      }
    };
    const plan = fc.record({ at: fc.integer({ min: 1, max: 10 }), applied: fc.boolean() });

    await fc.assert(
      fc.asyncProperty(fc.array(plan, { minLength: 1, maxLength: 4 }), async (plans) => {
        const connection = aConnection();
        const key = randomUUID();
        const accepted: string[] = [];
        for (const each of [...plans, { at: 99, applied: false }]) {
          const calls = { count: 0 };
          const failingTable = failing(table, each, calls);
          const message = await acceptMessage(
            {
              table: failingTable,
              queue: failing(queue, each, calls),
              stage: 'test',
              queueUrlBase: queues.queueUrlBase,
              messages: new MessageStore({ table: failingTable, stage: 'test' }),
              clock: systemClock,
              random: systemRandom,
            },
            {
              connection,
              body: { to: '+4915100000002', type: 'text', text: { body: 'hello' } },
              idempotencyKey: key,
              correlationId: 'cor-1234' as CorrelationId,
            },
          ).catch(() => undefined);
          if (message !== undefined) accepted.push(message.messageId);
        }
        const commands = await takeAll();

        expect(new Set(accepted).size).toBe(1);
        expect(commands).toEqual([accepted[0]]);
      }),
      { numRuns: 40 },
    );
  });
});

describe('states of a message', () => {
  const states = Object.keys(sendStates) as SendState[];

  it('only move forward, and ends are final', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...states), { maxLength: 20 }), (wanted) => {
        let state: SendState = 'queued';
        for (const next of wanted) {
          if (!movesForward(state, next)) continue;
          expect(sendStates[next]).toBeGreaterThan(sendStates[state]);
          expect(['failed', 'expired', 'cancelled']).not.toContain(state);
          state = next;
        }
      }),
    );
  });

  it.each<readonly [from: SendState, to: SendState, moves: boolean]>([
    ['queued', 'parked', true],
    ['parked', 'queued', false],
    ['sending', 'delivered', true],
    ['read', 'delivered', false],
    ['sent', 'failed', false],
    ['sending', 'failed', true],
    ['failed', 'delivered', false],
    ['expired', 'sent', false],
  ])('%s to %s: %s', (from, to, moves) => {
    expect(movesForward(from, to)).toBe(moves);
  });

  it('are done from `sent` on', () => {
    expect(states.filter((state) => !isDone(state))).toEqual(['scheduled', 'queued', 'parked', 'sending']);
  });
});
