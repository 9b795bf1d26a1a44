import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Connection } from '../../../shared/connection/connection.ts';
import { DueRows } from '../../../shared/message/dueRows.ts';
import type { SentMessage } from '../../../shared/message/message.ts';
import { connectionKey } from '../../../shared/platform/keys.ts';
import { tableName } from '../../../shared/platform/tables.ts';
import { isPlayed, playsAll } from '../../sample.ts';
import { Life, startAcceptWorld, type AcceptWorld, type Death } from './acceptWorld.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** An odd number, so that deaths before and after a call are among those that are played. */
const ONE_OF = 5;

describe('scheduling, with processes that die', () => {
  let world: AcceptWorld;
  let connection: Connection;
  beforeAll(async () => {
    world = await startAcceptWorld();
  });
  afterAll(() => world.stop());
  beforeEach(async () => {
    world.clock.advance(HOUR_MS);
    await world.dispatch();
    connection = await world.core.aConnection();
  });

  const inMs = (durationMs: number): number => world.clock.nowMs() + durationMs;
  const schedule = async (text: string, notBeforeMs: number, expiresAtMs?: number): Promise<SentMessage> => {
    const message = await world.startApi().accept({ connection, text, times: { notBeforeMs, expiresAtMs } });
    if (message === undefined) throw new Error('nothing was accepted');
    return message;
  };
  /** Time passes, and dispatch runs again and again, as its schedule has it. */
  const pass = async (durationMs: number): Promise<void> => {
    world.clock.advance(durationMs);
    await world.dispatch();
  };
  const deathsAt = (calls: readonly number[]): readonly Death[] =>
    calls.flatMap((at) => [{ at, when: 'before' } as const, { at, when: 'after' } as const]);
  const nameOf = ({ at, when }: Death): string => `${when} ${at}`;

  it('sends at its time, never before, in the order of the times and then of acceptance', async () => {
    const due = inMs(HOUR_MS);
    await schedule('second', due);
    world.clock.advance(1);
    await schedule('third', due);
    await schedule('first', due - MINUTE_MS);
    await pass(HOUR_MS - 3 * MINUTE_MS);
    const early = await world.work(connection);
    await pass(3 * MINUTE_MS);

    const sent = await world.work(connection);

    expect([early, sent]).toEqual([[], ['first', 'second', 'third']]);
    expect(await world.statesOf(connection)).toEqual(['sent', 'sent', 'sent']);
    expect(await dueOf(connection)).toEqual([]);
  });

  it.each(deathsAt([1]).map((death) => [nameOf(death), death] as const))(
    'an accept that dies %s leaves a message that is sent once at its time, or none',
    async (_, death) => {
      const api = world.startApi(new Life(death));
      const answer = await api.accept({ connection, key: 'order-1', times: { notBeforeMs: inMs(HOUR_MS) } });
      await pass(HOUR_MS + MINUTE_MS);

      const sent = await world.work(connection);

      expect([answer, sent]).toEqual([undefined, death.when === 'after' ? ['hello'] : []]);
    },
  );

  it('the same key brings one message, also when its time has passed meanwhile', async () => {
    const times = { notBeforeMs: inMs(HOUR_MS) };
    const first = await world
      .startApi(new Life({ at: 1, when: 'after' }))
      .accept({ connection, key: 'order-1', times });
    const again = await world.startApi().accept({ connection, key: 'order-1', times });
    await pass(2 * HOUR_MS);
    const sent = await world.work(connection);
    const later = await world.startApi().accept({ connection, key: 'order-1', times });
    const other = world.startApi().accept({ connection, key: 'order-1', times: { notBeforeMs: inMs(HOUR_MS) } });

    await expect(other).rejects.toMatchObject({ code: 'idempotency_conflict' });
    expect([first, again?.state, later?.messageId]).toEqual([undefined, 'scheduled', again?.messageId]);
    expect(sent).toEqual(['hello']);
  });

  it('sends once what is due, wherever a run of dispatch dies and another begins', async () => {
    let deadRuns = 0;
    for (let at = 1, isOver = false; !isOver; at++) {
      for (const [index, when] of (['before', 'after'] as const).entries()) {
        if (!isPlayed(2 * at + index, ONE_OF)) continue;
        connection = await world.core.aConnection();
        await world.dispatch();
        await schedule('one', inMs(5 * MINUTE_MS));
        world.clock.advance(1);
        await schedule('two', inMs(5 * MINUTE_MS));
        world.clock.advance(6 * MINUTE_MS);
        const life = new Life({ at, when });

        await world.dispatch(life);
        await world.dispatch();
        const sent = await world.work(connection);
        await pass(MINUTE_MS);
        const later = await world.work(connection);

        expect([sent, later]).toEqual([['one', 'two'], []]);
        expect(await world.statesOf(connection)).toEqual(['sent', 'sent']);
        expect(await dueOf(connection)).toEqual([]);
        if (life.isDead) deadRuns++;
        isOver = !life.isDead;
      }
    }
    // The cursor, the parts of windows, what is due, the connection, and three calls for each of two messages.
    expect(deadRuns).toBeGreaterThanOrEqual(playsAll ? 2 * 12 : 3);
  });

  it.each([
    ['earlier', -30 * MINUTE_MS],
    ['later', 30 * MINUTE_MS],
    ['within the same window', 1],
  ])('moves a message %s: it leaves at the new time alone', async (_, byMs) => {
    const { messageId, notBeforeMs = 0 } = await schedule('moved', inMs(HOUR_MS));

    expect(await world.startApi().move(connection, messageId, notBeforeMs + byMs)).toBe('moved');
    expect(await world.startApi().move(connection, messageId, notBeforeMs + byMs)).toBe('moved');
    await pass(HOUR_MS + byMs - MINUTE_MS);
    const early = await world.work(connection);
    await pass(MINUTE_MS + 10);
    const sent = await world.work(connection);
    await pass(2 * HOUR_MS);

    expect([early, sent, await world.work(connection)]).toEqual([[], ['moved'], []]);
    expect(await world.startApi().move(connection, messageId, inMs(HOUR_MS))).toBe('refused');
  });

  it.each(deathsAt([1, 2]).map((death) => [nameOf(death), death] as const))(
    'a move that dies %s has happened entirely or not at all',
    async (_, death) => {
      const { messageId } = await schedule('moved', inMs(HOUR_MS));
      await world.startApi(new Life(death)).move(connection, messageId, inMs(3 * HOUR_MS));
      const isMoved = death.at === 2 && death.when === 'after';

      await pass(HOUR_MS + MINUTE_MS);
      const first = await world.work(connection);
      await pass(2 * HOUR_MS);
      const second = await world.work(connection);

      expect([first, second]).toEqual(isMoved ? [[], ['moved']] : [['moved'], []]);
    },
  );

  it('a cancelled message never leaves, wherever the cancel dies, and its caller is believed', async () => {
    for (const death of deathsAt([1, 2, 3, 4, 5])) {
      connection = await world.core.aConnection();
      const { messageId } = await schedule('cancelled', inMs(HOUR_MS));
      await world.startApi(new Life(death)).cancel(connection, messageId);
      const isCancelled = death.at > 2 || (death.at === 2 && death.when === 'after');

      await pass(HOUR_MS + MINUTE_MS);

      expect([nameOf(death), await world.work(connection)]).toEqual([nameOf(death), isCancelled ? [] : ['cancelled']]);
      expect(await world.statesOf(connection)).toEqual([isCancelled ? 'cancelled' : 'sent']);
      expect(await dueOf(connection)).toEqual([]);
    }
  });

  it('a move, a cancel and dispatch at once: one of them has its way, and the message agrees', async () => {
    for (let round = 0; round < 6; round++) {
      connection = await world.core.aConnection();
      const { messageId } = await schedule('disputed', inMs(HOUR_MS));
      world.clock.advance(HOUR_MS);

      const [, moved, cancelled] = await Promise.all([
        world.dispatch(),
        world.startApi().move(connection, messageId, inMs(HOUR_MS)),
        world.startApi().cancel(connection, messageId),
      ]);
      await world.dispatch();
      const now = await world.work(connection);
      await pass(HOUR_MS + MINUTE_MS);
      const later = await world.work(connection);

      expect([...now, ...later]).toEqual(cancelled === 'cancelled' ? [] : ['disputed']);
      expect(moved === 'moved' ? now : []).toEqual([]);
      expect(await dueOf(connection)).toEqual([]);
    }
  });

  it('is found again when its command is lost after it was due', async () => {
    await schedule('lost', inMs(HOUR_MS));
    await pass(HOUR_MS);
    await world.reconcile();
    await world.loseCommands();
    await pass(50 * MINUTE_MS);
    await world.reconcile();
    const early = await world.work(connection);
    await pass(20 * MINUTE_MS);
    await world.reconcile();

    expect([early, await world.work(connection)]).toEqual([[], ['lost']]);
    expect(await world.statesOf(connection)).toEqual(['sent']);
  });

  it('is never sent late: what could not leave in its time expires, in the queue, parked, and never claimed', async () => {
    const [due, end] = [inMs(HOUR_MS), inMs(HOUR_MS + 10 * MINUTE_MS)];
    await schedule('parked', due, end);
    await pass(HOUR_MS + MINUTE_MS);
    const away = await world.work(connection, { isOnline: false });
    const parkedState = await world.statesOf(connection);
    await pass(10 * MINUTE_MS);
    // The connection is still away: its owner hears of the end from dispatch.
    const ended = await world.work(connection, { isOnline: false });
    const after = await world.core.connections.find(connection.tenantId, connection.connectionId);

    expect([away, parkedState, ended]).toEqual([[], ['parked'], []]);
    expect(await world.statesOf(connection)).toEqual(['expired/expired']);
    expect(after?.parkedCount).toBe(0);
    expect(await world.core.messages.listParked(connection.connectionId, 1)).toEqual([]);
    expect(await world.work(connection)).toEqual([]);
  });

  it('expires in the queue, without a time before it, and after an outage of dispatch', async () => {
    await world.startApi().accept({ connection, text: 'queued', times: { expiresAtMs: inMs(MINUTE_MS) } });
    world.clock.advance(1);
    await schedule('dispatched too late', inMs(MINUTE_MS), inMs(5 * MINUTE_MS));
    world.clock.advance(1);
    await schedule('still good', inMs(MINUTE_MS), inMs(40 * HOUR_MS));
    await pass(30 * HOUR_MS);
    await pass(MINUTE_MS);

    const sent = await world.work(connection);

    expect(sent).toEqual(['still good']);
    expect(await world.statesOf(connection)).toEqual(['expired/expired', 'expired/expired', 'sent']);
  });

  it('leaves what is due to later runs while a connection has a backlog, and holds up no other', async () => {
    const [other, full] = [connection, await world.core.aConnection({ parkedCount: 1_000 })];
    connection = full;
    await schedule('waits', inMs(MINUTE_MS));
    connection = other;
    await schedule('goes', inMs(MINUTE_MS));
    await pass(2 * MINUTE_MS);
    // The window of both is passed.
    await pass(HOUR_MS);
    const goes = await world.work(other);
    const waiting = await dueOf(full);
    const Key = connectionKey(full.tenantId, full.connectionId);
    await world.core.table.send(
      new UpdateCommand({ TableName: tableName('test', 'core'), Key, UpdateExpression: 'REMOVE parkedCount' }),
    );
    await pass(MINUTE_MS);

    expect([goes, waiting.length]).toEqual([['goes'], 1]);
    expect(await world.work(full)).toEqual(['waits']);
  });

  const dueOf = ({ connectionId }: Connection) =>
    Array.fromAsync(new DueRows({ table: world.core.table, stage: 'test' }).list('SEND', connectionId));
});
