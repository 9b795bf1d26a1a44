import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACCEPT_LIMIT_MS } from '../../../shared/message/message.ts';
import { MAX_SEND_ATTEMPTS } from '../../../worker/sending/sendOutcomes.ts';
import type { SendOutcome } from '../../../worker/socket/port/connectionSocket.ts';
import { keepingMetrics } from '../../shared/platform/keepingMetrics.ts';
import { anOutbox, sequence, startCore, type Core, type FakeSocket, FakePublisher } from './fakes.ts';
import { eventually } from '../../eventually.ts';

describe('the outbox of a connection', () => {
  let core: Core;
  beforeAll(async () => {
    core = await startCore();
  });
  afterAll(async () => core.stop());

  it('sends under the stored stanza id, records the result and publishes it', async () => {
    const connection = await core.aConnection();
    const message = await core.aMessage(connection, 'hello');
    const { outbox, socket, publisher } = anOutbox(core, connection);

    const result = await outbox.handle(message.messageId, sequence(1), Date.now());

    expect(result).toBe('done');
    expect(socket.sent).toMatchObject([{ stanzaId: message.stanzaId, to: message.to, content: message.content }]);
    expect(await core.stateOf(connection.connectionId, message.messageId)).toBe('sent');
    expect(publisher.facts).toEqual([
      {
        kind: 'send_result',
        key: `result:${message.messageId}`,
        messageId: message.messageId,
        state: 'sent',
        atMs: 1_700_000_000_000,
      },
    ]);
  });

  it.each<[SendOutcome, string]>([
    [{ outcome: 'refused', code: 463 }, 'failed/refused_restricted'],
    [{ outcome: 'refused', code: 479 }, 'failed/refused'],
    [{ outcome: 'no_account' }, 'failed/recipient_has_no_account'],
  ])('ends a message at once when the answer is %o', async (answer, state) => {
    const connection = await core.aConnection();
    const message = await core.aMessage(connection, 'hello');
    const { outbox, socket, publisher } = anOutbox(core, connection);
    socket.answers.push(answer);

    const result = await outbox.handle(message.messageId, sequence(1), Date.now());

    expect(result).toBe('done');
    expect(await core.stateOf(connection.connectionId, message.messageId)).toBe(state);
    expect(publisher.results()).toEqual([state]);
  });

  it('tells that a message to oneself is delivered, after it is sent, also when it is told again', async () => {
    const connection = await core.aConnection();
    const message = await core.aMessage(connection, 'a note');
    const { outbox, socket, publisher } = anOutbox(core, connection);
    socket.answers.push({ outcome: 'acknowledged', atMs: 1_700_000_000_000, toSelf: true });

    await outbox.handle(message.messageId, sequence(1), Date.now());
    const next = anOutbox(core, connection, { overrides: { publisher } }).outbox;
    await next.handle(message.messageId, sequence(1), Date.now());

    const told = publisher.facts.map((fact) => ('state' in fact ? `${fact.kind} ${fact.state}` : fact.kind));
    expect(told).toEqual(['send_result sent', 'receipt delivered', 'send_result sent', 'receipt delivered']);
    expect(publisher.facts[1]).toMatchObject({ chat: message.to, recipient: message.to, stanzaId: message.stanzaId });
    expect(new Set(publisher.facts.map(({ key }) => key)).size).toBe(2);
  });

  it.each<[SendOutcome, string]>([
    [{ outcome: 'acknowledged', atMs: 1_700_000_000_000 }, 'sent'],
    [{ outcome: 'refused', code: 463 }, 'refused'],
    [{ outcome: 'no_account' }, 'refused'],
  ])(
    'counts once how a message ended when the answer is %o, however often its command comes',
    async (answer, outcome) => {
      const connection = await core.aConnection();
      const message = await core.aMessage(connection, 'hello');
      const metrics = keepingMetrics();
      const { outbox, socket } = anOutbox(core, connection, { overrides: { metrics } });
      socket.answers.push(answer);

      await outbox.handle(message.messageId, sequence(1), Date.now());
      await outbox.handle(message.messageId, sequence(1), Date.now());

      expect(metrics.kept.filter(({ name }) => name === 'CommandsEnded')).toEqual([
        { name: 'CommandsEnded', value: 1, dimensions: { outcome } },
      ]);
      expect(metrics.valuesOf('CommandAge')).toHaveLength(outcome === 'sent' ? 1 : 0);
    },
  );

  it('parks while there is no socket, and drains in order once there is one', async () => {
    const connection = await core.aConnection();
    const texts = ['one', 'two', 'three', 'four'];
    const now: { socket: FakeSocket | undefined } = { socket: undefined };
    const { outbox, socket } = anOutbox(core, connection, { socket: () => now.socket });
    for (const [place, text] of texts.entries()) {
      const { messageId } = await core.aMessage(connection, text);
      await outbox.handle(messageId, sequence(place), Date.now());
    }
    const parked = await core.connections.find(connection.tenantId, connection.connectionId);

    now.socket = socket;
    outbox.allow();
    const newest = await core.aMessage(connection, 'five');
    await outbox.handle(newest.messageId, sequence(5), Date.now());

    await eventually(async () => expect(await core.stateOf(connection.connectionId, newest.messageId)).toBe('sent'));
    await eventually(async () => expect(await core.messages.listParked(connection.connectionId, 1)).toEqual([]));
    const drained = await core.connections.find(connection.tenantId, connection.connectionId);
    expect(parked?.parkedCount).toBe(4);
    expect(drained?.parkedCount).toBe(0);
    expect(socket.texts()).toEqual([...texts, 'five']);
    expect(socket.mostInFlight).toBe(1);
  });

  it('holds only the chat of a message that fails for good each time it is tried, and ends it after its tries', async () => {
    const connection = await core.aConnection();
    const odd = await core.aMessage(connection, 'odd', { attempts: MAX_SEND_ATTEMPTS - 2 });
    const other = await core.aMessage(connection, 'to another', { to: '4915100000099@s.whatsapp.net' });
    const { outbox, socket } = anOutbox(core, connection);
    const fails = (): Promise<SendOutcome> => {
      const failure = Promise.reject<SendOutcome>(new TypeError('this content cannot be sealed'));
      failure.catch(() => undefined);
      return failure;
    };
    socket.answers.push(fails());

    const first = await outbox.handle(odd.messageId, sequence(1), Date.now());
    const second = await outbox.handle(other.messageId, sequence(2), Date.now());
    socket.answers.push(fails());
    outbox.allow();

    expect([first, second]).toEqual(['done', 'done']);
    expect(await core.stateOf(connection.connectionId, other.messageId)).toBe('sent');
    await eventually(async () =>
      expect(await core.stateOf(connection.connectionId, odd.messageId)).toBe('failed/too_many_attempts'),
    );
  });

  it('keeps a message of unknown fate ahead of newer ones, under its stanza id', async () => {
    const connection = await core.aConnection();
    const first = await core.aMessage(connection, 'first');
    const second = await core.aMessage(connection, 'second');
    const { outbox, socket } = anOutbox(core, connection);
    socket.answers.push({ outcome: 'unknown' });

    await outbox.handle(first.messageId, sequence(1), Date.now());
    await outbox.handle(second.messageId, sequence(2), Date.now());

    await eventually(async () => expect(await core.stateOf(connection.connectionId, second.messageId)).toBe('sent'));
    expect(socket.texts()).toEqual(['first', 'first', 'second']);
    expect(new Set(socket.sent.slice(0, 2).map(({ stanzaId }) => stanzaId))).toEqual(new Set([first.stanzaId]));
    // What was kept of it then is what it says now.
    expect(socket.sent.map(({ triedBefore }) => triedBefore)).toEqual([false, true, false]);
  });

  it('gives a message up after the most tries without an answer', async () => {
    const connection = await core.aConnection();
    const message = await core.aMessage(connection, 'hello', { attempts: MAX_SEND_ATTEMPTS - 1 });
    const { outbox, socket } = anOutbox(core, connection);
    socket.answers.push({ outcome: 'unknown' });

    await outbox.handle(message.messageId, sequence(1), Date.now());

    expect(await core.stateOf(connection.connectionId, message.messageId)).toBe('failed/too_many_attempts');
  });

  it('deletes a command whose row is over, publishing its result again, and sends nothing', async () => {
    const connection = await core.aConnection();
    const message = await core.aMessage(connection, 'hello');
    const { outbox, socket, publisher } = anOutbox(core, connection);
    await outbox.handle(message.messageId, sequence(1), Date.now());

    const next = anOutbox(core, connection, { overrides: { publisher } }).outbox;
    const result = await next.handle(message.messageId, sequence(1), Date.now());

    expect(result).toBe('done');
    expect(socket.sent.length).toBe(1);
    const [first] = publisher.facts;
    expect(publisher.facts[1]).toMatchObject({ kind: 'send_result', key: first?.key, state: 'sent' });
  });

  it('sends a message once whose command comes again before its row says that it was sent', async () => {
    const connection = await core.aConnection();
    const message = await core.aMessage(connection, 'hello');
    const publisher = new FakePublisher();
    const { outbox, socket } = anOutbox(core, connection, { overrides: { publisher } });
    await outbox.handle(message.messageId, sequence(1), Date.now());
    const before = await core.stateOf(connection.connectionId, message.messageId);

    const result = await outbox.handle(message.messageId, sequence(1), Date.now());

    expect([before, result]).toEqual(['sending', 'done']);
    expect(socket.sent).toHaveLength(1);
    expect(publisher.results()).toEqual(['sent']);
  });

  it('deletes a command without a row', async () => {
    const connection = await core.aConnection();
    const message = await core.aMessage(connection, 'hello');
    const { outbox, socket } = anOutbox(core, await core.aConnection());

    expect(await outbox.handle(message.messageId, sequence(1), Date.now())).toBe('done');
    expect(socket.sent).toEqual([]);
  });

  it('fails a message that was accepted too long ago to have been queued in time', async () => {
    const connection = await core.aConnection();
    const createdAtMs = Date.now() - ACCEPT_LIMIT_MS - 1_000;
    const message = await core.aMessage(connection, 'late', { createdAtMs });
    const { outbox, socket } = anOutbox(core, connection);

    await outbox.handle(message.messageId, sequence(1), Date.now());

    expect(socket.sent).toEqual([]);
    expect(await core.stateOf(connection.connectionId, message.messageId)).toBe('failed/not_enqueued');
  });

  it.each([
    ['connection_deleted', { wanted: 'deleted' }],
    ['connection_not_paired', { account: undefined }],
  ] as const)('fails what can never be sent: %s', async (error, overrides) => {
    const connection = await core.aConnection(overrides);
    const message = await core.aMessage(connection, 'hello');
    const { outbox, publisher } = anOutbox(core, connection, { socket: () => undefined });

    await outbox.handle(message.messageId, sequence(1), Date.now());

    expect(publisher.results()).toEqual([`failed/${error}`]);
    expect(await core.messages.listParked(connection.connectionId, 1)).toEqual([]);
  });

  it('fails all parked messages when the account is lost', async () => {
    const connection = await core.aConnection();
    const { outbox, publisher } = anOutbox(core, connection, { socket: () => undefined });
    for (const place of [1, 2, 3]) {
      const { messageId } = await core.aMessage(connection, `text ${place}`);
      await outbox.handle(messageId, sequence(place), Date.now());
    }

    await outbox.failAll('connection_not_paired');

    const after = await core.connections.find(connection.tenantId, connection.connectionId);
    expect(publisher.results()).toEqual(Array.from({ length: 3 }, () => 'failed/connection_not_paired'));
    expect(after?.parkedCount).toBe(0);
  });

  it('gives a command back that a newer owner has tried', async () => {
    const connection = await core.aConnection();
    const message = await core.aMessage(connection, 'hello');
    await core.messages.beginSending({ ...connection, token: 7 }, message.messageId, undefined, 0);
    const { outbox, socket } = anOutbox(core, connection, { token: 6 });

    expect(await outbox.handle(message.messageId, sequence(1), Date.now())).toBe('later');
    expect(socket.sent).toEqual([]);
  });

  it('finishes the send in flight and gives everything later back', async () => {
    const connection = await core.aConnection();
    const first = await core.aMessage(connection, 'first');
    const second = await core.aMessage(connection, 'second');
    const { outbox, socket } = anOutbox(core, connection);
    const answer = Promise.withResolvers<SendOutcome>();
    socket.answers.push(answer.promise);
    const handled = outbox.handle(first.messageId, sequence(1), Date.now());
    await eventually(() => expect(socket.inFlight).toBe(1));

    const finished = outbox.finish();
    answer.resolve({ outcome: 'acknowledged', atMs: Date.now() });

    await finished;
    expect(await handled).toBe('done');
    expect(await outbox.handle(second.messageId, sequence(2), Date.now())).toBe('later');
    expect(socket.texts()).toEqual(['first']);
  });

  it('does nothing outside while the gate is closed', async () => {
    const connection = await core.aConnection();
    const message = await core.aMessage(connection, 'hello');
    const assertOpen = (): void => {
      throw new Error('the gate is closed');
    };
    const { outbox, socket } = anOutbox(core, connection, { overrides: { assertOpen } });

    await expect(outbox.handle(message.messageId, sequence(1), Date.now())).rejects.toThrow('the gate is closed');

    expect(socket.sent).toEqual([]);
    expect(await core.stateOf(connection.connectionId, message.messageId)).toBe('queued');
  });
});
