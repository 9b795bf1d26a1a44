import { ReceiveMessageCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { makePollingClient, makeQueueClient } from '../../../shared/platform/aws.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { commandQueueName } from '../../../shared/platform/queues.ts';
import { CommandPoller, type PollerDependencies } from '../../../worker/commands/commandPoller.ts';
import type { CommandRecord } from '../../../worker/commands/commandQueue.ts';
import { createQueues, startQueues } from '../../emulators/queues.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';
import { eventually } from '../../eventually.ts';

const SHARDS = 12;

describe('the command poller', () => {
  let queues: Awaited<ReturnType<typeof startQueues>>;
  let acting: SQSClient;
  let polling: SQSClient;
  let nextShard = 0;
  const pollers: CommandPoller[] = [];
  beforeAll(async () => {
    queues = await startQueues();
    await createQueues(queues.endpoint, 'test', SHARDS);
    const config = aStoreConfig({ queues });
    acting = makeQueueClient(config);
    polling = makePollingClient(config, SHARDS, 1);
  });
  afterAll(async () => {
    await Promise.all(pollers.map((poller) => poller.drain()));
    await queues.stop();
  });

  /** A queue of its own for each test. */
  const aQueue = (): string => `${queues.queueUrlBase}${commandQueueName('test', nextShard++)}`;
  const put = async (queueUrl: string, group: string, body: string): Promise<void> => {
    await acting.send(
      new SendMessageCommand({
        QueueUrl: queueUrl,
        MessageBody: body,
        MessageGroupId: group,
        MessageDeduplicationId: `${group}-${body}`,
      }),
    );
  };
  const aPoller = (queueUrl: string, overrides: Partial<PollerDependencies>): CommandPoller => {
    const poller = new CommandPoller({
      queueUrl,
      polling,
      acting,
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      handle: async () => 'done',
      assertOpen: () => undefined,
      isOpen: () => true,
      waitSeconds: 1,
      visibilitySeconds: 30,
      ...overrides,
    });
    pollers.push(poller);
    return poller;
  };
  const left = async (queueUrl: string): Promise<readonly string[]> => {
    const answer = await acting.send(new ReceiveMessageCommand({ QueueUrl: queueUrl, VisibilityTimeout: 0 }));
    return (answer.Messages ?? []).map(({ Body = '' }) => Body);
  };

  it('works each group in order and groups side by side', async () => {
    const queueUrl = aQueue();
    const handled: string[] = [];
    const slow = Promise.withResolvers<void>();
    for (const body of ['1', '2', '3']) await put(queueUrl, 'slow', body);
    for (const body of ['1', '2', '3']) await put(queueUrl, 'quick', body);
    const poller = aPoller(queueUrl, {
      handle: async ({ group, body }) => {
        if (group === 'slow') await slow.promise;
        handled.push(`${group} ${body}`);
        return 'done';
      },
    });

    poller.start();

    await eventually(() => expect(handled).toEqual(['quick 1', 'quick 2', 'quick 3']));
    slow.resolve();
    await eventually(() => expect(handled.slice(3)).toEqual(['slow 1', 'slow 2', 'slow 3']));
    await poller.drain();
    expect(await left(queueUrl)).toEqual([]);
  });

  it('stops a group at its first failure, leaves others alone, and takes it up again in order', async () => {
    const queueUrl = aQueue();
    const handled: string[] = [];
    let failures = 1;
    for (const body of ['1', '2', '3']) await put(queueUrl, 'broken', body);
    await put(queueUrl, 'sound', '1');
    const poller = aPoller(queueUrl, {
      handle: async ({ group, body }) => {
        if (group === 'broken' && body === '2' && failures-- > 0) throw new Error('a store is down');
        handled.push(`${group} ${body}`);
        return 'done';
      },
    });

    poller.start();

    await eventually(() => expect(handled.length).toBe(4));
    expect(handled.filter((line) => line.startsWith('broken'))).toEqual(['broken 1', 'broken 2', 'broken 3']);
  });

  it('leaves what is not for it to the next worker, with its group in order, and holds up no other group', async () => {
    const queueUrl = aQueue();
    const visibilitySeconds = 2;
    const older: string[] = [];
    for (const body of ['1 of a newer release', '2']) await put(queueUrl, 'newer', body);
    await put(queueUrl, 'sound', '1');
    const poller = aPoller(queueUrl, {
      visibilitySeconds,
      handle: async ({ group, body }) => {
        older.push(`${group} ${body}`);
        return body.includes('newer') ? 'left' : 'done';
      },
    });
    poller.start();
    await eventually(() => expect(older).toEqual(expect.arrayContaining(['sound 1', 'newer 1 of a newer release'])));
    await poller.drain();

    const handled: string[] = [];
    const next = aPoller(queueUrl, {
      visibilitySeconds,
      handle: async ({ group, body }) => {
        handled.push(`${group} ${body}`);
        return 'done';
      },
    });
    next.start();

    await eventually(() => expect(handled).toEqual(['newer 1 of a newer release', 'newer 2']));
    expect(older).not.toContain('newer 2');
    await next.drain();
    expect(await left(queueUrl)).toEqual([]);
  });

  it('goes on working while it waits for its last long poll, so that a hand-off costs little', async () => {
    const queueUrl = aQueue();
    const handled: string[] = [];
    const poller = aPoller(queueUrl, {
      waitSeconds: 20,
      handle: async ({ body }) => {
        handled.push(body);
        return 'done';
      },
    });
    poller.start();

    const settled = poller.settle();
    await put(queueUrl, 'group', 'came meanwhile');
    await settled;
    await eventually(() => expect(handled).toEqual(['came meanwhile']));
    const startedMs = performance.now();
    await poller.drain();

    // A poll of one second at most is out by then, and not one of twenty.
    expect(performance.now() - startedMs).toBeLessThan(15_000);
  });

  it('hides no command from others once it may not act', async () => {
    const queueUrl = aQueue();
    let isOpen = true;
    const stuck = Promise.withResolvers<'done'>();
    await put(queueUrl, 'group', 'one');
    const poller = aPoller(queueUrl, {
      visibilitySeconds: 2,
      isOpen: () => isOpen,
      assertOpen: () => {
        if (!isOpen) throw new Error('the gate is closed');
      },
      handle: () => stuck.promise,
    });
    poller.start();
    await eventually(async () => expect(await left(queueUrl)).toEqual([]));

    isOpen = false;
    await eventually(async () => expect(await left(queueUrl)).toEqual(['one']));
    stuck.resolve('done');
  });

  it('keeps a command hidden for as long as it is worked', async () => {
    const queueUrl = aQueue();
    const slow = Promise.withResolvers<void>();
    const records: CommandRecord[] = [];
    await put(queueUrl, 'group', '1');
    const poller = aPoller(queueUrl, {
      visibilitySeconds: 1,
      handle: async (record) => {
        records.push(record);
        await slow.promise;
        return 'done';
      },
    });

    poller.start();
    await eventually(() => expect(records.length).toBe(1));
    await systemClock.sleep(2_500);
    slow.resolve();
    await poller.drain();

    expect(records.map(({ receiveCount }) => receiveCount)).toEqual([1]);
    expect(await left(queueUrl)).toEqual([]);
  });

  it('finishes what was begun when it drains, and gives the rest back in order for the next owner', async () => {
    const queueUrl = aQueue();
    const begun = Promise.withResolvers<void>();
    const slow = Promise.withResolvers<void>();
    const first: string[] = [];
    const second: string[] = [];
    for (const body of ['1', '2', '3', '4']) await put(queueUrl, 'group', body);
    const leaving = aPoller(queueUrl, {
      handle: async ({ body }) => {
        first.push(body);
        begun.resolve();
        await slow.promise;
        return 'done';
      },
    });
    const coming = aPoller(queueUrl, {
      handle: async ({ body }) => {
        second.push(body);
        return 'done';
      },
    });

    leaving.start();
    await begun.promise;
    const drained = leaving.drain();
    slow.resolve();
    await drained;
    coming.start();

    await eventually(() => expect(second.at(-1)).toBe('4'));
    expect([...first, ...second]).toEqual(['1', '2', '3', '4']);
  });

  it('deletes nothing once it was abandoned', async () => {
    const queueUrl = aQueue();
    const begun = Promise.withResolvers<void>();
    const slow = Promise.withResolvers<void>();
    await put(queueUrl, 'group', '1');
    let isOpen = true;
    const poller = aPoller(queueUrl, {
      visibilitySeconds: 1,
      assertOpen: () => {
        if (!isOpen) throw new Error('the gate is closed');
      },
      handle: async () => {
        begun.resolve();
        await slow.promise;
        return 'done';
      },
    });
    poller.start();
    await begun.promise;

    isOpen = false;
    poller.abandon();
    slow.resolve();

    await eventually(async () => expect(await left(queueUrl)).toEqual(['1']));
  });

  it('goes on after the queue did not answer', async () => {
    const queueUrl = aQueue();
    const handled: string[] = [];
    await put(queueUrl, 'group', '1');
    let failures = 2;
    const poller = aPoller(queueUrl, {
      assertOpen: () => {
        if (failures-- > 0) throw new Error('not now');
      },
      handle: async ({ body }) => {
        handled.push(body);
        return 'done';
      },
    });

    poller.start();

    await eventually(() => expect(handled).toEqual(['1']));
  });
});
