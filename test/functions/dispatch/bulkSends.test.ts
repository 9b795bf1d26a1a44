import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BATCH_LINES } from '../../../shared/bulk/bulkSend.ts';
import { IN_FLIGHT } from '../../../functions/dispatch/bulkSends.ts';
import { Life, startAcceptWorld } from '../../shared/message/acceptWorld.ts';
import { BulkSendRoom, HOUR_MS, MINUTE_MS, someLines, textsOf, type Line } from './bulkSendRoom.ts';

/** Where a process dies at each call: `bulkSendDeaths.prove.ts`. */
describe('bulk sends', () => {
  let room: BulkSendRoom;
  beforeAll(async () => {
    room = new BulkSendRoom(await startAcceptWorld());
  });
  afterAll(() => room.world.stop());
  beforeEach(() => room.begin());
  afterEach(() => room.clear());

  it('sends each line once, in their order, shows them under the same ids all along, and tells its end once', async () => {
    const lines = someLines(260);
    const bulk = await room.accept(lines);
    const before = await room.countsOf(bulk);

    const sent = await room.finish();
    await room.world.dispatch();

    expect(sent).toEqual(textsOf(lines));
    expect([before, await room.countsOf(bulk)]).toEqual([{ waiting: 260 }, { sent: 260 }]);
    expect(await room.now(bulk)).toMatchObject({
      state: 'finished',
      released: 260,
      endedAtMs: room.world.clock.nowMs(),
    });
    expect(await room.toldOf(bulk)).toEqual(['finished']);
  });

  it('goes on in rounds of one run while its messages leave, and waits for the next run when none does', async () => {
    const lines = someLines(260);
    const sent: string[] = [];
    let pauses = 0;
    await room.accept(lines);
    await room.world.dispatch(new Life(), async () => {
      pauses += 1;
      // The connection is away after the second pause.
      if (pauses <= 2) sent.push(...(await room.world.work(room.connection)));
    });
    const first = sent.length;

    sent.push(...(await room.finish()));

    expect([first, pauses]).toEqual([2 * IN_FLIGHT, 3]);
    expect(sent).toEqual(textsOf(lines));
  });

  it('has no more in flight than others may wait for, nor more than the connection has room for', async () => {
    const bulk = await room.accept(someLines(300));
    await room.world.dispatch();
    await room.world.dispatch();
    const away = await room.countsOf(bulk);
    await room.change({ ':n': 990 }, 'SET parkedCount = :n');
    await room.world.work(room.connection);
    await room.world.dispatch();
    const crowded = await room.countsOf(bulk);

    expect([away, crowded]).toEqual([
      { queued: IN_FLIGHT, waiting: 300 - IN_FLIGHT },
      { sent: IN_FLIGHT, queued: 10, waiting: 190 },
    ]);
  });

  it('two runs at once do the same as one', async () => {
    const lines = someLines(120, 3);
    const bulk = await room.accept(lines);

    await Promise.all([room.world.dispatch(), room.world.dispatch(), room.world.dispatch()]);
    const sent = await room.world.work(room.connection);
    const rest = await room.finish();

    expect([...sent, ...rest]).toEqual(textsOf(lines));
    expect(await room.countsOf(bulk)).toEqual({ sent: 120 });
  });

  it('pauses after a batch at most, goes on where it was, and tells both', async () => {
    const lines = someLines(150);
    const bulk = await room.accept(lines);
    await room.world.dispatch();
    expect(await room.world.startApi().changeBulk(await room.now(bulk), 'paused')).toBe('changed');
    const before = await room.world.work(room.connection);
    await room.world.dispatch();
    await room.world.dispatch();
    const during = await room.world.work(room.connection);
    const paused = await room.toldOf(bulk);
    room.world.clock.advance(3 * HOUR_MS);
    expect(await room.world.startApi().changeBulk(await room.now(bulk), 'running')).toBe('changed');
    const after = await room.finish();

    expect([before.length, during.length]).toEqual([IN_FLIGHT, 0]);
    expect([...before, ...after]).toEqual(textsOf(lines));
    expect([paused, await room.toldOf(bulk)]).toEqual([['paused'], ['paused', 'running', 'finished']]);
  });

  it('keeps its pace, the first at once, and makes up for no pause', async () => {
    const bulk = await room.accept(someLines(30), { perMinute: 10 });
    const released: number[] = [];
    for (const waitMs of [0, 3_000, 3_000, MINUTE_MS, HOUR_MS]) {
      room.world.clock.advance(waitMs);
      await room.world.dispatch();
      await room.world.work(room.connection);
      released.push((await room.now(bulk)).released);
    }

    expect(released).toEqual([1, 1, 2, 12, 22]);
  });

  it('begins at its time and not before', async () => {
    const lines = someLines(3);
    const bulk = await room.accept(lines, { times: { notBeforeMs: room.world.clock.nowMs() + 2 * HOUR_MS } });
    await room.world.dispatch();
    room.world.clock.advance(2 * HOUR_MS - 1_000);
    await room.world.dispatch();
    const early = await room.world.work(room.connection);
    room.world.clock.advance(1_000);

    expect([early, await room.finish()]).toEqual([[], textsOf(lines)]);
    expect(await room.toldOf(bulk)).toEqual(['finished']);
  });

  it('expires: what is no message by then never is, and nothing that waits is sent', async () => {
    const bulk = await room.accept(someLines(150), { times: { expiresAtMs: room.world.clock.nowMs() + HOUR_MS } });
    await room.world.dispatch();
    await room.world.work(room.connection, { isOnline: false });
    room.world.clock.advance(HOUR_MS + 10_000);
    await room.world.dispatch();
    await room.world.work(room.connection, { isOnline: false });
    const sent = await room.finish();

    expect(sent).toEqual([]);
    expect(await room.countsOf(bulk)).toEqual({ expired: 150 });
    expect(await room.toldOf(bulk)).toEqual(['expired']);
  });

  it('waits without an account, and goes on when the connection is linked again', async () => {
    const lines = someLines(3);
    await room.accept(lines);
    await room.change({}, 'REMOVE account');
    await room.world.dispatch();
    room.world.clock.advance(24 * HOUR_MS);
    await room.world.dispatch();
    const unlinked = await room.world.work(room.connection);
    await room.change({ ':account': room.connection.account }, 'SET account = :account');

    expect([unlinked, await room.finish()]).toEqual([[], textsOf(lines)]);
  });

  it('ends as cancelled with its connection', async () => {
    const bulk = await room.accept(someLines(150));
    await room.world.dispatch();
    await room.change({ ':deleted': 'deleted' }, 'SET wanted = :deleted');
    await room.world.dispatch();
    await room.finish();

    expect(await room.countsOf(bulk)).toEqual({ cancelled: 150 });
    expect(await room.toldOf(bulk)).toEqual(['cancelled']);
  });

  it('puts the commands into the queue again of messages that stand still for an hour, and no others', async () => {
    const lines = someLines(3);
    await room.accept(lines);
    await room.world.dispatch();
    await room.world.loseCommands();
    room.world.clock.advance(HOUR_MS - MINUTE_MS);
    await room.world.dispatch();
    const early = await room.world.work(room.connection);
    room.world.clock.advance(MINUTE_MS);

    expect([early, await room.finish()]).toEqual([[], textsOf(lines)]);
  });

  it('shares the room of a connection with other bulk sends and lets a single message between them', async () => {
    const one = someLines(200, 3).map(([to, text]): Line => [to, `one ${text}`]);
    const other = someLines(200, 3).map(([to, text]): Line => [`${to}0`, `other ${text}`]);
    await room.accept(one);
    await room.accept(other);
    await room.world.dispatch();
    await room.world.startApi().accept({ connection: room.connection, text: 'between' });
    const first = await room.world.work(room.connection);
    const sent = [...first, ...(await room.finish())];

    expect(first.filter((text) => text.startsWith('one'))).toHaveLength(IN_FLIGHT / 2);
    expect(first).toContain('between');
    expect(sent.filter((text) => text.startsWith('one'))).toEqual(textsOf(one));
    expect(sent.filter((text) => text.startsWith('other'))).toEqual(textsOf(other));
    expect(BATCH_LINES).toBeLessThan(IN_FLIGHT);
  });

  it('refuses an eleventh open one, and any on a connection without an account', async () => {
    for (let count = 0; count < 10; count++) await room.accept(someLines(1));

    await expect(room.accept(someLines(1))).rejects.toMatchObject({ code: 'too_many_bulk_sends' });
    await room.finish();
    await room.change({}, 'REMOVE account');
    const found = await room.world.core.connections.find(room.connection.tenantId, room.connection.connectionId);
    room.use(found ?? room.connection);
    await expect(room.accept(someLines(1))).rejects.toMatchObject({ code: 'connection_not_paired' });
  });
});
