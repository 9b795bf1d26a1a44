import { PutCommand, QueryCommand, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventDraft } from '../../../shared/event/event.ts';
import {
  eventWrite,
  findEvent,
  GAP_FORGOTTEN_MS,
  GAP_PATIENCE_MS,
  judgeGap,
  readEvents,
  takePlace,
  toEvent,
  voidPlace,
  type EventPlace,
} from '../../../shared/event/eventLog.ts';
import { makeEventId, type EventId, type TenantId } from '../../../shared/kernel/id.ts';
import { eventSequenceKey } from '../../../shared/platform/keys.ts';
import { newIds, startEventStores, type EventStores } from './eventStores.ts';

describe('the event log', () => {
  let stores: EventStores;
  beforeAll(async () => {
    stores = await startEventStores();
  });
  afterAll(() => stores.stop());

  const aDraft = (tenantId: TenantId, name: string): EventDraft => ({
    version: 1,
    type: 'connection.status',
    tenantId,
    connectionId: 'con_1',
    correlationId: name,
    occurredAt: '2026-08-01T12:00:00.000Z',
    data: { status: 'online', code: 'open', sentence: 'Connected.', userAction: 'none', since: '2026-08-01T12:00:00Z' },
  });
  const fill = async (tenantId: TenantId, place: EventPlace, name: string): Promise<void> => {
    const event = toEvent(place, aDraft(tenantId, name));
    await stores.table.send(new TransactWriteCommand({ TransactItems: [eventWrite(stores, place, event)] }));
  };
  const append = async (tenantId: TenantId, name: string): Promise<void> =>
    fill(tenantId, await takePlace(stores, tenantId), name);
  const startAt = async (tenantId: TenantId, last: number): Promise<void> => {
    const Item = { ...eventSequenceKey(tenantId), last, takenAtMs: stores.clock.nowMs() };
    await stores.table.send(new PutCommand({ TableName: 'test-core', Item }));
  };
  const read = async (tenantId: TenantId, after?: EventId, limit = 100) => {
    const page = await readEvents(stores, tenantId, after, limit);
    const { next, hasMore } = page;
    return { names: page.events.map((event) => event.correlationId), next, hasMore };
  };

  it('is empty for a tenant to whom nothing has happened', async () => {
    const { tenantId } = newIds();

    const page = await read(tenantId);

    expect(page).toEqual({ names: [], next: makeEventId(0), hasMore: false });
  });

  it('gives events in pages, in order, each under the id of its place', async () => {
    const { tenantId } = newIds();
    for (const name of ['a', 'b', 'c']) await append(tenantId, name);

    const first = await read(tenantId, undefined, 2);
    const second = await read(tenantId, first.next, 2);
    const third = await read(tenantId, second.next, 2);

    expect(first).toEqual({ names: ['a', 'b'], next: makeEventId(2), hasMore: true });
    expect(second).toEqual({ names: ['c'], next: makeEventId(3), hasMore: false });
    expect(third).toEqual({ names: [], next: makeEventId(3), hasMore: false });
  });

  it("does not show another tenant's events", async () => {
    const [mine, other] = [newIds().tenantId, newIds().tenantId];
    await append(mine, 'mine');
    await append(other, 'other');

    expect((await read(mine)).names).toEqual(['mine']);
    expect((await findEvent(stores, other, makeEventId(1)))?.correlationId).toBe('other');
  });

  it('waits before a number that is taken and not filled, and gives it when it comes late', async () => {
    const { tenantId } = newIds();
    await append(tenantId, 'a');
    const late = await takePlace(stores, tenantId);
    await append(tenantId, 'c');

    const before = await read(tenantId);
    await fill(tenantId, late, 'b');
    const after = await read(tenantId, before.next);

    expect(before).toEqual({ names: ['a'], next: makeEventId(1), hasMore: false });
    expect(after.names).toEqual(['b', 'c']);
  });

  it('settles a number that was never filled after a minute, and its late writer cannot use it', async () => {
    const { tenantId } = newIds();
    const dead = await takePlace(stores, tenantId);
    await append(tenantId, 'b');
    stores.clock.advance(GAP_PATIENCE_MS + 1);

    const page = await read(tenantId);
    const late = fill(tenantId, dead, 'a');

    expect(page).toEqual({ names: ['b'], next: makeEventId(2), hasMore: false });
    await expect(late).rejects.toThrow('ConditionalCheckFailed');
    expect((await read(tenantId)).names).toEqual(['b']);
  });

  it('knows the age of a gap also when the event behind it is new', async () => {
    const { tenantId } = newIds();
    await takePlace(stores, tenantId);
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

    expect(first).toEqual({ names: ['first'], next: makeEventId(101), hasMore: true });
    expect(second).toEqual({ names: [], next: makeEventId(201), hasMore: true });
    expect(third).toEqual({ names: ['last'], next: makeEventId(251), hasMore: false });
  });

  it('reads over the end of a partition', async () => {
    const { tenantId } = newIds();
    await startAt(tenantId, 9_997);
    stores.clock.advance(GAP_FORGOTTEN_MS + 1);
    for (const name of ['a', 'b', 'c', 'd']) await append(tenantId, name);

    expect((await read(tenantId, makeEventId(9_997), 3)).names).toEqual(['a', 'b', 'c']);
    expect((await read(tenantId, makeEventId(9_999))).names).toEqual(['c', 'd']);
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
    expect(await findEvent(stores, tenantId, makeEventId(1))).toBeUndefined();
  });

  it('refuses a place that it has not come to, and takes the last one', async () => {
    const { tenantId } = newIds();
    await append(tenantId, 'a');

    await expect(read(tenantId, makeEventId(2))).rejects.toMatchObject({ code: 'invalid_cursor' });
    expect(await read(tenantId, makeEventId(1))).toEqual({ names: [], next: makeEventId(1), hasMore: false });
  });

  it('ends a page that would be too large, and says that there is more', async () => {
    const { tenantId } = newIds();
    const long = 'x'.repeat(200_000);
    for (let index = 0; index < 12; index += 1) await append(tenantId, `${index}${long}`);

    const sizes: number[] = [];
    let after: EventId | undefined;
    for (;;) {
      const page = await readEvents(stores, tenantId, after, 100);
      sizes.push(page.events.length);
      after = page.next;
      if (!page.hasMore) break;
    }

    expect(sizes).toEqual([4, 4, 4]);
  });

  it('does not void a place that is filled', async () => {
    const { tenantId } = newIds();
    const place = await takePlace(stores, tenantId);
    await fill(tenantId, place, 'a');

    expect(await voidPlace(stores, tenantId, place)).toBe('filled');
    expect((await read(tenantId)).names).toEqual(['a']);
  });

  it.each([
    { missing: 'none', sequence: 8, ageMs: 0, rule: 'none' },
    { missing: 'one, young', sequence: 9, ageMs: GAP_PATIENCE_MS, rule: 'wait' },
    { missing: 'one, a minute old', sequence: 9, ageMs: GAP_PATIENCE_MS + 1, rule: 'settle' },
    { missing: 'one, a day old', sequence: 9, ageMs: GAP_FORGOTTEN_MS, rule: 'settle' },
    { missing: 'many, older than a day', sequence: 5_000, ageMs: GAP_FORGOTTEN_MS + 1, rule: 'forget' },
  ])('judges a gap ($missing): $rule', ({ sequence, ageMs, rule }) => {
    expect(judgeGap(7, { sequence, previousTakenAtMs: 1_000_000 }, 1_000_000 + ageMs)).toBe(rule);
  });
});
