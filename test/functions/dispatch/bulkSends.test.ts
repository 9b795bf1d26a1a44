import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BATCH_LINES, type BulkSend } from '../../../shared/bulk/bulkSend.ts';
import { BulkLineStore } from '../../../shared/bulk/bulkLineStore.ts';
import { BulkSendStore } from '../../../shared/bulk/bulkSendStore.ts';
import { IN_FLIGHT } from '../../../functions/dispatch/bulkSends.ts';
import type { Connection } from '../../../shared/connection/connection.ts';
import { connectionKey } from '../../../shared/platform/keys.ts';
import { tableName } from '../../../shared/platform/tables.ts';
import { Life, startAcceptWorld, type AcceptWorld, type ApiProcess } from '../../shared/message/acceptWorld.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
type Line = readonly [to: string, text: string];

/** Lines that go round some chats. */
const someLines = (count: number, chats = 7): readonly Line[] =>
  Array.from({ length: count }, (_, line) => [`+49151000001${String(line % chats).padStart(2, '0')}`, `line ${line}`]);
const textsOf = (lines: readonly Line[]): readonly string[] => lines.map(([, text]) => text);

describe('bulk sends, with processes that die', () => {
  let world: AcceptWorld;
  let connection: Connection;
  let rows: BulkSendStore;
  let lineRows: BulkLineStore;
  beforeAll(async () => {
    world = await startAcceptWorld();
    rows = new BulkSendStore({ table: world.core.table, stage: 'test' });
    lineRows = new BulkLineStore({ table: world.core.table, stage: 'test' });
  });
  afterAll(() => world.stop());
  /** A connection of its own, when nothing of earlier ones is noted any more. */
  const begin = async (): Promise<void> => {
    world.clock.advance(10 * MINUTE_MS);
    await world.dispatch();
    connection = await world.core.aConnection();
  };
  beforeEach(begin);
  /** What a test leaves open is ended, so that no run of dispatch comes to it later. */
  const clear = async (): Promise<void> => {
    for (const bulkSendId of await rows.listOpen(connection.connectionId)) {
      const bulk = await rows.find(connection.connectionId, bulkSendId);
      if (bulk !== undefined) await world.startApi().changeBulk(bulk, 'cancelled');
    }
    await finish();
  };
  afterEach(clear);

  type Asked = Parameters<ApiProcess['acceptBulk']>[0];
  const accept = async (lines: readonly Line[], asked: Partial<Asked> = {}): Promise<BulkSend> => {
    const bulk = await world.startApi().acceptBulk({ connection, lines, ...asked });
    if (bulk === undefined) throw new Error('nothing was accepted');
    return bulk;
  };
  const now = async ({ connectionId, bulkSendId }: BulkSend): Promise<BulkSend> => {
    const bulk = await rows.find(connectionId, bulkSendId);
    if (bulk === undefined) throw new Error('the bulk send is gone');
    return bulk;
  };
  const countsOf = async (bulk: BulkSend): Promise<Readonly<Record<string, number>>> => {
    const counts = await lineRows.count(await now(bulk));
    return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
  };
  /** Dispatch and a worker take turns until nothing is open. Returns what was sent. */
  const finish = async (rounds = 20): Promise<readonly string[]> => {
    const sent: string[] = [];
    for (let round = 0; round < rounds; round++) {
      await world.dispatch();
      sent.push(...(await world.work(connection)));
      if ((await rows.listOpen(connection.connectionId)).length === 0) return sent;
    }
    return sent;
  };
  const change = (fields: Readonly<Record<string, unknown>>, expression: string): Promise<unknown> =>
    world.core.table.send(
      new UpdateCommand({
        TableName: tableName('test', 'core'),
        Key: connectionKey(connection.tenantId, connection.connectionId),
        UpdateExpression: expression,
        ...(Object.keys(fields).length === 0 ? {} : { ExpressionAttributeValues: fields }),
      }),
    );
  const toldOf = async (bulk: BulkSend): Promise<readonly string[]> =>
    (await world.toldOfBulks()).flatMap((fact) => (fact.bulkSendId === bulk.bulkSendId ? [fact.status] : []));

  it('sends each line once, in their order, shows them under the same ids all along, and tells its end once', async () => {
    const lines = someLines(260);
    const bulk = await accept(lines);
    const before = await countsOf(bulk);

    const sent = await finish();
    await world.dispatch();

    expect(sent).toEqual(textsOf(lines));
    expect([before, await countsOf(bulk)]).toEqual([{ waiting: 260 }, { sent: 260 }]);
    expect(await now(bulk)).toMatchObject({ state: 'finished', released: 260, endedAtMs: world.clock.nowMs() });
    expect(await toldOf(bulk)).toEqual(['finished']);
  });

  it('goes on in rounds of one run while its messages leave, and waits for the next run when none does', async () => {
    const lines = someLines(260);
    const sent: string[] = [];
    let pauses = 0;
    await accept(lines);
    await world.dispatch(new Life(), async () => {
      pauses += 1;
      // The connection is away after the second pause.
      if (pauses <= 2) sent.push(...(await world.work(connection)));
    });
    const first = sent.length;

    sent.push(...(await finish()));

    expect([first, pauses]).toEqual([2 * IN_FLIGHT, 3]);
    expect(sent).toEqual(textsOf(lines));
  });

  it('has no more in flight than others may wait for, nor more than the connection has room for', async () => {
    const bulk = await accept(someLines(300));
    await world.dispatch();
    await world.dispatch();
    const away = await countsOf(bulk);
    await change({ ':n': 990 }, 'SET parkedCount = :n');
    await world.work(connection);
    await world.dispatch();
    const crowded = await countsOf(bulk);

    expect([away, crowded]).toEqual([
      { queued: IN_FLIGHT, waiting: 300 - IN_FLIGHT },
      { sent: IN_FLIGHT, queued: 10, waiting: 190 },
    ]);
  });

  it('sends each line once and in order wherever a run of dispatch dies and another begins', async () => {
    const lines = someLines(4, 2);
    let deadRuns = 0;
    for (let at = 1, isOver = false; !isOver; at++) {
      for (const when of ['before', 'after'] as const) {
        await begin();
        const bulk = await accept(lines);
        const life = new Life({ at, when });

        await world.dispatch(life);
        const sent = await finish();

        expect([at, when, sent]).toEqual([at, when, textsOf(lines)]);
        expect(await toldOf(bulk)).toEqual(['finished']);
        if (life.isDead) deadRuns++;
        isOver = !life.isDead;
      }
    }
    expect(deadRuns).toBeGreaterThanOrEqual(2 * 14);
  });

  it('tells its end once wherever the run dies that finds it', async () => {
    for (let at = 1, isOver = false; !isOver; at++) {
      for (const when of ['before', 'after'] as const) {
        await begin();
        const bulk = await accept(someLines(2));
        await world.dispatch();
        await world.work(connection);
        const life = new Life({ at, when });

        await world.dispatch(life);
        await world.dispatch();
        await world.dispatch();

        expect([at, when, await toldOf(bulk)]).toEqual([at, when, ['finished']]);
        expect(await rows.listOpen(connection.connectionId)).toEqual([]);
        isOver = !life.isDead;
      }
    }
  });

  it('is accepted entirely or not at all wherever the accept dies, and once under one key', async () => {
    const lines = someLines(101);
    for (let at = 1, isOver = false; !isOver; at++) {
      for (const when of ['before', 'after'] as const) {
        await clear();
        await begin();
        const life = new Life({ at, when });
        const first = await world.startApi(life).acceptBulk({ connection, lines, key: 'batch-1' });
        const again = await accept(lines, { key: 'batch-1' });
        const third = await accept(lines, { key: 'batch-1' });

        expect(third.bulkSendId).toBe(again.bulkSendId);
        expect([undefined, again.bulkSendId]).toContain(first?.bulkSendId);
        expect(await rows.listOpen(connection.connectionId)).toEqual([again.bulkSendId]);
        isOver = !life.isDead;
      }
    }
    expect(await finish()).toEqual(textsOf(lines));
    await expect(accept(someLines(100), { key: 'batch-1' })).rejects.toMatchObject({ code: 'idempotency_conflict' });
  });

  it('two runs at once do the same as one', async () => {
    const lines = someLines(120, 3);
    const bulk = await accept(lines);

    await Promise.all([world.dispatch(), world.dispatch(), world.dispatch()]);
    const sent = await world.work(connection);
    const rest = await finish();

    expect([...sent, ...rest]).toEqual(textsOf(lines));
    expect(await countsOf(bulk)).toEqual({ sent: 120 });
  });

  it('pauses after a batch at most, goes on where it was, and tells both', async () => {
    const lines = someLines(150);
    const bulk = await accept(lines);
    await world.dispatch();
    expect(await world.startApi().changeBulk(await now(bulk), 'paused')).toBe('changed');
    const before = await world.work(connection);
    await world.dispatch();
    await world.dispatch();
    const during = await world.work(connection);
    const paused = await toldOf(bulk);
    world.clock.advance(3 * HOUR_MS);
    expect(await world.startApi().changeBulk(await now(bulk), 'running')).toBe('changed');
    const after = await finish();

    expect([before.length, during.length]).toEqual([IN_FLIGHT, 0]);
    expect([...before, ...after]).toEqual(textsOf(lines));
    expect([paused, await toldOf(bulk)]).toEqual([['paused'], ['paused', 'running', 'finished']]);
  });

  it('cancels all that has not left, wherever the run dies that does, and a run that comes late makes nothing of it', async () => {
    for (let at = 1, isOver = false; !isOver; at++) {
      await begin();
      const bulk = await accept(someLines(6));
      await change({ ':n': 998 }, 'SET parkedCount = :n');
      await world.dispatch();
      // A run that has read the bulk send before it is cancelled, and stands still.
      const slow = await now(bulk);
      expect(await world.startApi().changeBulk(slow, 'cancelled')).toBe('changed');
      const life = new Life({ at, when: at % 2 === 0 ? 'before' : 'after' });

      await world.dispatch(life);
      await world.dispatch();
      await world.dispatch();
      const sent = await finish();
      const refused = await rows.advance(slow, { released: 6, endedBefore: 0, pacedAtMs: undefined }, 0);

      expect([at, sent, refused]).toEqual([at, [], 'refused']);
      expect(await countsOf(bulk)).toEqual({ cancelled: 6 });
      expect(await lineRows.states(slow, 0, 6)).toHaveLength(6);
      expect(await toldOf(bulk)).toEqual(['cancelled']);
      isOver = !life.isDead;
    }
  });

  it('keeps its pace, the first at once, and makes up for no pause', async () => {
    const bulk = await accept(someLines(30), { perMinute: 10 });
    const released: number[] = [];
    for (const waitMs of [0, 3_000, 3_000, MINUTE_MS, HOUR_MS]) {
      world.clock.advance(waitMs);
      await world.dispatch();
      await world.work(connection);
      released.push((await now(bulk)).released);
    }

    expect(released).toEqual([1, 1, 2, 12, 22]);
  });

  it('begins at its time and not before', async () => {
    const lines = someLines(3);
    const bulk = await accept(lines, { times: { notBeforeMs: world.clock.nowMs() + 2 * HOUR_MS } });
    await world.dispatch();
    world.clock.advance(2 * HOUR_MS - 1_000);
    await world.dispatch();
    const early = await world.work(connection);
    world.clock.advance(1_000);

    expect([early, await finish()]).toEqual([[], textsOf(lines)]);
    expect(await toldOf(bulk)).toEqual(['finished']);
  });

  it('expires: what is no message by then never is, and nothing that waits is sent', async () => {
    const bulk = await accept(someLines(150), { times: { expiresAtMs: world.clock.nowMs() + HOUR_MS } });
    await world.dispatch();
    await world.work(connection, { isOnline: false });
    world.clock.advance(HOUR_MS + 10_000);
    await world.dispatch();
    await world.work(connection, { isOnline: false });
    const sent = await finish();

    expect(sent).toEqual([]);
    expect(await countsOf(bulk)).toEqual({ expired: 150 });
    expect(await toldOf(bulk)).toEqual(['expired']);
  });

  it('waits without an account, and goes on when the connection is linked again', async () => {
    const lines = someLines(3);
    await accept(lines);
    await change({}, 'REMOVE account');
    await world.dispatch();
    world.clock.advance(24 * HOUR_MS);
    await world.dispatch();
    const unlinked = await world.work(connection);
    await change({ ':account': connection.account }, 'SET account = :account');

    expect([unlinked, await finish()]).toEqual([[], textsOf(lines)]);
  });

  it('ends as cancelled with its connection', async () => {
    const bulk = await accept(someLines(150));
    await world.dispatch();
    await change({ ':deleted': 'deleted' }, 'SET wanted = :deleted');
    await world.dispatch();
    await finish();

    expect(await countsOf(bulk)).toEqual({ cancelled: 150 });
    expect(await toldOf(bulk)).toEqual(['cancelled']);
  });

  it('puts the commands into the queue again of messages that stand still for an hour, and no others', async () => {
    const lines = someLines(3);
    await accept(lines);
    await world.dispatch();
    await world.loseCommands();
    world.clock.advance(HOUR_MS - MINUTE_MS);
    await world.dispatch();
    const early = await world.work(connection);
    world.clock.advance(MINUTE_MS);

    expect([early, await finish()]).toEqual([[], textsOf(lines)]);
  });

  it('shares the room of a connection with other bulk sends and lets a single message between them', async () => {
    const one = someLines(200, 3).map(([to, text]): Line => [to, `one ${text}`]);
    const other = someLines(200, 3).map(([to, text]): Line => [`${to}0`, `other ${text}`]);
    await accept(one);
    await accept(other);
    await world.dispatch();
    await world.startApi().accept({ connection, text: 'between' });
    const first = await world.work(connection);
    const sent = [...first, ...(await finish())];

    expect(first.filter((text) => text.startsWith('one'))).toHaveLength(IN_FLIGHT / 2);
    expect(first).toContain('between');
    expect(sent.filter((text) => text.startsWith('one'))).toEqual(textsOf(one));
    expect(sent.filter((text) => text.startsWith('other'))).toEqual(textsOf(other));
    expect(BATCH_LINES).toBeLessThan(IN_FLIGHT);
  });

  it('refuses an eleventh open one, and any on a connection without an account', async () => {
    for (let count = 0; count < 10; count++) await accept(someLines(1));

    await expect(accept(someLines(1))).rejects.toMatchObject({ code: 'too_many_bulk_sends' });
    await finish();
    await change({}, 'REMOVE account');
    const found = await world.core.connections.find(connection.tenantId, connection.connectionId);
    connection = found ?? connection;
    await expect(accept(someLines(1))).rejects.toMatchObject({ code: 'connection_not_paired' });
  });
});
