import { PutCommand } from '@aws-sdk/lib-dynamodb';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Feeds } from '../../../functions/stream/feeds.ts';
import { StreamReader } from '../../../functions/stream/streamReader.ts';
import { parseCursor, startOf, type ReaderPlace } from '../../../shared/event/eventCursor.ts';
import type { EventDraft } from '../../../shared/event/event.ts';
import { takePlaces, toEvent, writePage } from '../../../shared/event/eventPages.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { eventDirectoryKey } from '../../../shared/platform/keys.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { tableName } from '../../../shared/platform/tables.ts';
import { until } from '../../whatsapp/until.ts';
import { eventRoom, type EventStores } from '../../shared/event/eventStores.ts';

const DAY_MS = 86_400_000;
const LOOK_EVERY_MS = 5;

describe('the reader of a stream', () => {
  const room = eventRoom();

  const draftOf = (text: string): EventDraft =>
    ({
      version: 1,
      tenantId: room.ids.tenantId,
      connectionId: room.ids.connectionId,
      occurredAt: '2026-08-01T12:00:00.000Z',
      type: 'message.deleted_for_me',
      correlationId: 'cor',
      data: { text },
    }) as unknown as EventDraft;
  /** Writes a page of some events into a lane. */
  const write = async (stores: EventStores, lane: number, texts: readonly string[], generation = 0): Promise<void> => {
    const places = await takePlaces(stores, room.ids.tenantId, { generation, lane }, texts.length);
    if (places === 'sealed') throw new Error('the lane is open');
    await writePage(
      stores,
      room.ids.tenantId,
      places,
      texts.map((text, index) => toEvent(places, index, draftOf(text))),
    );
  };
  const feedsOf = (stores: EventStores) =>
    new Feeds({
      ...stores,
      clock: { ...systemClock, nowMs: stores.clock.nowMs },
      logger: silentLogger,
      lookEveryMs: LOOK_EVERY_MS,
    });
  const readerAt = (stores: EventStores, feeds: Feeds, from: ReaderPlace, isResumed = true) =>
    new StreamReader(stores, feeds, { tenantId: room.ids.tenantId, from, filters: [], isResumed });
  const textsIn = (frames: string) => [...frames.matchAll(/"data":\{"text":"(.*?)"\}/g)].map(([, text]) => text ?? '');
  const idsIn = (frames: string) => [...frames.matchAll(/^id: (.*)$/gm)].map(([, id]) => id ?? '');

  it('says that events are gone where they have expired behind its place, once, and goes on with the rest', async () => {
    const { stores } = room;
    await write(stores, 0, ['old']);
    await write(stores, 0, ['older than a month']);
    stores.clock.advance(31 * DAY_MS);
    await write(stores, 0, ['new']);
    const feeds = feedsOf(stores);
    const behindTheFirst = { generation: 0, turn: 0, lanes: [{ page: 1, taken: 0 }] };
    const resumed = readerAt(stores, feeds, behindTheFirst);
    const { text } = await resumed.next();
    const again = await resumed.next();
    const fresh = readerAt(stores, feeds, startOf(0), false);
    const whole = await fresh.next();
    resumed.end();
    fresh.end();

    expect([text.match(/event: reset/g)?.length, textsIn(text)]).toEqual([1, ['new']]);
    expect(again.text).toBe('');
    expect([whole.text.includes('reset'), textsIn(whole.text)]).toEqual([false, ['new']]);
  });

  it('says nothing of the kind where all that it lacks is kept', async () => {
    const { stores } = room;
    await write(stores, 0, ['a', 'b']);
    stores.clock.advance(29 * DAY_MS);
    await write(stores, 0, ['c']);
    const feeds = feedsOf(stores);
    const reader = readerAt(stores, feeds, { generation: 0, turn: 0, lanes: [{ page: 0, taken: 1 }] });
    const { text } = await reader.next();
    reader.end();

    expect([text.includes('reset'), textsIn(text)]).toEqual([false, ['b', 'c']]);
  });

  /** The same stores, whose calls are counted. */
  const counting = (stores: EventStores) => {
    const calls: string[] = [];
    const send = (command: Parameters<typeof stores.table.send>[0]) => {
      calls.push(command.constructor.name);
      return stores.table.send(command);
    };
    return {
      calls,
      stores: { ...stores, table: Object.assign(Object.create(stores.table) as typeof stores.table, { send }) },
    };
  };

  it('asks nothing of the log where the feed of another stream has all that it lacks', async () => {
    const { stores } = room;
    await write(stores, 0, ['a', 'b']);
    const feeds = feedsOf(stores);
    const other = readerAt(stores, feeds, startOf(0));
    const { text } = await other.next();
    await other.next();
    await write(stores, 0, ['c']);
    await until('the feed has it', () => other.hasNews, Boolean);
    const counted = counting(stores);
    const resumed = readerAt(counted.stores, feeds, parseCursor(room.ids.tenantId, idsIn(text).at(-1) ?? ''));
    const next = await resumed.next();
    resumed.end();
    other.end();

    expect(textsIn(next.text)).toEqual(['c']);
    expect(counted.calls).toEqual([]);
  });

  it('asks the log where its place is further on than the feed, as that of a client from another process may be', async () => {
    const { stores } = room;
    await write(stores, 0, ['a']);
    let hasLooked = false;
    const still = new Feeds({
      ...stores,
      clock: {
        ...systemClock,
        sleep: (_durationMs, stop) => {
          hasLooked = true;
          return new Promise((resolve) => stop?.addEventListener('abort', resolve));
        },
      },
      logger: silentLogger,
      lookEveryMs: LOOK_EVERY_MS,
    });
    const other = readerAt(stores, still, startOf(0));
    await other.next();
    await until('the feed has looked', () => hasLooked, Boolean);
    await write(stores, 0, ['b']);
    const ahead = { generation: 0, turn: 0, lanes: [{ page: 2, taken: 0 }] };
    const beyond = { generation: 0, turn: 0, lanes: [{ page: 9, taken: 0 }] };
    const counted = counting(stores);
    const resumed = readerAt(counted.stores, still, ahead);
    await write(stores, 0, ['c']);
    const { text } = await resumed.next();
    const lost = readerAt(stores, still, beyond);

    await expect(lost.next()).rejects.toMatchObject({ code: 'invalid_cursor' });
    expect(textsIn(text)).toEqual(['c']);
    expect(counted.calls).not.toEqual([]);
    for (const reader of [other, resumed, lost]) reader.end();
  });

  it('reads the log once with all that come together, where they are at its end', async () => {
    const { stores } = room;
    await write(stores, 0, ['a']);
    const atTheEnd = { generation: 0, turn: 0, lanes: [{ page: 1, taken: 0 }] };
    const counted = counting(stores);
    const feeds = feedsOf(stores);
    const readers = Array.from({ length: 20 }, () => readerAt(counted.stores, feeds, atTheEnd));
    await Promise.all(readers.map((reader) => reader.next()));
    await Promise.all(readers.map((reader) => reader.next()));
    const asked = counted.calls.length;
    await write(stores, 0, ['b']);
    for (const reader of readers) {
      await until('it has it', () => reader.hasNews, Boolean);
      expect(textsIn((await reader.next()).text)).toEqual(['b']);
      reader.end();
    }

    expect(asked).toBe(1);
  });

  it('tells each event of all lanes once, wherever it is cut off and by whichever feed it is told', async () => {
    const { stores } = room;
    const generation = 2;
    const step = fc.oneof(
      fc.record({
        act: fc.constant('write' as const),
        lane: fc.nat({ max: 3 }),
        count: fc.integer({ min: 1, max: 4 }),
      }),
      fc.record({ act: fc.constant('read' as const), reader: fc.nat({ max: 2 }) }),
      fc.record({ act: fc.constant('cut' as const), reader: fc.nat({ max: 2 }), keeps: fc.nat({ max: 8 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
        room.renewIds();
        const { tenantId } = room.ids;
        await stores.table.send(
          new PutCommand({
            TableName: tableName('test', 'core'),
            Item: { ...eventDirectoryKey(tenantId), generation },
          }),
        );
        let written = 0;
        const feeds = feedsOf(stores);
        const readers = Array.from({ length: 3 }, () => ({
          reader: readerAt(stores, feeds, startOf(generation)),
          told: [] as string[],
          cursor: undefined as string | undefined,
        }));
        const read = async (of: (typeof readers)[number], keeps = Infinity): Promise<boolean> => {
          const { text, hasMore } = await of.reader.next();
          const [texts, ids] = [textsIn(text), idsIn(text)];
          of.told.push(...texts.slice(0, keeps));
          of.cursor = ids[Math.min(keeps, ids.length) - 1] ?? of.cursor;
          return hasMore || texts.length > 0;
        };
        const reopen = (of: (typeof readers)[number]): void => {
          of.reader.end();
          const from = of.cursor === undefined ? startOf(generation) : parseCursor(tenantId, of.cursor);
          of.reader = readerAt(stores, feeds, from);
        };
        for (const one of steps) {
          const of = readers['reader' in one ? one.reader : 0];
          if (one.act === 'write') {
            const texts = Array.from({ length: one.count }, (_, index) => `${one.lane}-${written + index}`);
            written += one.count;
            await write(stores, one.lane, texts, generation);
          } else if (of !== undefined && one.act === 'read') {
            await read(of);
          } else if (of !== undefined && one.act === 'cut') {
            await read(of, one.keeps);
            reopen(of);
          }
        }
        for (const of of readers) {
          for (let idle = 0; of.told.length < written && idle < 400; idle += 1) {
            if (!(await read(of))) await systemClock.sleep(LOOK_EVERY_MS);
          }
          of.reader.end();

          expect(new Set(of.told).size).toBe(of.told.length);
          expect(of.told).toHaveLength(written);
          const numbers = Map.groupBy(of.told, (text) => text.split('-')[0]);
          for (const lane of numbers.values()) {
            const order = lane.map((text) => Number(text.split('-')[1]));
            expect(order).toEqual(order.toSorted((one, other) => one - other));
          }
        }
      }),
      { numRuns: 25 },
    );
  });
});
