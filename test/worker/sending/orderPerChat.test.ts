import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toConnectionView } from '../../../functions/routes/views.ts';
import type { Connection } from '../../../shared/connection/connection.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { LIMITED_FOR_MOST_MS, MAX_SEND_ATTEMPTS } from '../../../worker/sending/sendOutcomes.ts';
import { showSendsPause } from '../../../worker/sending/showSendsPause.ts';
import type { ConnectionSocket, LookUp, SendOutcome } from '../../../worker/socket/port/connectionSocket.ts';
import { makeEarlyClock } from '../../shared/kernel/earlyClock.ts';
import { keepingMetrics } from '../../shared/platform/keepingMetrics.ts';
import { until } from '../../whatsapp/until.ts';
import { acknowledged, anOutbox, FakeSocket, sequence, startCore, type Core } from './fakes.ts';
import { eventually } from '../../eventually.ts';

const ANN = '4915100000001@s.whatsapp.net';
const BOB = '4915100000002@s.whatsapp.net';
const GROUP = '120363000000000000@g.us';
const limited = (lookUp: LookUp): SendOutcome => ({ outcome: 'look_up_unanswered', lookUp, code: 429 });
const unknown: SendOutcome = { outcome: 'unknown' };

/** A socket that answers by who is written to. */
class AnsweringSocket extends FakeSocket {
  readonly byAddress = new Map<string, SendOutcome>();

  override readonly send: FakeSocket['send'] = async (request) => {
    this.sent.push(request);
    return this.byAddress.get(request.to) ?? acknowledged;
  };
}

