import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Action } from '../../../shared/action/action.ts';
import { contactsCheck } from '../../../shared/action/kinds/contactsCheck.ts';
import type { Connection } from '../../../shared/connection/connection.ts';
import { MOST_RUNNING } from '../../../worker/actions/connectionActions.ts';
import type { ActionOutcome } from '../../../worker/socket/port/actionOutcome.ts';
import { until } from '../../whatsapp/until.ts';
import { FakePublisher, FakeSocket, someActions, startCore, type Core } from '../sending/fakes.ts';

const typed: ActionOutcome = {
  outcome: 'succeeded',
  result: { chat: { id: '1@lid' }, state: 'composing', presence: 'unavailable' },
};

describe('the actions of a connection', () => {
  let core: Core;
  beforeAll(async () => {
    core = await startCore();
  });
  afterAll(() => core.stop());

  const shown = async (action: Action): Promise<string | undefined> => {
    const now = await core.actions.find(action.connectionId, action.actionId);
    return now?.error === undefined ? now?.state : `${now.state}/${now.error.code}`;
  };
  const becomes = (action: Action, state: string) =>
    until(
      state,
      () => shown(action),
      (found) => found === state,
    );
  const openOf = ({ connectionId, shard }: Connection) => core.openActions.ofConnection({ connectionId, shard }, 10);
  const told = (publisher: FakePublisher): readonly string[] =>
    publisher.facts.flatMap((fact) => (fact.kind === 'action_end' ? [fact.actionId] : []));
  const untilClosed = (connection: Connection) =>
    until(
      'nothing open',
      () => openOf(connection),
      (open) => open.length === 0,
    );

  it('asks for what a command names, records the result, tells of it once, and leaves nothing open', async () => {
    const connection = await core.aConnection();
    const { desk, publisher, socket, metrics } = someActions(core, connection);
    const action = await core.anAction(connection);
    socket.actionOutcomes.push(typed);

    expect(await desk.handle(action.actionId)).toBe('done');
    await becomes(action, 'succeeded');
    await untilClosed(connection);

    expect(socket.asked).toEqual([{ kind: 'chat_typing', request: action.request }]);
    expect(await core.actions.find(action.connectionId, action.actionId)).toMatchObject({
      attempts: 1,
      result: typed.result,
    });
    expect(told(publisher)).toEqual([action.actionId]);
    expect(metrics.totalOf('ActionsFinished', { outcome: 'succeeded' })).toBe(1);
  });

  it('asks once when the command comes twice, also while it is being asked', async () => {
    const connection = await core.aConnection();
    const { desk, publisher, socket } = someActions(core, connection);
    const action = await core.anAction(connection);
    const answer = Promise.withResolvers<ActionOutcome>();
    socket.actionOutcomes.push(answer.promise);

    await desk.handle(action.actionId);
    await until(
      'asked',
      () => socket.asked.length,
      (asked) => asked === 1,
    );
    await desk.handle(action.actionId);
    answer.resolve(typed);
    await becomes(action, 'succeeded');
    await untilClosed(connection);
    await desk.handle(action.actionId);

    expect(socket.asked).toHaveLength(1);
    // The end is published again under the same key, because the owner that brought the command again may have died
    // before that.
    expect(new Set(told(publisher))).toEqual(new Set([action.actionId]));
  });

  it('deletes the command of an action that was never written, and of one that is gone', async () => {
    const connection = await core.aConnection();
    const { desk, socket } = someActions(core, connection);

    expect(await desk.handle('act_01JD8X8Z5Q3V7T9K2M4N6P8R0S' as Action['actionId'])).toBe('done');
    expect(socket.asked).toEqual([]);
  });

  it('keeps an action while there is no socket, and asks for it when there is one', async () => {
    const connection = await core.aConnection();
    const sockets: FakeSocket[] = [];
    const { desk } = someActions(core, connection, { overrides: { socket: () => sockets[0] } });
    const action = await core.anAction(connection);
    await desk.handle(action.actionId);

    const waiting = [await shown(action), (await openOf(connection)).length];
    const socket = new FakeSocket();
    socket.actionOutcomes.push(typed);
    sockets.push(socket);
    desk.allow();
    await becomes(action, 'succeeded');

    expect(waiting).toEqual(['accepted', 1]);
  });

  it('takes up what an earlier owner left, found by a query', async () => {
    const connection = await core.aConnection();
    const earlier = someActions(core, connection, { token: 1, overrides: { socket: () => undefined } });
    const [parked, begun] = [await core.anAction(connection), await core.anAction(connection)];
    for (const { actionId } of [parked, begun]) await earlier.desk.handle(actionId);
    await core.actions.begin({ connectionId: connection.connectionId, token: 1 }, begun.actionId, Date.now(), false);

    const { desk, socket, publisher } = someActions(core, connection, { token: 2 });
    socket.actionOutcomes.push(typed, typed);
    desk.look();
    await becomes(parked, 'succeeded');
    await becomes(begun, 'succeeded');
    await untilClosed(connection);

    expect(new Set(told(publisher))).toEqual(new Set([parked.actionId, begun.actionId]));
    expect(await core.actions.find(begun.connectionId, begun.actionId)).toMatchObject({ attempts: 2, token: 2 });
  });

  it('never asks again for what may be done once and was begun by an earlier owner, online or not', async () => {
    const row = contactsCheck as { effect: string };
    row.effect = 'once';
    try {
      for (const isOnline of [true, false]) {
        const connection = await core.aConnection();
        const action = await core.anAction(connection, {
          kind: 'contacts_check',
          request: { contacts: ['+4915187654321'] },
        });
        await core.openActions.add(connection.shard, action, Date.now());
        await core.actions.begin(
          { connectionId: connection.connectionId, token: 1 },
          action.actionId,
          Date.now(),
          false,
        );

        const { desk, socket, publisher } = someActions(core, connection, {
          token: 2,
          ...(isOnline ? {} : { overrides: { socket: () => undefined } }),
        });
        desk.look();
        await becomes(action, 'failed/outcome_unknown');
        await untilClosed(connection);

        expect(socket.asked).toEqual([]);
        expect(told(publisher)).toEqual([action.actionId]);
      }
    } finally {
      row.effect = 'repeatable';
    }
  });

  it('does not ask again for what may be done once and got no answer', async () => {
    const row = contactsCheck as { effect: string };
    row.effect = 'once';
    try {
      const connection = await core.aConnection();
      const { desk, socket } = someActions(core, connection);
      const action = await core.anAction(connection, {
        kind: 'contacts_check',
        request: { contacts: ['+4915187654321'] },
      });
      socket.actionOutcomes.push({ outcome: 'unanswered' });
      await desk.handle(action.actionId);
      await becomes(action, 'failed/outcome_unknown');

      expect(socket.asked).toHaveLength(1);
    } finally {
      row.effect = 'repeatable';
    }
  });

  it('lets an action expire in time while the connection is away, and tells of it', async () => {
    const connection = await core.aConnection();
    const { desk, publisher, metrics } = someActions(core, connection, { overrides: { socket: () => undefined } });
    const action = await core.anAction(connection, { expiresAtMs: Date.now() + 300 });

    await desk.handle(action.actionId);
    await becomes(action, 'expired/expired');
    await untilClosed(connection);

    expect(told(publisher)).toEqual([action.actionId]);
    expect(metrics.totalOf('ActionsFinished', { outcome: 'expired' })).toBe(1);
  });

  it('does not ask for what has expired, whatever the command waited for', async () => {
    const connection = await core.aConnection();
    const { desk, socket } = someActions(core, connection);
    const action = await core.anAction(connection, { expiresAtMs: Date.now() - 1 });

    await desk.handle(action.actionId);
    await becomes(action, 'expired/expired');

    expect(socket.asked).toEqual([]);
  });

  it('asks for a few at once, and for all in the end', async () => {
    const connection = await core.aConnection();
    const { desk, socket } = someActions(core, connection);
    const actions = await Promise.all(Array.from({ length: 9 }, () => core.anAction(connection)));
    const answer = Promise.withResolvers<ActionOutcome>();
    socket.actionOutcomes.push(...actions.map(() => answer.promise));

    for (const { actionId } of actions) await desk.handle(actionId);
    await until(
      'some asked',
      () => socket.asked.length,
      (asked) => asked === MOST_RUNNING,
    );
    for (let turn = 0; turn < 10; turn += 1) await desk.handle((actions[8] as Action).actionId);
    const atOnce = socket.asked.length;
    answer.resolve(typed);
    for (const action of actions) await becomes(action, 'succeeded');

    expect(atOnce).toBe(MOST_RUNNING);
    expect(socket.asked).toHaveLength(9);
  });

  it('goes on with one that is done in part, and says how far it is', async () => {
    const connection = await core.aConnection();
    const { desk, socket } = someActions(core, connection);
    const action = await core.anAction(connection);
    const last = Promise.withResolvers<ActionOutcome>();
    socket.actionOutcomes.push(
      ...[1, 2].map((done) => ({ outcome: 'partly', progress: { done, total: 3 } }) as const),
      last.promise,
    );

    await desk.handle(action.actionId);
    const meanwhile = await until(
      'two parts',
      () => core.actions.find(action.connectionId, action.actionId),
      (found) => found?.progress?.done === 2 && found.state === 'running',
    );
    last.resolve(typed);
    await becomes(action, 'succeeded');

    expect(meanwhile).toMatchObject({ attempts: 1, progress: { done: 2, total: 3 } });
    expect(socket.asked).toHaveLength(3);
  });

  it('leaves a kind alone that WhatsApp limits, shows why, and lets other kinds go on', async () => {
    const connection = await core.aConnection();
    const { desk, socket } = someActions(core, connection);
    const limited = await core.anAction(connection, {
      kind: 'contacts_check',
      request: { contacts: ['+4915187654321'] },
    });
    socket.actionOutcomes.push({ outcome: 'limited', whatsappCode: 429 }, typed);

    await desk.handle(limited.actionId);
    await until(
      'limited',
      () => core.actions.find(limited.connectionId, limited.actionId),
      (now) => now?.limitedBy === 429,
    );
    const typing = await core.anAction(connection);
    await desk.handle(typing.actionId);
    await becomes(typing, 'succeeded');

    expect(await shown(limited)).toBe('accepted');
    expect(socket.asked.map(({ kind }) => kind)).toEqual(['contacts_check', 'chat_typing']);
    await desk.finish();
  });

  it('ends one whose limit did not end in time with the number of WhatsApp', async () => {
    const connection = await core.aConnection();
    const { desk, socket } = someActions(core, connection);
    const action = await core.anAction(connection, { expiresAtMs: Date.now() + 600 });
    socket.actionOutcomes.push({ outcome: 'limited', whatsappCode: 429 });

    await desk.handle(action.actionId);
    await becomes(action, 'failed/limited');

    expect((await core.actions.find(action.connectionId, action.actionId))?.error?.whatsappCode).toBe(429);
  });

  it('fails what our own code cannot ask for, and what comes back in no shape', async () => {
    const connection = await core.aConnection();
    const { desk, socket } = someActions(core, connection);
    const [broken, misshapen] = [await core.anAction(connection), await core.anAction(connection)];
    socket.actionOutcomes.push(new TypeError('no such thing'), { outcome: 'succeeded', result: { other: 1 } });

    await desk.handle(broken.actionId);
    await becomes(broken, 'failed/internal_error');
    await desk.handle(misshapen.actionId);
    await becomes(misshapen, 'failed/internal_error');
  });

  it('tells again of an end whose event was not taken', async () => {
    const connection = await core.aConnection();
    const publisher = new FakePublisher();
    publisher.isDown = true;
    const { desk, socket } = someActions(core, connection, { overrides: { publisher } });
    const action = await core.anAction(connection);
    socket.actionOutcomes.push(typed);

    await desk.handle(action.actionId);
    await becomes(action, 'succeeded');
    const openMeanwhile = (await openOf(connection)).length;
    publisher.isDown = false;
    desk.look();
    await untilClosed(connection);

    expect(openMeanwhile).toBe(1);
    expect(told(publisher)).toEqual([action.actionId]);
    expect(socket.asked).toHaveLength(1);
  });

  it('waits with a kind that a newer version knows, and does what is behind it', async () => {
    const connection = await core.aConnection();
    const { desk, socket } = someActions(core, connection);
    const unknown = await core.anAction(connection, {
      kind: 'presence_of_moon' as Action['kind'],
      expiresAtMs: Date.now() + 1_500,
    });
    const known = await core.anAction(connection);
    socket.actionOutcomes.push(typed);

    await desk.handle(unknown.actionId);
    await desk.handle(known.actionId);
    await becomes(known, 'succeeded');
    await becomes(unknown, 'expired/expired');

    expect(socket.asked).toHaveLength(1);
  });

  it('begins nothing more when it finishes, and waits for what it has begun', async () => {
    const connection = await core.aConnection();
    const { desk, socket } = someActions(core, connection);
    const [begun, late] = [await core.anAction(connection), await core.anAction(connection)];
    const answer = Promise.withResolvers<ActionOutcome>();
    socket.actionOutcomes.push(answer.promise);
    await desk.handle(begun.actionId);
    await until(
      'asked',
      () => socket.asked.length,
      (asked) => asked === 1,
    );

    const finished = desk.finish();
    const given = await desk.handle(late.actionId);
    answer.resolve(typed);
    await finished;

    expect(given).toBe('later');
    expect(await shown(begun)).toBe('succeeded');
    expect(await shown(late)).toBe('accepted');
  });

  it('fails all that is open when the connection loses its account', async () => {
    const connection = await core.aConnection();
    const { desk, publisher } = someActions(core, connection, { overrides: { socket: () => undefined } });
    const actions = [await core.anAction(connection), await core.anAction(connection)];
    for (const { actionId } of actions) await desk.handle(actionId);

    await desk.failAll('connection_not_paired');

    expect(await Promise.all(actions.map(shown))).toEqual([
      'failed/connection_not_paired',
      'failed/connection_not_paired',
    ]);
    expect(new Set(told(publisher))).toEqual(new Set(actions.map(({ actionId }) => actionId)));
    expect(await openOf(connection)).toEqual([]);
  });

  it('leaves alone what a newer owner has', async () => {
    const connection = await core.aConnection();
    const begun: string[] = [];
    const { actions: store } = core;
    const actions = {
      find: store.find.bind(store),
      giveBack: store.giveBack.bind(store),
      end: store.end.bind(store),
      begin: async (...asked: Parameters<typeof store.begin>) => {
        const outcome = await store.begin(...asked);
        begun.push(outcome);
        return outcome;
      },
    };
    const { desk, socket, publisher } = someActions(core, connection, { token: 1, overrides: { actions } });
    const action = await core.anAction(connection);
    await core.openActions.add(connection.shard, action, Date.now());
    await core.actions.begin({ connectionId: connection.connectionId, token: 2 }, action.actionId, Date.now(), false);

    desk.look();
    await until(
      'tried',
      () => begun.length,
      (tries) => tries > 0,
    );
    await desk.finish();

    expect(socket.asked).toEqual([]);
    expect(begun).toEqual(['refused']);
    expect(told(publisher)).toEqual([]);
    expect(await shown(action)).toBe('running');
  });
});
