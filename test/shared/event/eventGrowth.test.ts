import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUSY_EVENTS_PER_SECOND, BUSY_FOR_MS, grow, lookAt } from '../../../shared/event/eventGrowth.ts';
import { laneOf, lanesIn, readDirectory } from '../../../shared/event/eventLanes.ts';
import { GAP_PATIENCE_MS } from '../../../shared/event/eventLog.ts';
import { takePlaces, takePlacesFor, toEvent, writePage } from '../../../shared/event/eventPages.ts';
import { readEvents } from '../../../shared/event/readEvents.ts';
import { parseEventId, type ConnectionId, type TenantId } from '../../../shared/kernel/id.ts';
import { eventDirectoryKey } from '../../../shared/platform/keys.ts';
import { newIds, startEventStores, type EventStores } from './eventStores.ts';
import { aStatusDraft, logEvent } from './loggedEvents.ts';

describe('the growth of an event log', () => {
  let stores: EventStores;
  beforeAll(async () => {
    stores = await startEventStores();
  });
  afterAll(() => stores.stop());

  /** The stores as another process sees them, which knows no directory yet. */
  const anotherProcess = (refuse: (command: unknown) => boolean = () => false) => {
    const send = (command: Parameters<typeof stores.table.send>[0]) => {
      if (refuse(command)) throw Object.assign(new Error('too much'), { name: 'ThrottlingException' });
      return stores.table.send(command);
    };
    return { ...stores, table: Object.assign(Object.create(stores.table) as typeof stores.table, { send }) };
  };
  const connection = (number: number) => `con_${number}` as ConnectionId;
  const tell = (tenantId: TenantId, number: number, name: string, process = stores) =>
    logEvent(process, aStatusDraft(tenantId, { connectionId: connection(number), correlationId: name }));
  const readAll = async (tenantId: TenantId, from?: string, limit = 100) => {
    const names: string[] = [];
    let after = from;
    for (;;) {
      const page = await readEvents(stores, tenantId, after, limit);
      names.push(...page.events.map(({ correlationId }) => correlationId));
      after = page.next;
      if (!page.hasMore) return { names, next: after };
    }
  };

  it('keeps the order of each connection, its ids in order, and the place of a reader', async () => {
    const { tenantId } = newIds();
    const ids: string[] = [];
    let from: string | undefined;
    const seen: string[] = [];
    for (const generation of [0, 1, 2]) {
      for (const step of ['a', 'b']) {
        for (const number of [1, 2, 3, 4]) {
          const id = await tell(tenantId, number, `${number}-${generation}${step}`);
          if (number === 1) ids.push(id);
        }
        const read = await readAll(tenantId, from, 3);
        seen.push(...read.names);
        from = read.next;
      }
      await grow(stores, tenantId, generation);
    }

    const expected = ['0a', '0b', '1a', '1b', '2a', '2b'];
    const again = await readAll(tenantId);
    for (const number of [1, 2, 3, 4]) {
      const own = expected.map((step) => `${number}-${step}`);
      expect(seen.filter((name) => name.startsWith(`${number}-`))).toEqual(own);
      expect(again.names.filter((name) => name.startsWith(`${number}-`))).toEqual(own);
    }
    expect(seen).toHaveLength(24);
    expect(ids).toEqual(ids.toSorted());
  });

  it('refuses places in a sealed lane to a process with an old directory, which then goes on in the new generation', async () => {
    const { tenantId } = newIds();
    const other = anotherProcess();
    await tell(tenantId, 1, 'a', other);
    const old = await laneOf(other, tenantId, connection(1));

    await grow(stores, tenantId, 0);

    expect(await takePlaces(other, tenantId, old, 1)).toBe('sealed');
    expect(parseEventId(await tell(tenantId, 1, 'b', other))?.generation).toBe(1);
  });

  it.each([
    { death: 'before it says what is to follow', dies: (command: unknown) => command instanceof UpdateCommand },
    {
      death: 'before the seals',
      dies: (command: unknown) =>
        command instanceof UpdateCommand && String(command.input.Key?.['pk']).startsWith('EVENTS'),
    },
    {
      death: 'after one of two seals',
      dies: (command: unknown) => command instanceof UpdateCommand && String(command.input.Key?.['pk']).endsWith('-01'),
    },
    {
      death: 'before the directory is changed',
      dies: (command: unknown) =>
        command instanceof UpdateCommand && String(command.input.UpdateExpression).includes('past'),
    },
  ])('is taken up by anybody after a death $death', async ({ dies }) => {
    const { tenantId } = newIds();
    await grow(stores, tenantId, 0);
    for (const number of [1, 2, 3]) await tell(tenantId, number, `${number}-a`);

    await expect(grow(anotherProcess(dies), tenantId, 1)).rejects.toThrow('too much');
    for (const number of [1, 2, 3]) await tell(tenantId, number, `${number}-b`, anotherProcess());
    await grow(anotherProcess(), tenantId, 1);
    for (const number of [1, 2, 3]) await tell(tenantId, number, `${number}-c`, anotherProcess());

    expect(await readDirectory(stores, tenantId)).toMatchObject({ generation: 2, growsTo: undefined });
    const { names } = await readAll(tenantId);
    for (const number of [1, 2, 3]) {
      const own = names.filter((name) => name.startsWith(`${number}-`));
      expect(own).toEqual(['a', 'b', 'c'].map((step) => `${number}-${step}`));
    }
  });

  it('may be done by many at once', async () => {
    const { tenantId } = newIds();
    await tell(tenantId, 1, 'a');

    await Promise.all(Array.from({ length: 8 }, () => grow(anotherProcess(), tenantId, 0)));
    await grow(stores, tenantId, 0);

    const { generation, past } = await readDirectory(stores, tenantId);
    expect([generation, past.map((one) => one.generation)]).toEqual([1, [0]]);
  });

  it('ends at 64 lanes', async () => {
    const { tenantId } = newIds();
    for (let generation = 0; generation < 8; generation += 1) await grow(stores, tenantId, generation);

    expect(lanesIn((await readDirectory(stores, tenantId)).generation)).toBe(64);
  });

  it('lets a reader wait before a number that was taken in a sealed lane, and settles it in its time', async () => {
    const { tenantId } = newIds();
    await tell(tenantId, 1, 'a');
    const slow = await takePlacesFor(stores, tenantId, connection(1), 1);
    const dead = await takePlacesFor(stores, tenantId, connection(1), 1);
    await grow(stores, tenantId, 0);
    await tell(tenantId, 1, 'c');

    const before = await readAll(tenantId);
    await writePage(stores, tenantId, slow, [toEvent(slow, 0, aStatusDraft(tenantId, { correlationId: 'b' }))]);
    const between = await readAll(tenantId, before.next);
    stores.clock.advance(GAP_PATIENCE_MS + 1);
    const after = await readAll(tenantId, between.next);

    expect([before.names, between.names, after.names]).toEqual([['a'], ['b'], ['c']]);
    const late = await writePage(stores, tenantId, dead, [toEvent(dead, 0, aStatusDraft(tenantId))]);
    expect(late).toBe('occupied');
  });

  it('costs a reader with nothing new one read, whatever the number of lanes', async () => {
    const { tenantId } = newIds();
    for (const generation of [0, 1, 2]) await grow(stores, tenantId, generation);
    for (const number of [1, 2, 3, 4, 5]) await tell(tenantId, number, 'a');
    const { next } = await readAll(tenantId);
    const commands: string[] = [];
    const process = anotherProcess((command) => {
      commands.push((command as object).constructor.name);
      return false;
    });

    const page = await readEvents(process, tenantId, next, 100);

    expect(page).toEqual({ events: [], next, hasMore: false });
    expect(commands).toEqual(['BatchGetCommand']);
  });

  it('lets each lane have its turn, also when the first has more than a page', async () => {
    const { tenantId } = newIds();
    for (const generation of [0, 1]) await grow(stores, tenantId, generation);
    const lanes = new Map<number, number>();
    for (let number = 0; lanes.size < 4; number += 1) {
      lanes.set((await laneOf(stores, tenantId, connection(number))).lane, number);
    }
    for (const number of lanes.values())
      for (const step of [1, 2, 3]) await tell(tenantId, number, `${number}-${step}`);

    const told = new Set<string>();
    let after: string | undefined;
    for (let page = 0; page < 4; page += 1) {
      const read = await readEvents(stores, tenantId, after, 1);
      for (const { connectionId } of read.events) told.add(connectionId);
      after = read.next;
    }

    expect(told.size).toBe(4);
  });

  it('begins by itself when a lane has been too busy for ten seconds', async () => {
    const { tenantId } = newIds();
    const lane = { generation: 0, lane: 0 };
    const process = anotherProcess();
    const generationAfter = async (events: number): Promise<number> => {
      for (let left = events; left > 0; left -= 1_000) await takePlaces(process, tenantId, lane, Math.min(left, 1_000));
      return (await readDirectory(stores, tenantId)).generation;
    };
    await generationAfter(1);

    stores.clock.advance(BUSY_FOR_MS);
    const calm = await generationAfter((BUSY_EVENTS_PER_SECOND * BUSY_FOR_MS) / 1_000 - 100);
    stores.clock.advance(BUSY_FOR_MS);
    await generationAfter(1);
    stores.clock.advance(BUSY_FOR_MS / 2);
    const young = await generationAfter(2 * BUSY_EVENTS_PER_SECOND * 10);
    stores.clock.advance(BUSY_FOR_MS / 2);
    const busy = await generationAfter(1);

    expect([calm, young, busy]).toEqual([0, 0, 1]);
  });

  it.each([
    { load: 'is busy', events: 200, generation: 1 },
    { load: 'is idle, so that the whole table must be', events: 5, generation: 0 },
  ])('begins by itself when the table throttles a lane that $load', async ({ events, generation }) => {
    const { tenantId } = newIds();
    const lane = { generation: 0, lane: 0 };
    let throttles = false;
    const process = anotherProcess(
      (command) =>
        throttles &&
        command instanceof UpdateCommand &&
        String(command.input.Key?.['sk']) === 'COUNTER' &&
        String(command.input.UpdateExpression).includes('ADD'),
    );
    await takePlaces(process, tenantId, lane, 1);
    stores.clock.advance(BUSY_FOR_MS);
    await takePlaces(process, tenantId, lane, events);
    throttles = true;

    await expect(takePlaces(process, tenantId, lane, 1)).rejects.toThrow('too much');

    expect((await readDirectory(stores, tenantId)).generation).toBe(generation);
  });

  it('does not fail the write in hand when it fails itself', async () => {
    const { tenantId } = newIds();
    const process = anotherProcess(
      (command) => command instanceof UpdateCommand && command.input.Key?.['sk'] === eventDirectoryKey(tenantId).sk,
    );
    await takePlaces(process, tenantId, { generation: 0, lane: 0 }, 1);
    stores.clock.advance(BUSY_FOR_MS);
    for (let left = 0; left < 4; left += 1) {
      expect(await takePlaces(process, tenantId, { generation: 0, lane: 0 }, 1_000)).toMatchObject({ first: left + 2 });
    }

    expect((await readDirectory(stores, tenantId)).generation).toBe(0);
  });

  it.each([
    { before: undefined, elapsedMs: 0, events: 50, perSecond: undefined, kept: 'new' },
    { before: 100, elapsedMs: BUSY_FOR_MS - 1, events: 90_000, perSecond: undefined, kept: 'old' },
    { before: 100, elapsedMs: BUSY_FOR_MS, events: 3_100, perSecond: 300, kept: 'new' },
    { before: 100, elapsedMs: 3_600_000, events: 3_700, perSecond: 1, kept: 'new' },
  ])('judges $events events, $elapsedMs ms after $before: $perSecond a second', (row) => {
    const before = row.before === undefined ? undefined : { atMs: 5_000, eventCount: row.before, perSecond: undefined };

    const look = lookAt(before, 5_000 + row.elapsedMs, row.events);

    expect(look.perSecond).toBe(row.perSecond);
    expect(look === before).toBe(row.kept === 'old');
  });
});
