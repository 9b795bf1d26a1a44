import { DeleteMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeReconcileHandler } from '../../../functions/reconcile/handler.ts';
import type { Connection } from '../../../shared/connection/connection.ts';
import type { ConnectionId, CorrelationId, TenantId } from '../../../shared/kernel/id.ts';
import { acceptMessage } from '../../../shared/message/acceptMessage.ts';
import { commandSchema } from '../../../shared/message/command.ts';
import { listNoted, windowOf } from '../../../shared/message/windowNotes.ts';
import { commandQueueName } from '../../../shared/platform/queues.ts';
import { newIds } from '../../shared/event/eventStores.ts';
import { failingQueue, receive, startQueueStack, type QueueStack } from '../queueStack.ts';

const MINUTE_MS = 60_000;

describe('reconcile', () => {
  let stack: QueueStack;
  let tenantId: TenantId;
  let connectionId: ConnectionId;
  beforeAll(async () => {
    stack = await startQueueStack();
  });
  afterAll(() => stack.stop());
  beforeEach(async () => {
    ({ tenantId, connectionId } = newIds());
    await reconcile();
    await takeCommands();
  });

  const reconcile = (queue = stack.queue): Promise<void> => makeReconcileHandler({ ...stack, queue })();
  const aConnection = (): Connection => ({
    tenantId,
    connectionId,
    label: undefined,
    shard: 0,
    wanted: 'online',
    pairing: undefined,
    account: { phoneJid: '4915111111111@s.whatsapp.net', lid: undefined, name: undefined },
    status: 'online',
    statusCode: 'open',
    statusSinceMs: 0,
    createdAtMs: 0,
    parkedCount: 0,
  });
  const accept = (queue = stack.queue, idempotencyKey: string | undefined = 'key-1') =>
    acceptMessage(
      { ...stack, queue },
      {
        connection: aConnection(),
        body: { to: '+49 151 23456789', type: 'text', text: { body: 'hello' } },
        idempotencyKey,
        correlationId: 'cor-of-request' as CorrelationId,
      },
    );
  const takeCommands = async (): Promise<readonly string[]> => {
    const QueueUrl = `${stack.queueUrlBase}${commandQueueName(stack.stage, 0)}`;
    const found: string[] = [];
    for (;;) {
      const messages = await receive(stack, QueueUrl);
      if (messages.length === 0) return found;
      for (const { Body, ReceiptHandle } of messages) {
        const command = commandSchema.parse(JSON.parse(Body ?? ''));
        if (command.kind === 'send_message') found.push(command.messageId);
        await stack.queue.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    }
  };
  const theMessage = async () => {
    const { messages } = await stack.messages.list(connectionId, { before: undefined, limit: 1, nowMs: 0 });
    return messages[0];
  };
  /** The time after which reconcile has come to a window that begins now. */
  const COME_TO_MS = 22 * MINUTE_MS;

  it('asks the queue about a message that nobody has taken, once its 15 minutes are over', async () => {
    await expect(accept(failingQueue(stack.queue, 1))).rejects.toMatchObject({ code: 'not_enqueued' });
    stack.clock.advance(15 * MINUTE_MS);
    await reconcile();
    expect(await takeCommands()).toEqual([]);
    stack.clock.advance(COME_TO_MS - 15 * MINUTE_MS);

    await reconcile();

    expect(await takeCommands()).toEqual([(await theMessage())?.messageId]);
    expect(await theMessage()).toMatchObject({ state: 'queued' });
  });

  it('asks about each message once', async () => {
    await accept(failingQueue(stack.queue, 1)).catch(() => undefined);
    stack.clock.advance(COME_TO_MS);
    await reconcile();
    expect(await takeCommands()).toHaveLength(1);

    stack.clock.advance(COME_TO_MS);
    await reconcile();

    expect(await takeCommands()).toEqual([]);
  });

  it('asks nothing about a message that a worker has taken, or that was cancelled', async () => {
    const { messageId } = await accept();
    const other = await accept(stack.queue, 'key-2');
    await stack.messages.beginSending({ tenantId, connectionId, token: 1 }, messageId, undefined, 0);
    await stack.messages.cancel(connectionId, other.messageId, stack.clock.nowMs());
    await takeCommands();
    stack.clock.advance(COME_TO_MS);

    await reconcile();

    expect(await takeCommands()).toEqual([]);
  });

  it('finds every message of a window by one note of it', async () => {
    const acceptedAtMs = stack.clock.nowMs();
    const ids: string[] = [];
    for (const key of ['key-1', 'key-2', 'key-3']) ids.push((await accept(stack.queue, key)).messageId);
    await takeCommands();
    const noted = await listNoted(stack, 'UNQUEUED', windowOf(acceptedAtMs));
    stack.clock.advance(COME_TO_MS);

    await reconcile();

    expect(noted.filter((one) => one.connectionId === connectionId)).toHaveLength(1);
    expect((await takeCommands()).toSorted()).toEqual(ids.toSorted());
  });

  it('completes what a run that failed has begun', async () => {
    await accept(failingQueue(stack.queue, 1)).catch(() => undefined);
    stack.clock.advance(COME_TO_MS);

    const died = reconcile(failingQueue(stack.queue, 1));

    await expect(died).rejects.toThrow('1 connections could not be looked after');
    await reconcile();
    expect(await takeCommands()).toHaveLength(1);
  });

  it('catches up after an outage of hours, some windows in each run', async () => {
    await accept(failingQueue(stack.queue, 1)).catch(() => undefined);
    stack.clock.advance(5 * 60 * MINUTE_MS);

    const found: string[] = [];
    for (let runs = 0; runs < 4; runs++) {
      await reconcile();
      found.push(...(await takeCommands()));
    }

    expect(found).toEqual([(await theMessage())?.messageId]);
  });

  it('looks after the others when one cannot be, and leaves one that is refused for good', async () => {
    const sound = connectionId;
    await accept(failingQueue(stack.queue, 1)).catch(() => undefined);
    connectionId = newIds().connectionId;
    await accept(failingQueue(stack.queue, 1)).catch(() => undefined);
    const ill = connectionId;
    connectionId = sound;
    stack.clock.advance(COME_TO_MS);
    const runWith = (error: Error): Promise<void> => {
      const listQueued: typeof stack.messages.listQueued = (connection, fromMs, untilMs) => {
        if (connection === ill) throw error;
        return stack.messages.listQueued(connection, fromMs, untilMs);
      };
      return makeReconcileHandler({ ...stack, messages: { listQueued } })();
    };

    await expect(runWith(new Error('no answer'))).rejects.toThrow('1 connections could not be looked after');
    expect(await takeCommands()).toEqual([(await theMessage())?.messageId]);
    await runWith(Object.assign(new Error('refused'), { name: 'ValidationException' }));
    await reconcile();

    expect(await takeCommands()).toEqual([]);
  });
});
