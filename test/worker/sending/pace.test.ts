import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Connection } from '../../../shared/connection/connection.ts';
import type { ConnectionSettings } from '../../../shared/connection/settings.ts';
import { FirstContactHolds, MOST_WAITING } from '../../../worker/sending/firstContactHolds.ts';
import { SendBudgets } from '../../../worker/sending/sendBudgets.ts';
import type { SendOutcome } from '../../../worker/socket/port/connectionSocket.ts';
import { until } from '../../whatsapp/until.ts';
import { anOutbox, FakeSocket, sequence, startCore, type Core } from './fakes.ts';
import { makeSteppedClock } from './steppedClock.ts';

const ANN = '4915100000001@s.whatsapp.net';
const BOB = '4915100000002@s.whatsapp.net';
const strangerOf = (place: number): string => `49152000000${String(place).padStart(2, '0')}@s.whatsapp.net`;
const DAY_MS = 24 * 3_600_000;
const refused = (code: number): SendOutcome => ({ outcome: 'refused', code });

describe('the pace of a connection', () => {
  let core: Core;
  beforeAll(async () => {
    core = await startCore();
  });
  afterAll(() => core.stop());

  const aScene = async (pace: ConnectionSettings['pace'], given?: Connection, clock = makeSteppedClock(Date.now())) => {
    const connection = given ?? (await core.aConnection());
    const socket = new FakeSocket();
    const { outbox, publisher } = anOutbox(core, connection, { pace, socket: () => socket, overrides: { clock } });
    let place = given === undefined ? 0 : 500;
    const accept = async (to: string, text: string) => {
      const message = await core.aMessage(connection, text, { to, createdAtMs: clock.nowMs() });
      place += 1;
      // A command waits in the hand of its connection for its turn, so nobody waits for it here.
      return { id: message.messageId, handled: outbox.handle(message.messageId, sequence(place), clock.nowMs()) };
    };
    const done = async (to: string, text: string) => {
      const { id, handled } = await accept(to, text);
      expect(await handled).toBe('done');
      return id;
    };
    const stateOf = (id: Parameters<Core['stateOf']>[1]) => core.stateOf(connection.connectionId, id);
    const record = async () =>
      (await core.connections.find(connection.tenantId, connection.connectionId)) as Connection;
    const passing = (what: string, isSo: () => Promise<boolean> | boolean, stepMs = 1_000) =>
      until(
        what,
        () => (clock.advance(stepMs), isSo()),
        (so) => so,
      );
    const told = () =>
      publisher.facts.flatMap((fact) =>
        fact.kind === 'pace' ? [fact.wait?.code ?? 'none'] : fact.kind === 'send_result' ? [fact.state] : [],
      );
    const tells = (...expected: readonly string[]) =>
      until(
        `${expected.join()} being told`,
        () => (outbox.look(), told()),
        (found) => found.length >= expected.length,
      ).then((found) => expect(found).toEqual(expected));
    return { publisher, told, tells, connection, clock, socket, outbox, accept, done, stateOf, record, passing };
  };

  it('sends as many at once as in a minute, then each in its turn, in the order of their acceptance', async () => {
    const { socket, accept, clock, passing } = await aScene({ messagesPerMinute: 10, messagesPerChatPerMinute: 1_000 });
    const sent = [];
    for (let count = 0; count < 12; count += 1) sent.push(await accept(ANN, `text ${count}`));
    await until(
      'a minute of them',
      () => socket.sent.length,
      (length) => length === 10,
    );
    const begunAtMs = clock.nowMs();

    await passing('the rest', () => socket.sent.length === 12, 500);

    expect(clock.nowMs() - begunAtMs).toBeGreaterThanOrEqual(12_000);
    expect(socket.texts()).toEqual(sent.map((_each, place) => `text ${place}`));
    expect(await Promise.all(sent.map(({ handled }) => handled))).toEqual(sent.map(() => 'done'));
  });

  it('parks what has waited in hand for ten seconds, and sends a new message of another chat before that backlog', async () => {
    const { connection, socket, accept, outbox, clock, record, passing } = await aScene({ messagesPerMinute: 10 });
    for (let count = 0; count < 10; count += 1) await (await accept(ANN, `first ${count}`)).handled;
    const old = clock.nowMs() - 11_000;
    for (let count = 0; count < 5; count += 1) {
      const { messageId } = await core.aMessage(connection, `bulk ${count}`, { to: ANN });
      expect(await outbox.handle(messageId, sequence(100 + count), old)).toBe('done');
    }
    const parked = (await record()).parkedCount;
    const reply = await accept(BOB, 'a reply');

    await passing('all', () => socket.sent.length === 16, 500);
    await reply.handled;

    expect(parked).toBeGreaterThanOrEqual(4);
    expect(socket.texts().indexOf('a reply')).toBeLessThanOrEqual(12);
    expect(socket.texts().filter((text) => text.startsWith('bulk'))).toEqual(
      ['0', '1', '2', '3', '4'].map((place) => `bulk ${place}`),
    );
  });

  it('holds a chat that has had many, and no other', async () => {
    const { socket, done, passing } = await aScene({ messagesPerChatPerMinute: 2 });
    for (const text of ['1', '2', '3', '4']) await done(ANN, text);
    await done(BOB, 'to Bob');
    expect(socket.texts()).toEqual(['1', '2', 'to Bob']);

    await passing('the others', () => socket.sent.length === 5);

    expect(socket.texts().slice(3)).toEqual(['3', '4']);
  });

  it('rests as a whole after a 429, also for the next owner, and goes on in order', async () => {
    const { connection, socket, done, stateOf, outbox, clock } = await aScene({});
    socket.answers.push(refused(429));
    const first = await done(ANN, 'too fast');
    const second = await done(BOB, 'waits');
    expect(await stateOf(first)).toBe('failed/refused_too_fast');
    await outbox.finish();
    const next = await aScene({}, connection, clock);
    const third = await next.done(ANN, 'waits too');
    expect(await Promise.all([second, third].map(stateOf))).toEqual(['parked', 'parked']);

    // Nothing else comes: the end of the rest alone lets it go.
    clock.advance(60_000);
    await until(
      'the last',
      () => stateOf(third),
      (state) => state === 'sent',
    );

    expect(next.socket.texts()).toEqual(['waits', 'waits too']);
  });

  it('counts a first contact before it leaves, once for all its tries, and holds those above the budget of the day for every owner', async () => {
    const { connection, socket, done, stateOf, record, outbox, clock, passing } = await aScene({
      firstContactsPerDay: 2,
    });
    for (const place of [1, 2, 3]) socket.strangers.add(strangerOf(place));
    socket.answers.push({ outcome: 'unknown' });

    const first = await done(strangerOf(1), 'hello 1');
    await passing('its second try', async () => (await stateOf(first)) === 'sent');
    await done(strangerOf(2), 'hello 2');
    const third = await done(strangerOf(3), 'hello 3');
    await done(ANN, 'an old friend');
    await outbox.finish();
    const next = await aScene({ firstContactsPerDay: 2 }, connection, clock);
    for (const place of [3, 4]) next.socket.strangers.add(strangerOf(place));
    const fourth = await next.done(strangerOf(4), 'hello 4');
    await next.done(BOB, 'another');

    expect(Object.values((await record()).pace?.hours ?? {}).reduce((sum, count) => sum + count, 0)).toBe(2);
    expect(await Promise.all([third, fourth].map(stateOf))).toEqual(['parked', 'parked']);
    expect([...socket.texts(), ...next.socket.texts()]).toEqual([
      'hello 1',
      'hello 1',
      'hello 2',
      'an old friend',
      'another',
    ]);
  });

  it('tells of a brake before the end of the refused message, of another reason, and that it is over, each once', async () => {
    const { socket, done, outbox, clock, told, tells, record } = await aScene({ firstContactsPerDay: 5 });
    socket.answers.push(refused(475));

    await done(ANN, 'refused');
    await tells('first_contacts_restricted', 'failed');
    const endsAtMs = clock.nowMs() + DAY_MS;
    outbox.heard({ limit: 'time_lock', isActive: true, asked: true, untilMs: endsAtMs });
    await tells('first_contacts_restricted', 'failed', 'first_contacts_time_locked');
    // WhatsApp names the same end again, to the second.
    outbox.heard({ limit: 'time_lock', isActive: true, asked: false, untilMs: endsAtMs + 900 });
    await done(BOB, 'an old friend');
    clock.advance(DAY_MS + 1_000);
    await tells('first_contacts_restricted', 'failed', 'first_contacts_time_locked', 'sent', 'none');
    outbox.look();

    const noted = await until(
      'what was told being noted',
      async () => (await record()).pace?.told,
      (last) => last?.isPending === undefined,
    );
    expect(noted).toEqual({ number: 3, atMs: expect.any(Number) });
    expect(told()).toHaveLength(5);
  });

  it('tells of a budget that is used up once, however often a place gets free, and that there is room only when a good part is', async () => {
    const { socket, done, clock, outbox, tells, told, passing } = await aScene({ firstContactsPerDay: 8 });
    for (let place = 1; place <= 10; place += 1) socket.strangers.add(strangerOf(place));
    for (let place = 1; place <= 8; place += 1) {
      await done(strangerOf(place), `hello ${place}`);
      clock.advance(3_600_000);
    }
    const sent = Array.from({ length: 7 }, () => 'sent');
    await tells(...sent, 'first_contacts_used_up', 'sent');
    for (const place of [9, 10]) await done(strangerOf(place), `hello ${place}`);

    await passing('both', () => (outbox.look(), socket.sent.length === 10), 600_000);
    const whileWaiting = told();
    await passing('room', () => (outbox.look(), told().includes('none')), 600_000);

    expect(whileWaiting.filter((code) => code !== 'sent')).toEqual(['first_contacts_used_up']);
    expect(told().filter((code) => code !== 'sent')).toEqual(['first_contacts_used_up', 'none']);
  });

  it('leaves to the next owner what was not told, and that owner tells it once, under the same key', async () => {
    const { connection, socket, done, outbox, publisher, clock, record } = await aScene({});
    publisher.isDown = true;
    socket.answers.push(refused(463));
    await expect(done(ANN, 'refused')).rejects.toThrow('the events queue is down');
    await outbox.finish();
    const pending = (await record()).pace?.told;

    const next = await aScene({}, connection, clock);
    await next.done(BOB, 'an old friend');
    await next.tells('first_contacts_restricted', 'sent');
    const after = await aScene({}, connection, clock);
    await after.done(BOB, 'once more');

    expect(pending).toMatchObject({ number: 1, isPending: true });
    expect(next.publisher.facts.find(({ kind }) => kind === 'pace')?.key).toBe(`pace:${pending?.atMs}:1`);
    expect(after.told()).toEqual(['sent']);
  });

  it('fails a first contact that has waited for a day, says that nothing has left, and keeps the order of the rest', async () => {
    const { socket, done, stateOf, clock, outbox, passing } = await aScene({ firstContactsPerDay: 0 });
    socket.strangers.add(strangerOf(1));
    const first = await done(strangerOf(1), 'never');
    clock.advance(DAY_MS + 1_000);

    await passing('its end', async () => (outbox.look(), (await stateOf(first)) !== 'parked'), 31_000);

    expect(await stateOf(first)).toBe('failed/first_contacts_wait_too_long');
    expect(socket.sent).toEqual([]);
  });

  it('shows that nothing is limited where the fleet takes the budgets away, and follows it when it does so no more', async () => {
    const { connection, done, record, outbox } = await aScene({});
    const { settings: _none, ...found } = await record();
    const fleet = async (paceBudgets: 'kept' | 'off') => {
      const { outbox: next } = anOutbox(core, connection, { pace: {}, config: { paceBudgets } });
      next.allow();
      await until('the pace being read', record, ({ pace }) => (pace?.budgets ?? 'kept') === paceBudgets);
      await next.finish();
    };
    await done(ANN, 'a message');
    await outbox.finish();

    await fleet('off');
    await fleet('kept');

    expect(found.pace).toBeUndefined();
    expect((await record()).pace).toEqual({
      account: connection.account?.phoneJid,
      linkedAtMs: expect.any(Number),
      hours: {},
      brakes: {},
    });
  });

  it('begins anew with another account, and keeps its age with a new link of the same one', async () => {
    const { connection, socket, done, record, outbox } = await aScene({});
    socket.answers.push(refused(463));
    await done(ANN, 'refused');
    const before = (await record()).pace;
    const owner = { ...connection, token: 1 };

    await core.connections.recordAccount(owner, undefined);
    await core.connections.recordAccount(owner, connection.account);
    outbox.allow();
    await done(ANN, 'the same account');
    const renewed = (await record()).pace;
    await core.connections.recordAccount(owner, { phoneJid: BOB, lid: undefined, name: undefined });
    outbox.allow();
    await done(ANN, 'another account');

    expect(before?.brakes.firstContacts).toMatchObject({ because: 'restricted', refusals: 1 });
    expect(renewed).toEqual(before);
    expect((await record()).pace).toMatchObject({ account: BOB, brakes: {} });
  });

  it('lets no more than its rate leave in any stretch of time', () => {
    const steps = fc.array(fc.nat(20_000), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 30 }), (pauses, rate) => {
        const clock = makeSteppedClock();
        const budgets = new SendBudgets(clock);
        const left: number[] = [];
        for (const pause of pauses) {
          clock.advance(pause);
          if (budgets.waitMs(rate) > 0) continue;
          budgets.take(rate);
          left.push(clock.monotonicMs());
        }
        const stretches = left.flatMap((begin, from) =>
          left.slice(from).map((end, more) => more + 1 - rate - ((end - begin) * rate) / 60_000),
        );
        expect(Math.max(...stretches, 0)).toBeLessThan(1e-6);
      }),
      { numRuns: 30 },
    );
  });
});

