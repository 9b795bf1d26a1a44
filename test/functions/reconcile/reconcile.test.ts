import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeReconcileHandler } from '../../../functions/reconcile/handler.ts';
import type { Connection } from '../../../shared/connection/connection.ts';
import { readEvents } from '../../../shared/event/readEvents.ts';
import type { ConnectionId, CorrelationId, MessageId, TenantId } from '../../../shared/kernel/id.ts';
import { acceptMessage } from '../../../shared/message/acceptMessage.ts';
import { listUnqueued, markUnqueued, minuteOf } from '../../../shared/message/unqueuedMessages.ts';
import { keepingMetrics } from '../../shared/platform/keepingMetrics.ts';
import { aSentMessage, newIds } from '../../shared/event/eventStores.ts';
import { aTenantWith, failingQueue, startQueueStack, takeDeliveries, type QueueStack } from '../queueStack.ts';

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
    tenantId = (await aTenantWith(stack, [{ url: 'https://hooks.example/' }])).tenantId;
    connectionId = newIds().connectionId;
    await reconcile();
    await takeDeliveries(stack);
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
  const accept = (queue = stack.queue) =>
    acceptMessage(
      { ...stack, queue },
      {
        connection: aConnection(),
        body: { to: '+49 151 23456789', type: 'text', text: { body: 'hello' } },
        idempotencyKey: 'key-1',
        correlationId: 'cor-of-request' as CorrelationId,
      },
    );
  const theMessage = async () => {
    const { messages } = await stack.messages.list(connectionId, { before: undefined, limit: 1, nowMs: 0 });
    return messages[0];
  };
  const eventsOf = async () => (await readEvents(stack, tenantId, undefined, 100)).events;
  const marked = (atMs: number) => listUnqueued(stack, minuteOf(atMs));

  it('ends a message that never reached the queue, and tells the tenant', async () => {
    const acceptedAtMs = stack.clock.nowMs();
    await expect(accept(failingQueue(stack.queue, 1))).rejects.toMatchObject({ code: 'not_enqueued' });
    stack.clock.advance(18 * MINUTE_MS);

    await reconcile();

    const message = await theMessage();
    expect(message).toMatchObject({ state: 'failed', error: { code: 'not_enqueued' } });
    expect(await eventsOf()).toMatchObject([
      {
        type: 'message.status',
        correlationId: 'cor-of-request',
        data: { messageId: message?.messageId, status: 'failed', error: { code: 'not_enqueued' } },
      },
    ]);
    expect(await takeDeliveries(stack)).toMatchObject([{ tenantId, correlationId: 'cor-of-request' }]);
    expect(await marked(acceptedAtMs)).toEqual([]);
  });

  it('leaves a message alone until its 15 minutes are over', async () => {
    await accept(failingQueue(stack.queue, 1)).catch(() => undefined);
    stack.clock.advance(15 * MINUTE_MS);

    await reconcile();

    expect(await theMessage()).toMatchObject({ state: 'accepting' });
    expect(await eventsOf()).toEqual([]);
  });

  it('has nothing to do with a message that is queued', async () => {
    const acceptedAtMs = stack.clock.nowMs();
    const accepted = await accept();
    const markers = await marked(acceptedAtMs);
    stack.clock.advance(18 * MINUTE_MS);

    await reconcile();

    expect(accepted.state).toBe('queued');
    expect(markers).toEqual([]);
    expect(await theMessage()).toMatchObject({ state: 'queued' });
    expect(await eventsOf()).toEqual([]);
  });

  it('forgets a marker when the same key was sent again and reached the queue', async () => {
    const acceptedAtMs = stack.clock.nowMs();
    await accept(failingQueue(stack.queue, 1)).catch(() => undefined);
    stack.clock.advance(2 * MINUTE_MS);
    await accept();
    stack.clock.advance(18 * MINUTE_MS);

    await reconcile();

    expect(await theMessage()).toMatchObject({ state: 'queued' });
    expect(await marked(acceptedAtMs)).toEqual([]);
    expect(await eventsOf()).toEqual([]);
  });

  it('forgets a marker whose message row was never written', async () => {
    const message = aSentMessage({ tenantId, connectionId }, { createdAtMs: stack.clock.nowMs() });
    await markUnqueued(stack, message);
    stack.clock.advance(18 * MINUTE_MS);

    await reconcile();

    expect(await marked(message.createdAtMs)).toEqual([]);
    expect(await eventsOf()).toEqual([]);
  });

  it('completes what a run that died before the fan-out has begun, with the same event', async () => {
    await accept(failingQueue(stack.queue, 1)).catch(() => undefined);
    stack.clock.advance(18 * MINUTE_MS);

    const died = reconcile(failingQueue(stack.queue, 1));

    await expect(died).rejects.toThrow('1 messages could not be looked after');
    const [event] = await eventsOf();
    await reconcile();
    expect((await takeDeliveries(stack)).map(({ eventId }) => eventId)).toEqual([event?.id]);
    expect(await eventsOf()).toHaveLength(1);
  });

  it('catches up after an outage of hours, some minutes in each run', async () => {
    await accept(failingQueue(stack.queue, 1)).catch(() => undefined);
    stack.clock.advance(5 * 60 * MINUTE_MS);

    let runs = 0;
    while ((await eventsOf()).length === 0 && runs < 5) {
      await reconcile();
      runs++;
    }
    for (; runs < 5; runs++) await reconcile();

    expect(await eventsOf()).toHaveLength(1);
    expect(await takeDeliveries(stack)).toHaveLength(1);
  });

  it('looks after the others when one cannot be', async () => {
    const poison = 'msg_poison' as MessageId;
    const createdAtMs = stack.clock.nowMs();
    await markUnqueued(stack, { tenantId, connectionId, messageId: poison, createdAtMs });
    await accept(failingQueue(stack.queue, 1)).catch(() => undefined);
    stack.clock.advance(18 * MINUTE_MS);
    const find: typeof stack.messages.find = (connection, messageId) =>
      messageId === poison ? Promise.reject(new Error('no answer')) : stack.messages.find(connection, messageId);

    const run = makeReconcileHandler({ ...stack, messages: { find } })();

    await expect(run).rejects.toThrow('1 messages could not be looked after');
    expect(await theMessage()).toMatchObject({ state: 'failed' });
    expect(await marked(createdAtMs)).toMatchObject([{ messageId: poison }]);
  });

  it('leaves one that the store refuses for good, and goes on to later minutes', async () => {
    const poison = 'msg_poison' as MessageId;
    const createdAtMs = stack.clock.nowMs();
    await markUnqueued(stack, { tenantId, connectionId, messageId: poison, createdAtMs });
    stack.clock.advance(2 * MINUTE_MS);
    await accept(failingQueue(stack.queue, 1)).catch(() => undefined);
    stack.clock.advance(18 * MINUTE_MS);
    const refusal = Object.assign(new Error('refused'), { name: 'ValidationException' });
    const find: typeof stack.messages.find = (connection, messageId) =>
      messageId === poison ? Promise.reject(refusal) : stack.messages.find(connection, messageId);
    const metrics = keepingMetrics();
    const run = makeReconcileHandler({ ...stack, metrics, messages: { find } });

    await run();
    await run();

    expect(await theMessage()).toMatchObject({ state: 'failed' });
    expect(metrics.totalOf('FactsRefused')).toBe(1);
  });
});