describe('the order in which messages of a connection are sent', () => {
  let core: Core;
  beforeAll(async () => {
    core = await startCore();
  });
  afterAll(() => core.stop());

  const aScene = async () => {
    const connection = await core.aConnection();
    const socket = new AnsweringSocket();
    const clock = makeEarlyClock(Date.now());
    const owned = { ...connection, token: 1 };
    const metrics = keepingMetrics();
    const showPause = showSendsPause({ table: core.table, stage: 'test', owned, clock, logger: silentLogger, metrics });
    const { outbox, publisher } = anOutbox(core, connection, { socket: () => socket, overrides: { clock, showPause } });
    let place = 0;
    const accept = async (to: string, text: string, overrides: Record<string, unknown> = {}) => {
      const message = await core.aMessage(connection, text, { to, ...overrides });
      place += 1;
      await outbox.handle(message.messageId, sequence(place), Date.now());
      return message.messageId;
    };
    const stateOf = (messageId: Parameters<Core['stateOf']>[1]) => core.stateOf(connection.connectionId, messageId);
    /** Lets time pass until something is so. */
    const passing = async <Value>(
      what: string,
      read: () => Promise<Value> | Value,
      isSo: (value: Value) => boolean,
      stepMs = 499,
    ) =>
      until(
        what,
        () => {
          clock.advance(stepMs);
          return read();
        },
        isSo,
      );
    const view = async () =>
      toConnectionView(
        (await core.connections.find(connection.tenantId, connection.connectionId)) as Connection,
        clock.nowMs(),
      );
    return { connection, socket, clock, outbox, publisher, accept, stateOf, passing, view };
  };

  it('is kept in a chat, while a message of it waits, and other chats go on', async () => {
    const { socket, accept, stateOf, passing } = await aScene();
    socket.byAddress.set(ANN, unknown);

    const first = await accept(ANN, 'ann 1');
    await accept(BOB, 'bob 1');
    const second = await accept(ANN, 'ann 2');
    await accept(BOB, 'bob 2');
    const meanwhile = socket.texts().filter((text) => text.startsWith('bob'));
    socket.byAddress.delete(ANN);
    await passing(
      'ann 2',
      () => stateOf(second),
      (state) => state === 'sent',
    );

    expect(meanwhile).toEqual(['bob 1', 'bob 2']);
    expect(await stateOf(first)).toBe('sent');
    expect([...new Set(socket.texts().filter((text) => text.startsWith('ann')))]).toEqual(['ann 1', 'ann 2']);
    expect(socket.texts().lastIndexOf('ann 1')).toBeLessThan(socket.texts().indexOf('ann 2'));
  });

  it('is kept between two addresses of one person that are known to be one', async () => {
    const { socket, accept, stateOf, passing } = await aScene();
    socket.names.set(ANN, '77@lid');
    socket.byAddress.set(ANN, unknown);

    await accept(ANN, 'by number');
    const byLid = await accept('77@lid', 'by lid');
    const before = await stateOf(byLid);
    socket.byAddress.delete(ANN);
    await passing(
      'the second',
      () => stateOf(byLid),
      (state) => state === 'sent',
    );

    expect(before).toBe('parked');
    expect(socket.texts().at(-1)).toBe('by lid');
  });

  it('is kept by the next owner, who reads which chats have something parked', async () => {
    const { connection, socket, accept } = await aScene();
    socket.byAddress.set(ANN, unknown);
    await accept(ANN, 'ann 1');
    const next = new AnsweringSocket();
    const second = await core.aMessage(connection, 'ann 2', { to: ANN });
    const other = await core.aMessage(connection, 'bob 1', { to: BOB });
    const { outbox } = anOutbox(core, connection, { token: 2, socket: () => next });

    await outbox.handle(second.messageId, sequence(8), Date.now());
    await outbox.handle(other.messageId, sequence(9), Date.now());
    await eventually(() => expect(next.texts()).toHaveLength(3));

    const texts = next.texts();
    expect(texts.indexOf('ann 1')).toBeLessThan(texts.indexOf('ann 2'));
  });

  it('ends a message to a group that is not there at once, and holds nobody', async () => {
    const { socket, accept, stateOf, publisher } = await aScene();
    socket.byAddress.set(GROUP, { outcome: 'look_up_refused', lookUp: 'group', code: 404 });

    const toGroup = await accept(GROUP, 'to nobody');
    const toAnn = await accept(ANN, 'to Ann');

    expect([await stateOf(toGroup), await stateOf(toAnn)]).toEqual(['failed/group_not_found', 'sent']);
    expect(publisher.facts[0]).toMatchObject({ error: { code: 'group_not_found', whatsappCode: 404 } });
    expect(socket.sent).toHaveLength(2);
  });

  it('lets those who need a limited look-up wait, asks for one of them, and says so', async () => {
    const { socket, accept, stateOf, passing, view } = await aScene();
    for (const to of [ANN, BOB]) {
      socket.byAddress.set(to, limited('account'));
      socket.needs.set(to, ['account', 'devices', 'keys']);
    }

    const toAnn = await accept(ANN, 'new 1');
    const toBob = await accept(BOB, 'new 2');
    const known = await accept(GROUP, 'known');
    const states = await Promise.all([toAnn, toBob, known].map(stateOf));
    const tried = socket.texts();
    const shown = await until('the pause', view, ({ sends }) => sends !== undefined);
    socket.byAddress.clear();
    await passing(
      'all',
      () => Promise.all([toAnn, toBob].map(stateOf)),
      (all) => all.every((state) => state === 'sent'),
    );
    const after = await until(
      'the end of the pause',
      view,
      ({ sends, parkedMessages }) => sends === undefined && parkedMessages === 0,
    );

    expect(states).toEqual(['parked', 'parked', 'sent']);
    expect(tried).toEqual(['new 1', 'known']);
    expect(shown.sends).toMatchObject({ state: 'partly_paused', code: 'look_ups_limited' });
    expect(after.parkedMessages).toBe(0);
  });

  it('counts no try that a limit ended, however many there are, and bounds the wait by a day', async () => {
    const { connection, clock, socket, accept, stateOf, passing } = await aScene();
    socket.byAddress.set(ANN, limited('account'));
    const messageId = await accept(ANN, 'new');

    await passing(
      'many tries',
      () => socket.sent.length,
      (tries) => tries > MAX_SEND_ATTEMPTS + 2,
      30_000,
    );
    const waiting = await passing(
      'the end of a try',
      () => core.messages.find(connection.connectionId, messageId),
      (message) => message?.direction === 'out' && message.state === 'parked',
    );
    clock.advance(LIMITED_FOR_MOST_MS);
    await passing(
      'its end',
      () => stateOf(messageId),
      (state) => state !== 'parked' && state !== 'sending',
    );

    expect(waiting).toMatchObject({ attempts: 0 });
    expect(await stateOf(messageId)).toBe('failed/look_ups_limited');
  });

  it('gives up a message whose look-up is never answered, after the most tries', async () => {
    const { socket, accept, stateOf } = await aScene();
    socket.byAddress.set(ANN, { outcome: 'look_up_unanswered', lookUp: 'account' });

    const messageId = await accept(ANN, 'new', { attempts: MAX_SEND_ATTEMPTS - 1 });

    expect(await stateOf(messageId)).toBe('failed/too_many_attempts');
  });

  it('never leaves a message parked when the limit is over, although each timer ends a millisecond early', async () => {
    const { socket, clock, accept, stateOf } = await aScene();
    socket.byAddress.set(ANN, limited('devices'));
    socket.needs.set(ANN, ['devices']);
    const messageId = await accept(ANN, 'new');
    socket.byAddress.clear();

    // Exactly the time of the timer and no more: whoever asks the clock once finds the pause not over, and must ask again.
    for (let passedMs = 0; passedMs < 6_000 && (await stateOf(messageId)) !== 'sent'; passedMs += 20) {
      for (let step = 0; step < 20; step += 1) {
        clock.advance(1);
        await Promise.resolve();
      }
    }

    await eventually(async () => expect(await stateOf(messageId)).toBe('sent'));
  });

  it('lets a new message of another chat in between when a long backlog flushes', async () => {
    const connection = await core.aConnection();
    const now: { socket: FakeSocket | undefined } = { socket: undefined };
    const { outbox, socket } = anOutbox(core, connection, { socket: () => now.socket });
    const parked = 60;
    for (let place = 0; place < parked; place += 1) {
      const { messageId } = await core.aMessage(connection, `bulk ${place}`, {
        to: `49151000${1_000 + place}@s.whatsapp.net`,
      });
      await outbox.handle(messageId, sequence(place), Date.now());
    }
    now.socket = socket;
    outbox.allow();
    const fresh = await core.aMessage(connection, 'fresh', { to: BOB });

    await outbox.handle(fresh.messageId, sequence(99), Date.now());
    const place = socket.texts().indexOf('fresh');
    await eventually(() => expect(socket.sent).toHaveLength(parked + 1));

    expect(place).toBeGreaterThanOrEqual(0);
    expect(place).toBeLessThan(parked / 2);
    expect(socket.texts().filter((text) => text !== 'fresh')).toEqual(
      Array.from({ length: parked }, (_, at) => `bulk ${at}`),
    );
  });

  it.each(['the time to wait', 'the socket'] as const)(
    'is kept when %s of a chat ends while a long backlog is looked through',
    async (what) => {
      const connection = await core.aConnection();
      const socket = new FakeSocket();
      const clock = makeEarlyClock(Date.now());
      const now: { socket: ConnectionSocket | undefined } = { socket: undefined };
      const { outbox } = anOutbox(core, connection, { socket: () => now.socket, overrides: { clock } });
      const parked = [`${ANN} 1`, `${BOB} 1`, `${ANN} 2`, `${ANN} 3`];
      for (const [place, text] of parked.entries()) {
        const { messageId } = await core.aMessage(connection, text, { to: text.split(' ')[0] ?? '' });
        await outbox.handle(messageId, sequence(place), Date.now());
      }
      socket.answers.push(unknown);
      const send: FakeSocket['send'] = async (request) => {
        if (request.to === BOB && what === 'the socket') outbox.allow();
        if (request.to === BOB) clock.advance(60_000);
        return socket.send(request);
      };
      now.socket = Object.assign(Object.create(socket) as FakeSocket, { send });

      outbox.allow();
      await until(
        'all',
        () => {
          clock.advance(499);
          return socket.texts();
        },
        (texts) => texts.length > parked.length,
      );

      expect(socket.texts().filter((text) => text.startsWith(ANN))).toEqual(
        [1, 1, 2, 3].map((place) => `${ANN} ${place}`),
      );
    },
  );

  it('looks again by itself at what is parked, whoever has missed to ask for it', async () => {
    const { connection, socket, outbox } = await aScene();
    const message = await core.aMessage(connection, 'left behind', { to: ANN });
    await core.messages.park({ ...connection, token: 1 }, message, sequence(1), 'nothing_leaves');

    outbox.look();

    await eventually(() => expect(socket.texts()).toEqual(['left behind']));
  });
});
