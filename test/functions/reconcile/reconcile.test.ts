import { DeleteMessageCommand } from '@aws-sdk/client-sqs';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeReconcileHandler } from '../../../functions/reconcile/handler.ts';
import type { Connection } from '../../../shared/connection/connection.ts';
import type { ConnectionId, CorrelationId, TenantId } from '../../../shared/kernel/id.ts';
import { acceptMessage } from '../../../shared/message/acceptMessage.ts';
import { commandSchema } from '../../../shared/message/command.ts';
import { listNoted, windowOf } from '../../../shared/message/windowNotes.ts';
import { messageKey } from '../../../shared/platform/keys.ts';
import { tableName } from '../../../shared/platform/tables.ts';
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
        // Messages of earlier tests, which nobody ends, are swept all along.
        const isOfThis = command.kind === 'send_message' && command.connectionId === connectionId;
        if (isOfThis) found.push(command.messageId);
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

  /** Reconcile runs every minute for so long. Returns the commands that it put into the queue. */
  const pass = async (minutes: number): Promise<readonly string[]> => {
    const found: string[] = [];
    for (let minute = 0; minute < minutes; minute += 4) {
      stack.clock.advance(4 * MINUTE_MS);
      await reconcile();
      found.push(...(await takeCommands()));
    }
    return found;
  };
  const HOUR_AND_MORE = 100;

  it('sweeps a message whose worker died in the try and whose command is lost: after an hour, and each day until it ends', async () => {
    const { messageId } = await accept();
    await stack.messages.beginSending({ tenantId, connectionId, token: 1 }, messageId, undefined, 0);
    await takeCommands();

    const hour = await pass(HOUR_AND_MORE);
    const day = await pass(24 * 60);
    await stack.messages.recordFailure({ tenantId, connectionId, token: 1 }, messageId, {
      state: 'failed',
      atMs: 0,
      error: { code: 'too_many_attempts' },
    });
    const ended = await pass(26 * 60);

    expect([hour, day, ended]).toEqual([[messageId], [messageId], []]);
    expect(stack.metrics.totalOf('MessagesSwept')).toBeGreaterThanOrEqual(2);
  });

  it('sweeps one that the queue was asked about and lost again, and one whose try ended before it was parked', async () => {
    const first = await accept();
    const second = await accept(stack.queue, 'key-2');
    const owner = { tenantId, connectionId, token: 1 };
    await stack.messages.beginSending(owner, second.messageId, undefined, 0);
    await stack.messages.endTry(owner, second.messageId, undefined, 'look_up');
    await takeCommands();

    const asked = await pass(24);
    const swept = await pass(HOUR_AND_MORE - 24);

    expect(asked).toEqual([first.messageId]);
    expect(swept.toSorted()).toEqual([first.messageId, second.messageId].toSorted());
  });

  it('leaves what its parked row leads to, and what has ended in the hour', async () => {
    const parked = await accept();
    const ended = await accept(stack.queue, 'key-2');
    const owner = { tenantId, connectionId, token: 1, shard: 0 };
    await stack.messages.beginSending(owner, ended.messageId, undefined, 0);
    await stack.messages.beginSending(owner, parked.messageId, undefined, 0);
    await takeCommands();
    expect(await pass(24)).toEqual([]);
    await stack.table.send(
      new UpdateCommand({
        TableName: tableName(stack.stage, 'core'),
        Key: messageKey(connectionId, parked.messageId),
        UpdateExpression: 'SET parkedAs = :place',
        ExpressionAttributeValues: { ':place': '1' },
      }),
    );
    await stack.messages.recordFailure(owner, ended.messageId, {
      state: 'failed',
      atMs: 0,
      error: { code: 'refused' },
    });

    expect(await pass(HOUR_AND_MORE)).toEqual([]);
  });

  it('completes what a run that failed has begun', async () => {
    await accept(failingQueue(stack.queue, 1)).catch(() => undefined);
    stack.clock.advance(COME_TO_MS);

    const died = reconcile(failingQueue(stack.queue, 1));

    await expect(died).rejects.toThrow('1 things could not be looked after');
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
      const listUnsettled: typeof stack.messages.listUnsettled = (connection, fromMs, untilMs) => {
        if (connection === ill) throw error;
        return stack.messages.listUnsettled(connection, fromMs, untilMs);
      };
      return makeReconcileHandler({
        ...stack,
        messages: Object.assign(Object.create(stack.messages) as typeof stack.messages, { listUnsettled }),
      })();
    };

    await expect(runWith(new Error('no answer'))).rejects.toThrow('1 things could not be looked after');
    expect(await takeCommands()).toEqual([(await theMessage())?.messageId]);
    await runWith(Object.assign(new Error('refused'), { name: 'ValidationException' }));
    await reconcile();

    expect(await takeCommands()).toEqual([]);
  });
});
