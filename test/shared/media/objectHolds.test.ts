import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { keptKeyOf, type ObjectName } from '../../../shared/media/fileKeeping.ts';
import { TenantFiles } from '../../../shared/media/keptBytes.ts';
import { ObjectHolds, type Hold } from '../../../shared/media/objectHolds.ts';
import { newIds, startEventStores, type EventStores } from '../event/eventStores.ts';

const DAY_MS = 86_400_000;

describe('the files that hold an object', { timeout: 120_000 }, () => {
  let stores: EventStores;
  beforeAll(async () => {
    stores = await startEventStores();
  });
  afterAll(() => stores.stop());

  const clock = { nowMs: () => Date.now(), sleep: (ms: number) => new Promise<void>((done) => setTimeout(done, ms)) };
  const holds = () => new ObjectHolds({ ...stores, clock });
  const files = (nowMs = Date.now()) => new TenantFiles({ ...stores, clock: { nowMs: () => nowMs } });
  const anObject = (): ObjectName => ({ tenantId: newIds().tenantId, name: makeId('med', Date.now(), systemRandom) });
  const until = (days: number): number => Date.now() + days * DAY_MS;

  it('keep it until the last of them goes, and its next generation lies elsewhere', async () => {
    const object = anObject();
    const first = await holds().hold(object, 'first', until(90));
    const second = await holds().hold(object, 'second', until(90));

    const ends = [await holds().release(first), await holds().release(second)];
    const next = await holds().hold(object, 'third', until(90));

    expect(ends).toEqual(['held', 'last']);
    expect([first.generation, second.generation, next.generation]).toEqual([0, 0, 1]);
    expect(keptKeyOf(object, next.generation, 90)).not.toBe(keptKeyOf(object, 0, 90));
  });

  it('come to the same when a job is done again after a death', async () => {
    const object = anObject();
    const hold = await holds().hold(object, 'one', until(7));
    await holds().count(hold, 1_000, until(7));

    const again = await holds().hold(object, 'one', until(7));
    await holds().count(again, 1_000, until(7));
    const kept = await files().keptBytes(object.tenantId);
    const ends = [await holds().release(hold), await holds().release(hold)];

    expect(again).toEqual(hold);
    expect(kept).toEqual({ files: 1, bytes: 1_000 });
    expect(ends).toEqual(['last', 'last']);
    expect(await files().keptBytes(object.tenantId)).toEqual({ files: 0, bytes: 0 });
  });

  it('count an object once, however many they are, until the day on which the last of them ends', async () => {
    const object = anObject();
    const one = await holds().hold(object, 'one', until(7));
    await holds().count(one, 500, until(7));
    const other = await holds().hold(object, 'other', until(30));
    await holds().count(other, 500, until(30));
    const sum = (days: number) => files(until(days)).keptBytes(object.tenantId);

    expect([await sum(0), await sum(29), await sum(32)]).toEqual([
      { files: 1, bytes: 500 },
      { files: 1, bytes: 500 },
      { files: 0, bytes: 0 },
    ]);
  });

  it('hold it no longer than they are kept themselves', async () => {
    const object = anObject();
    await holds().hold(object, 'over', Date.now() - 1_000);
    const hold = await holds().hold(object, 'here', until(1));

    expect(await holds().release(hold)).toBe('last');
  });

  /**
   * Each of them holds an object, stores it and looks at it again; then it lets go, and removes it if nobody else has it. All do so at once, with pauses
   * wherever chance puts them.
   */
  it('never lose an object that one of them has, whatever comes at the same moment', async () => {
    const object = anObject();
    const bucket = new Set<string>();
    const lost: string[] = [];
    const pause = () => clock.sleep(systemRandom.unit() * 8);
    const live = async (name: string): Promise<void> => {
      const store = holds();
      for (let round = 0; round < 6; round += 1) {
        const hold: Hold = await store.hold(object, `${name}.${round}`, until(1));
        const key = keptKeyOf(object, hold.generation, 1);
        await pause();
        bucket.add(key);
        await store.count(hold, 100, until(1));
        await pause();
        if (!bucket.has(key)) lost.push(`${name}.${round} under ${key}`);
        if ((await store.release(hold)) === 'held') continue;
        await pause();
        bucket.delete(key);
      }
    };

    await Promise.all(['a', 'b', 'c', 'd', 'e'].map(live));

    expect(lost).toEqual([]);
    expect([...bucket]).toEqual([]);
    expect(await files().keptBytes(object.tenantId)).toEqual({ files: 0, bytes: 0 });
  });
});
