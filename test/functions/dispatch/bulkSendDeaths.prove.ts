import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Life, startAcceptWorld } from '../../shared/message/acceptWorld.ts';
import { BulkSendRoom, someLines, textsOf } from './bulkSendRoom.ts';

describe('bulk sends, with processes that die at each call', () => {
  let room: BulkSendRoom;
  beforeAll(async () => {
    room = new BulkSendRoom(await startAcceptWorld());
  });
  afterAll(() => room.world.stop());
  beforeEach(() => room.begin());
  afterEach(() => room.clear());

  it('sends each line once and in order wherever a run of dispatch dies and another begins', async () => {
    const lines = someLines(4, 2);
    let deadRuns = 0;
    for (let at = 1, isOver = false; !isOver; at++) {
      for (const when of ['before', 'after'] as const) {
        await room.begin();
        const bulk = await room.accept(lines);
        const life = new Life({ at, when });

        await room.world.dispatch(life);
        const sent = await room.finish();

        expect([at, when, sent]).toEqual([at, when, textsOf(lines)]);
        expect(await room.toldOf(bulk)).toEqual(['finished']);
        if (life.isDead) deadRuns++;
        isOver = !life.isDead;
      }
    }
    expect(deadRuns).toBeGreaterThanOrEqual(2 * 14);
  });

  it('tells its end once wherever the run dies that finds it', async () => {
    for (let at = 1, isOver = false; !isOver; at++) {
      for (const when of ['before', 'after'] as const) {
        await room.begin();
        const bulk = await room.accept(someLines(2));
        await room.world.dispatch();
        await room.world.work(room.connection);
        const life = new Life({ at, when });

        await room.world.dispatch(life);
        await room.world.dispatch();
        await room.world.dispatch();

        expect([at, when, await room.toldOf(bulk)]).toEqual([at, when, ['finished']]);
        expect(await room.rows.listOpen(room.connection.connectionId)).toEqual([]);
        isOver = !life.isDead;
      }
    }
  });

  it('is accepted entirely or not at all wherever the accept dies, and once under one key', async () => {
    const lines = someLines(101);
    for (let at = 1, isOver = false; !isOver; at++) {
      for (const when of ['before', 'after'] as const) {
        await room.clear();
        await room.begin();
        const life = new Life({ at, when });
        const first = await room.world
          .startApi(life)
          .acceptBulk({ connection: room.connection, lines, key: 'batch-1' });
        const again = await room.accept(lines, { key: 'batch-1' });
        const third = await room.accept(lines, { key: 'batch-1' });

        expect(third.bulkSendId).toBe(again.bulkSendId);
        expect([undefined, again.bulkSendId]).toContain(first?.bulkSendId);
        expect(await room.rows.listOpen(room.connection.connectionId)).toEqual([again.bulkSendId]);
        isOver = !life.isDead;
      }
    }
    expect(await room.finish()).toEqual(textsOf(lines));
    await expect(room.accept(someLines(100), { key: 'batch-1' })).rejects.toMatchObject({
      code: 'idempotency_conflict',
    });
  });

  it('cancels all that has not left, wherever the run dies that does, and a run that comes late makes nothing of it', async () => {
    for (let at = 1, isOver = false; !isOver; at++) {
      await room.begin();
      const bulk = await room.accept(someLines(6));
      await room.change({ ':n': 998 }, 'SET parkedCount = :n');
      await room.world.dispatch();
      // A run that has read the bulk send before it is cancelled, and stands still.
      const slow = await room.now(bulk);
      expect(await room.world.startApi().changeBulk(slow, 'cancelled')).toBe('changed');
      const life = new Life({ at, when: at % 2 === 0 ? 'before' : 'after' });

      await room.world.dispatch(life);
      await room.world.dispatch();
      await room.world.dispatch();
      const sent = await room.finish();
      const refused = await room.rows.advance(slow, { released: 6, endedBefore: 0, pacedAtMs: undefined }, 0);

      expect([at, sent, refused]).toEqual([at, [], 'refused']);
      expect(await room.countsOf(bulk)).toEqual({ cancelled: 6 });
      expect(await room.lineRows.states(slow, 0, 6)).toHaveLength(6);
      expect(await room.toldOf(bulk)).toEqual(['cancelled']);
      isOver = !life.isDead;
    }
  });
});
