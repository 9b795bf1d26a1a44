import { ReceiveMessageCommand, SendMessageCommand, type Message, type SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readQueueDepths } from '../../ops/queueDepths.ts';
import { redrive } from '../../ops/redrive.ts';
import type { SettleDependencies } from '../../shared/deadLetters/settleDeadLetters.ts';
import type { Connection } from '../../shared/connection/connection.ts';
import type { ConnectionId, TenantId } from '../../shared/kernel/id.ts';
import { makeQueueClient } from '../../shared/platform/aws.ts';
import { silentLogger } from '../../shared/platform/logger.ts';
import { createQueues, startQueues } from '../emulators/queues.ts';
import { aStoreConfig } from '../emulators/storeConfig.ts';

const STAGE = 'test';
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const here = 'con_here' as ConnectionId;
const gone = 'con_gone' as ConnectionId;

describe('redrive', () => {
  let queues: Awaited<ReturnType<typeof startQueues>>;
  let queue: SQSClient;
  let dependencies: SettleDependencies;
  let sequence = 0;
  beforeAll(async () => {
    queues = await startQueues();
    await createQueues(queues.endpoint, STAGE, 2);
    queue = makeQueueClient(aStoreConfig({ queues }));
    dependencies = {
      queue,
      stage: STAGE,
      queueUrlBase: queues.queueUrlBase,
      logger: silentLogger,
      clock: { nowMs: () => NOW, monotonicMs: () => 0, sleep: () => Promise.resolve() },
      findConnection: (_, connectionId) =>
        Promise.resolve(connectionId === here ? ({ connectionId, shard: 1 } as Connection) : undefined),
    };
  });
  afterAll(async () => {
    queue.destroy();
    await queues.stop();
  });

  const put = (name: string, body: string, group?: string): Promise<unknown> =>
    queue.send(
      new SendMessageCommand({
        QueueUrl: `${queues.queueUrlBase}${name}`,
        MessageBody: body,
        MessageAttributes: { origin: { DataType: 'String', StringValue: 'first' } },
        ...(group === undefined ? {} : { MessageGroupId: group }),
        ...(name.endsWith('.fifo') ? { MessageDeduplicationId: `put-${(sequence += 1)}` } : {}),
      }),
    );
  const aCommand = (connectionId: ConnectionId, control: string): string =>
    JSON.stringify({
      version: 1,
      kind: 'control',
      tenantId: 'tnt_1' as TenantId,
      connectionId,
      correlationId: 'c',
      control,
    });
  const look = async (name: string): Promise<readonly Message[]> => {
    const found: Message[] = [];
    for (;;) {
      const { Messages = [] } = await queue.send(
        new ReceiveMessageCommand({
          QueueUrl: `${queues.queueUrlBase}${name}`,
          MaxNumberOfMessages: 10,
          MessageSystemAttributeNames: ['All'],
          MessageAttributeNames: ['All'],
        }),
      );
      if (Messages.length === 0) return found;
      found.push(...Messages);
    }
  };
  const deadOf = async (kind: string) =>
    (await readQueueDepths(dependencies, 2)).find((depth) => depth.kind === kind)?.dead;

  it("sends commands to their connection's shard in their group, with who did it and when", async () => {
    await put('test-command-dead.fifo', aCommand(here, 'pair'), `${here}#control`);

    const outcome = await redrive(dependencies, 'commands', { limit: 100, by: 'ada' });

    const [moved, ...others] = await look('test-command-0001.fifo');
    expect(outcome).toEqual({ kind: 'commands', moved: 1, left: 0 });
    expect(others).toEqual([]);
    expect(moved?.Body).toBe(aCommand(here, 'pair'));
    expect(moved?.Attributes?.MessageGroupId).toBe(`${here}#control`);
    expect(moved?.MessageAttributes).toMatchObject({
      origin: { StringValue: 'first' },
      redrivenBy: { StringValue: 'ada' },
      redrivenAt: { StringValue: '2026-01-02T03:04:05.000Z' },
    });
    expect(await deadOf('commands')).toBe(0);
  });

  it('leaves what can go nowhere: of a connection that is gone, or unreadable', async () => {
    await put('test-command-dead.fifo', aCommand(gone, 'pair'), gone);
    await put('test-command-dead.fifo', 'no command', 'other');
    await put('test-command-dead.fifo', aCommand(here, 'start'), here);

    const outcome = await redrive(dependencies, 'commands', { limit: 100, by: 'ada' });

    expect(outcome).toEqual({ kind: 'commands', moved: 1, left: 2 });
    expect((await readQueueDepths(dependencies, 2)).find(({ kind }) => kind === 'commands')).toMatchObject({
      dead: 2,
      waiting: 1,
    });
    // The letters can be seen again at once.
    expect(new Set((await look('test-command-dead.fifo')).map(({ Body }) => Body))).toEqual(
      new Set([aCommand(gone, 'pair'), 'no command']),
    );
  });

  it('moves no more than the limit, oldest first, and the rest the next time', async () => {
    for (const body of ['1', '2', '3']) await put('test-events-dead.fifo', body, 'con_1');

    const first = await redrive(dependencies, 'events', { limit: 2, by: 'ada' });
    const second = await redrive(dependencies, 'events', { limit: 2, by: 'ada' });

    expect([first.moved, second.moved]).toEqual([2, 1]);
    expect(await deadOf('events')).toBe(0);
    expect((await readQueueDepths(dependencies, 2)).find(({ kind }) => kind === 'events')).toMatchObject({
      waiting: 3,
    });
  });

  it('sends deliveries to a queue without order', async () => {
    for (let index = 0; index < 12; index += 1) await put('test-deliveries-dead', `delivery ${index}`);

    const outcome = await redrive(dependencies, 'deliveries', { limit: 100, by: 'ada' });

    expect(outcome).toEqual({ kind: 'deliveries', moved: 12, left: 0 });
    expect(new Set((await look('test-deliveries')).map(({ Body }) => Body)).size).toBe(12);
  });

  it('keeps a letter whose queue does not take it', async () => {
    await put('test-deliveries-dead', 'refused');
    const send = (command: Parameters<SQSClient['send']>[0]) =>
      command instanceof SendMessageCommand ? Promise.reject(new Error('the queue is gone')) : queue.send(command);
    const refusing = Object.assign(Object.create(queue) as SQSClient, { send });

    const outcome = redrive({ ...dependencies, queue: refusing }, 'deliveries', { limit: 100, by: 'ada' });

    await expect(outcome).rejects.toThrow('the queue is gone');
    expect(await deadOf('deliveries')).toBe(1);
  });
});
