import { PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toCursor } from '../../../shared/event/eventCursor.ts';
import { judgeGap } from '../../../shared/event/eventGaps.ts';
import { GAP_FORGOTTEN_MS, GAP_PATIENCE_MS, type EventPlaces } from '../../../shared/event/eventLog.ts';
import {
  findEvent,
  findPage,
  placesOf,
  takePlacesFor,
  toEvent,
  voidPlaces,
  writePage,
} from '../../../shared/event/eventPages.ts';
import { readEvents } from '../../../shared/event/readEvents.ts';
import type { ConnectionId, TenantId } from '../../../shared/kernel/id.ts';
import { eventCounterKey } from '../../../shared/platform/keys.ts';
import { newIds, startEventStores, type EventStores } from './eventStores.ts';
import { aStatusDraft, eventIdOf, logEvents } from './loggedEvents.ts';

const CONNECTION = 'con_1' as ConnectionId;
const LANE = { generation: 0, lane: 0 } as const;

describe('the event log', () => {
  let stores: EventStores;
  beforeAll(async () => {
    stores = await startEventStores();
  });
  afterAll(() => stores.stop());

  const aDraft = (tenantId: TenantId, correlationId: string) => aStatusDraft(tenantId, { correlationId });
  const take = (tenantId: TenantId) => takePlacesFor(stores, tenantId, CONNECTION, 1);
  const fill = (tenantId: TenantId, places: EventPlaces, name: string) =>
    writePage(stores, tenantId, places, [toEvent(places, 0, aDraft(tenantId, name))]);
  const append = async (tenantId: TenantId, ...names: readonly [string, ...string[]]): Promise<void> => {
    const [first, ...others] = names;
    await logEvents(stores, [aDraft(tenantId, first), ...others.map((name) => aDraft(tenantId, name))]);
  };
  const startAt = async (tenantId: TenantId, last: number): Promise<void> => {
    const Item = { ...eventCounterKey(tenantId, LANE), last, eventCount: last, takenAtMs: stores.clock.nowMs() };
    await stores.table.send(new PutCommand({ TableName: 'test-core', Item }));
  };
  const read = async (tenantId: TenantId, after?: string, limit = 100) => {
    const page = await readEvents(stores, tenantId, after, limit);
    const { next, hasMore } = page;
    return { names: page.events.map((event) => event.correlationId), next, hasMore };
  };
  /** The cursor of a reader that has read so many pages, and so many events of the next. */
  const cursorAt = (tenantId: TenantId, page: number, taken = 0): string =>
    toCursor(tenantId, { generation: 0, turn: 0, lanes: [{ page, taken }] });

  it('is empty for a tenant to whom nothing has happened', async () => {
    const { tenantId } = newIds();

    const page = await read(tenantId);

    expect(page).toEqual({ names: [], next: cursorAt(tenantId, 0), hasMore: false });
  });

  it('gives events in pages, in order, each under the id of its place', async () => {
    const { tenantId } = newIds();
    for (const name of ['a', 'b', 'c']) await append(tenantId, name);

    const first = await read(tenantId, undefined, 2);
    const second = await read(tenantId, first.next, 2);
    const third = await read(tenantId, second.next, 2);

    expect(first).toEqual({ names: ['a', 'b'], next: cursorAt(tenantId, 2), hasMore: true });
    expect(second).toEqual({ names: ['c'], next: cursorAt(tenantId, 3), hasMore: false });
    expect(third).toEqual({ names: [], next: cursorAt(tenantId, 3), hasMore: false });
  });

  it("does not show another tenant's events", async () => {
    const [mine, other] = [newIds().tenantId, newIds().tenantId];
    await append(mine, 'mine');
    await append(other, 'other');

    expect((await read(mine)).names).toEqual(['mine']);
    expect((await findEvent(stores, other, eventIdOf(1)))?.correlationId).toBe('other');
  });

  it('waits before a number that is taken and not filled, and gives it when it comes late', async () => {
    const { tenantId } = newIds();
    await append(tenantId, 'a');
    const late = await take(tenantId);
    await append(tenantId, 'c');

    const before = await read(tenantId);
    await fill(tenantId, late, 'b');
    const after = await read(tenantId, before.next);

    expect(before).toEqual({ names: ['a'], next: cursorAt(tenantId, 1), hasMore: false });
    expect(after.names).toEqual(['b', 'c']);
  });

  it('settles a number that was never filled after a minute, and its late writer cannot use it', async () => {
    const { tenantId } = newIds();
    const dead = await take(tenantId);
    await append(tenantId, 'b');
    stores.clock.advance(GAP_PATIENCE_MS + 1);

    const page = await read(tenantId);
    const late = await fill(tenantId, dead, 'a');

    expect(page).toEqual({ names: ['b'], next: cursorAt(tenantId, 2), hasMore: false });
    expect(late).toBe('occupied');
    expect((await read(tenantId)).names).toEqual(['b']);
  });

  it('knows the age of a gap also when the event behind it is new', async () => {
    const { tenantId } = newIds();
    await take(tenantId);
    stores.clock.advance(GAP_PATIENCE_MS + 1);
    await append(tenantId, 'b');

    expect((await read(tenantId)).names).toEqual(['b']);
  });

  it('settles at most a hundred numbers in one read, and goes on in the next', async () => {
    const { tenantId } = newIds();
    await append(tenantId, 'first');
    await startAt(tenantId, 250);
    stores.clock.advance(GAP_PATIENCE_MS + 1);
    await append(tenantId, 'last');

    const first = await read(tenantId);
    const second = await read(tenantId, first.next);
    const third = await read(tenantId, second.next);

    expect(first).toEqual({ names: ['first'], next: cursorAt(tenantId, 101), hasMore: true });
    expect(second).toEqual({ names: [], next: cursorAt(tenantId, 201), hasMore: true });
    expect(third).toEqual({ names: ['last'], next: cursorAt(tenantId, 251), hasMore: false });
  });

  it('reads over the end of a partition', async () => {
    const { tenantId } = newIds();
    await startAt(tenantId, 9_997);
    stores.clock.advance(GAP_FORGOTTEN_MS + 1);
    for (const name of ['a', 'b', 'c', 'd']) await append(tenantId, name);

    expect((await read(tenantId, cursorAt(tenantId, 9_997), 3)).names).toEqual(['a', 'b', 'c']);
    expect((await read(tenantId, cursorAt(tenantId, 9_999))).names).toEqual(['c', 'd']);
  });

  it('enters a log with millions of expired events in a few queries, and voids none of them', async () => {
    const { tenantId } = newIds();
    await startAt(tenantId, 5_000_000);
    stores.clock.advance(GAP_FORGOTTEN_MS + 1);
    await append(tenantId, 'a');
    let [queries, writes] = [0, 0];
    const table = Object.assign(Object.create(stores.table) as typeof stores.table, {
      send: (command: Parameters<typeof stores.table.send>[0]) => {
        if (command instanceof QueryCommand) queries++;
        if (command instanceof PutCommand || command instanceof UpdateCommand) writes++;
        return stores.table.send(command);
      },
    });

    const page = await readEvents({ ...stores, table }, tenantId, undefined, 10);

    expect(page.events.map((event) => event.correlationId)).toEqual(['a']);
    expect(queries).toBeLessThan(15);
    expect(writes).toBe(0);
  });

  it('does not show events that have expired and are not deleted yet', async () => {
    const { tenantId } = newIds();
    await append(tenantId, 'old');
    stores.clock.advance(30 * 86_400_000 + 1_000);
    await append(tenantId, 'new');

    expect((await read(tenantId)).names).toEqual(['new']);
    expect(await findEvent(stores, tenantId, eventIdOf(1))).toBeUndefined();
  });

  it('refuses a place that it has not come to, and takes the last one', async () => {
    const { tenantId } = newIds();
    await append(tenantId, 'a');

    await expect(read(tenantId, cursorAt(tenantId, 2))).rejects.toMatchObject({ code: 'invalid_cursor' });
    expect(await read(tenantId, cursorAt(tenantId, 1))).toEqual({
      names: [],
      next: cursorAt(tenantId, 1),
      hasMore: false,
    });
  });

  it('ends a page that would be too large, and says that there is more', async () => {
    const { tenantId } = newIds();
    const long = 'x'.repeat(200_000);
    for (let index = 0; index < 12; index += 1) await append(tenantId, `${index}${long}`);

    const sizes: number[] = [];
    let after: string | undefined;
    for (;;) {
      const page = await readEvents(stores, tenantId, after, 100);
      sizes.push(page.events.length);
      after = page.next;
      if (!page.hasMore) break;
    }

    expect(sizes).toEqual([4, 4, 4]);
  });

  it('gives all events of a page, also when a read ends within it', async () => {
    const { tenantId } = newIds();
    await append(tenantId, 'a', 'b', 'c', 'd', 'e');
    await append(tenantId, 'f');

    const first = await read(tenantId, undefined, 2);
    const second = await read(tenantId, first.next, 2);
    const third = await read(tenantId, second.next, 2);

    expect(first).toEqual({ names: ['a', 'b'], next: cursorAt(tenantId, 0, 2), hasMore: true });
    expect(second).toEqual({ names: ['c', 'd'], next: cursorAt(tenantId, 0, 4), hasMore: true });
    expect(third).toEqual({ names: ['e', 'f'], next: cursorAt(tenantId, 2), hasMore: false });
  });

  it('finds each event of a page by its id, and says whether the page is there', async () => {
    const { tenantId } = newIds();
    await append(tenantId, 'a', 'b');
    const dead = await take(tenantId);
    await take(tenantId);
    await voidPlaces(stores, tenantId, dead);

    const found = await Promise.all([0, 1, 2].map((index) => findEvent(stores, tenantId, eventIdOf(1, index))));
    const pages = await Promise.all([1, 2, 3].map((page) => findPage(stores, tenantId, eventIdOf(page))));

    expect(found.map((event) => event?.correlationId)).toEqual(['a', 'b', undefined]);
    expect(pages).toEqual(['page', 'void', 'missing']);
  });

  it('knows a page again that it has written without hearing so', async () => {
    const { tenantId } = newIds();
    const places = await take(tenantId);

    expect(await fill(tenantId, places, 'a')).toBe('written');
    expect(await fill(tenantId, places, 'a')).toBe('written');
    expect(await fill(tenantId, places, 'b')).toBe('occupied');
    expect((await read(tenantId)).names).toEqual(['a']);
  });

  it('gives up a page of which only an id is known', async () => {
    const { tenantId } = newIds();
    await take(tenantId);
    const places = placesOf(eventIdOf(1), stores.clock.nowMs());
    await voidPlaces(stores, tenantId, places as EventPlaces);
    await append(tenantId, 'b');

    expect(await read(tenantId)).toEqual({ names: ['b'], next: cursorAt(tenantId, 2), hasMore: false });
  });

  it('costs one read when there is nothing new', async () => {
    const { tenantId } = newIds();
    await append(tenantId, 'a');
    const { next } = await read(tenantId);
    const commands: unknown[] = [];
    const table = Object.assign(Object.create(stores.table) as typeof stores.table, {
      send: (command: Parameters<typeof stores.table.send>[0]) => {
        commands.push(command);
        return stores.table.send(command);
      },
    });

    await readEvents({ ...stores, table }, tenantId, next, 10);

    expect(commands.map((command) => (command as object).constructor.name)).toEqual(['BatchGetCommand']);
  });

  it('does not void a place that is filled', async () => {
    const { tenantId } = newIds();
    const places = await take(tenantId);
    await fill(tenantId, places, 'a');

    expect(await voidPlaces(stores, tenantId, places)).toBe('filled');
    expect((await read(tenantId)).names).toEqual(['a']);
  });

  it.each([
    { missing: 'none', page: 8, ageMs: 0, rule: 'none' },
    { missing: 'one, young', page: 9, ageMs: GAP_PATIENCE_MS, rule: 'wait' },
    { missing: 'one, a minute old', page: 9, ageMs: GAP_PATIENCE_MS + 1, rule: 'settle' },
    { missing: 'one, a day old', page: 9, ageMs: GAP_FORGOTTEN_MS, rule: 'settle' },
    { missing: 'many, older than a day', page: 5_000, ageMs: GAP_FORGOTTEN_MS + 1, rule: 'forget' },
  ])('judges a gap ($missing): $rule', ({ page, ageMs, rule }) => {
    expect(judgeGap(7, { page, previousTakenAtMs: 1_000_000 }, 1_000_000 + ageMs)).toBe(rule);
  });
});