describe('chats with new people that wait', () => {
  const holds = (waitMs: number) =>
    new FirstContactHolds({ governor: { firstContactWaitMs: () => waitMs }, clock: { nowMs: () => 0 } });
  const stranger = { isFirstContact: async () => true };

  it('never hold a chat with somebody known', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ max: 0 }), async (waitMs, sinceMs) => {
        const judged = await holds(waitMs).judge(
          { isFirstContact: async () => false },
          { to: ANN, chat: ANN, sinceMs },
        );
        expect(judged).toBe('go');
      }),
    ));

  it('leave room for others: one behind 500 is too many, and one that is among them is not', async () => {
    const held = holds(60_000);
    for (let place = 0; place < MOST_WAITING; place += 1)
      await held.judge(stranger, { to: `${place}`, chat: `${place}`, sinceMs: 0 });

    expect(await held.judge(stranger, { to: 'x', chat: 'x', sinceMs: 0 })).toBe('too_long');
    expect(await held.judge(stranger, { to: '7', chat: '7', sinceMs: 0 })).toEqual({ waitMs: 30_000 });
    held.beginLook();
    const over = Array.from({ length: MOST_WAITING + 2 }, () => held.isOneTooMany('7')).filter(Boolean);
    expect(over).toHaveLength(2);
    expect(held.isOneTooMany('somebody known')).toBe(false);
  });
});
