import {
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { CommandPoller, type PollerDependencies } from '../../../worker/commands/commandPoller.ts';
import { FakeSqs } from '../../simulation/aws/fakeSqs.ts';
import { eventually } from '../../eventually.ts';

const URL = 'https://sqs/test-command-0000.fifo';

/** A queue with SQS's rules: ten of a group at once, and none of it while one of these is held. */
function aQueue() {
  const sqs = new FakeSqs();
  sqs.createQueue({ url: URL, visibilitySeconds: 30, highThroughput: true });
  const calls: unknown[] = [];
  const hooks: { refuseDelete?: (command: DeleteMessageBatchCommand) => void } = {};
  const client = {
    send: async (command: unknown) => {
      calls.push(command);
      if (command instanceof ReceiveMessageCommand) {
        // A poll waits a moment, so that an empty queue is not asked without pause.
        for (let looks = 0; looks < 20; looks += 1) {
          const answer = sqs.apply(command, Date.now()) as { readonly Messages?: readonly object[] };
          if (answer.Messages !== undefined) return answer;
          await systemClock.sleep(5);
        }
        return {};
      }
      if (command instanceof DeleteMessageBatchCommand) hooks.refuseDelete?.(command);
      return sqs.apply(command, Date.now());
    },
  } as unknown as SQSClient;
  const put = (group: string, body: string): void => {
    const input = { QueueUrl: URL, MessageBody: body, MessageGroupId: group, MessageDeduplicationId: body };
    sqs.apply(new SendMessageCommand(input), Date.now());
  };
  return { sqs, calls, hooks, client, put };
}

describe('the calls of a command poller', () => {
  const pollers: CommandPoller[] = [];
  afterEach(() => {
    for (const poller of pollers.splice(0)) poller.abandon();
  });
  const aPoller = (client: SQSClient, overrides: Partial<PollerDependencies>): CommandPoller => {
    const poller = new CommandPoller({
      queueUrl: URL,
      polling: client,
      acting: client,
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

  it('carry many commands each', async () => {
    const { sqs, calls, client, put } = aQueue();
    for (let place = 0; place < 200; place += 1) put(`con_${place % 50}`, String(place));

    aPoller(client, {}).start();
    await eventually(() => expect(sqs.depth(URL)).toBe(0));

    const deletes = calls.filter((call) => call instanceof DeleteMessageBatchCommand);
    expect(deletes.length).toBeLessThanOrEqual(40);
    expect(calls.length - deletes.length).toBeLessThanOrEqual(40);
  });

  it('leave a bulk of one connection ten places, so that others are worked beside it', async () => {
    const { client, put } = aQueue();
    const bulk: string[] = [];
    const others: string[] = [];
    for (let place = 0; place < 250; place += 1) put('con_bulk', `bulk ${place}`);
    for (let place = 0; place < 60; place += 1) put(`con_${place}`, String(place));
    const stuck = Promise.withResolvers<'done'>();

    aPoller(client, {
      handle: async ({ group, body }) => {
        if (group !== 'con_bulk') {
          others.push(body);
          return 'done';
        }
        bulk.push(body);
        return stuck.promise;
      },
    }).start();
    await eventually(() => expect(others.length).toBe(60));
    stuck.resolve('done');

    await eventually(() => expect(bulk.length).toBeGreaterThan(100));
    expect(bulk).toEqual(Array.from({ length: bulk.length }, (_, place) => `bulk ${place}`));
  });

  it('delete again what a call failed to delete, and work nothing twice for it', async () => {
    const { sqs, hooks, client, put } = aQueue();
    const handled: string[] = [];
    for (let place = 0; place < 30; place += 1) put(`con_${place % 3}`, String(place));
    let failures = 1;
    hooks.refuseDelete = () => {
      if (failures-- > 0) throw Object.assign(new Error('not now'), { name: 'ServiceUnavailable' });
    };

    aPoller(client, {
      handle: async ({ body }) => {
        handled.push(body);
        return 'done';
      },
    }).start();
    await eventually(() => expect(sqs.depth(URL)).toBe(0));

    expect(handled.toSorted((left, right) => Number(left) - Number(right))).toEqual(
      Array.from({ length: 30 }, (_, place) => String(place)),
    );
  });

  it('delete nothing at a closed gate, and give what was done out again', async () => {
    const { sqs, client, put } = aQueue();
    let isOpen = true;
    put('con_1', '1');
    const poller = aPoller(client, {
      handle: async () => {
        isOpen = false;
        return 'done';
      },
      assertOpen: () => {
        if (!isOpen) throw new Error('the gate is closed');
      },
      isOpen: () => isOpen,
    });

    poller.start();
    await eventually(() => expect(isOpen).toBe(false));
    await systemClock.sleep(100);
    poller.abandon();

    expect(sqs.depth(URL)).toBe(1);
  });
});
