import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Connection } from '../../../shared/connection/connection.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import type { CorrelationId, MessageId } from '../../../shared/kernel/id.ts';
import { cancelMessage } from '../../../shared/message/cancelMessage.ts';
import { ScheduledMessages } from '../../../shared/message/scheduledMessages.ts';
import { makeQueueClient } from '../../../shared/platform/aws.ts';
import { createQueues, startQueues } from '../../emulators/queues.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';
import { anOutbox, sequence, startCore, type Core, type FakeSocket } from './fakes.ts';
import { eventually } from '../../eventually.ts';

describe('a message that is cancelled', () => {
  let core: Core;
  let queues: Awaited<ReturnType<typeof startQueues>>;
  let queue: SQSClient;
  beforeAll(async () => {
    [core, queues] = await Promise.all([startCore(), startQueues()]);
    await createQueues(queues.endpoint, 'test', 1);
    queue = makeQueueClient(aStoreConfig({ queues }));
  });
  afterAll(async () => {
    await Promise.all([core.stop(), queues.stop()]);
  });

  const cancel = (connection: Connection, messageId: MessageId) =>
    cancelMessage(
      {
        queue,
        stage: 'test',
        queueUrlBase: queues.queueUrlBase,
        messages: core.messages,
        scheduled: new ScheduledMessages({ table: core.table, stage: 'test' }),
        clock: systemClock,
      },
      { connection, messageId, correlationId: 'cor-test-2' as CorrelationId },
    );
  const parkedCountOf = async ({ tenantId, connectionId }: Connection) =>
    (await core.connections.find(tenantId, connectionId))?.parkedCount;

  it('while it is queued is never sent, and its end is told once', async () => {
    const connection = await core.aConnection();
    const message = await core.aMessage(connection, 'not this one');
    const { outbox, socket, publisher } = anOutbox(core, connection);

    const cancelled = await cancel(connection, message.messageId);
    const again = await cancel(connection, message.messageId);
    // The message's own command, and the one that notifies the owner.
    for (const place of [1, 2]) await outbox.handle(message.messageId, sequence(place), Date.now());

    expect([cancelled.state, again.state]).toEqual(['cancelled', 'cancelled']);
    expect(socket.sent).toEqual([]);
    expect(new Set(publisher.facts.map((fact) => JSON.stringify(fact))).size).toBe(1);
    expect(publisher.facts[0]).toMatchObject({ kind: 'send_result', state: 'cancelled' });
  });

  it('while it is parked is counted off at once, and those behind it go when their time comes', async () => {
    const connection = await core.aConnection();
    const now: { socket: FakeSocket | undefined } = { socket: undefined };
    const { outbox, socket } = anOutbox(core, connection, { socket: () => now.socket });
    const ids: MessageId[] = [];
    for (const place of [1, 2, 3]) {
      const { messageId } = await core.aMessage(connection, `text ${place}`);
      await outbox.handle(messageId, sequence(place), Date.now());
      ids.push(messageId);
    }

    await cancel(connection, ids[1] as MessageId);
    const waiting = await parkedCountOf(connection);
    now.socket = socket;
    outbox.allow();
    await eventually(() => expect(socket.sent).toHaveLength(2));

    expect(waiting).toBe(2);
    expect(socket.texts()).toEqual(['text 1', 'text 3']);
    await eventually(async () => expect(await parkedCountOf(connection)).toBe(0));
  });

  it('no longer holds its chat', async () => {
    const connection = await core.aConnection();
    const { outbox, socket } = anOutbox(core, connection);
    socket.answers.push({ outcome: 'look_up_unanswered', lookUp: 'account', code: 429 });
    const stuck = await core.aMessage(connection, 'stuck');
    await outbox.handle(stuck.messageId, sequence(1), Date.now());

    await cancel(connection, stuck.messageId);
    await outbox.handle(stuck.messageId, sequence(2), Date.now());
    const next = await core.aMessage(connection, 'next');
    await outbox.handle(next.messageId, sequence(3), Date.now());

    await eventually(async () => expect(await core.stateOf(connection.connectionId, next.messageId)).toBe('sent'));
    expect(socket.texts()).toEqual(['stuck', 'next']);
  });

  it('after it was tried stays what it is, and the answer says in which state', async () => {
    const connection = await core.aConnection();
    const { outbox, socket } = anOutbox(core, connection);
    const sent = await core.aMessage(connection, 'gone');
    await outbox.handle(sent.messageId, sequence(1), Date.now());
    const tried = await core.aMessage(connection, 'perhaps gone', { to: '4915100000009@s.whatsapp.net' });
    socket.answers.push({ outcome: 'unknown' });
    await outbox.handle(tried.messageId, sequence(2), Date.now());

    await expect(cancel(connection, sent.messageId)).rejects.toMatchObject({
      code: 'message_not_cancellable',
      detail: expect.stringContaining('is sent') as unknown,
    });
    await expect(cancel(connection, tried.messageId)).rejects.toMatchObject({ code: 'message_not_cancellable' });
    expect(await core.stateOf(connection.connectionId, sent.messageId)).toBe('sent');
    await outbox.finish();
  });

  it('is not found where it is not', async () => {
    const connection = await core.aConnection();
    const elsewhere = await core.aMessage(await core.aConnection(), 'of somebody else');

    await expect(cancel(connection, elsewhere.messageId)).rejects.toMatchObject({ code: 'message_not_found' });
  });

  it('in a race with its send is either cancelled and never sent, or sent and not cancelled', async () => {
    const connection = await core.aConnection();
    const { outbox, socket } = anOutbox(core, connection);
    const outcomes: { readonly state: string; readonly text: string }[] = [];
    for (let place = 0; place < 40; place += 1) {
      const text = `race ${place}`;
      const { messageId } = await core.aMessage(connection, text, { to: `49151000${2_000 + place}@s.whatsapp.net` });
      const sending = outbox.handle(messageId, sequence(place), Date.now());
      await systemClock.sleep(place % 10);
      const { state } = await cancel(connection, messageId).catch(() => ({ state: 'refused' }));
      await sending;
      outcomes.push({ state, text });
    }

    const wasSent = new Set(socket.texts());
    for (const { state, text } of outcomes) {
      expect({ text, sent: wasSent.has(text) }).toEqual({ text, sent: state === 'refused' });
    }
  });
});
