import { BatchGetCommand } from '@aws-sdk/lib-dynamodb';
import { AppError } from '../kernel/appError.ts';
import type { TenantId } from '../kernel/id.ts';
import { isExpired, retentionSeconds } from '../platform/expiry.ts';
import { eventCounterKey } from '../platform/keys.ts';
import { PAGE_BYTES } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import type { TenantEvent } from './event.ts';
import { parseCursor, startOf, toCursor, type LanePlace, type ReaderPlace } from './eventCursor.ts';
import { judgeGap, settleGap } from './eventGaps.ts';
import { lanesIn, readDirectory } from './eventLanes.ts';
import type { EventLogDependencies } from './eventLog.ts';
import type { PageRow } from './eventPages.ts';
import { rowsAfter, type LaneOfLog } from './laneRows.ts';

/** A page of a tenant's events. */
export interface EventPage {
  readonly events: readonly TenantEvent[];
  /** The cursor to go on from, now or when something has happened; also when `events` is empty. */
  readonly next: string;
  /** Whether there may be more to read now. */
  readonly hasMore: boolean;
}

/** The greatest number of gaps that one read settles; the next read goes on from there. */
const VOIDS_PER_READ = 100;
/** Events are deleted late, but by then they have long expired. */
const GONE_MS = (retentionSeconds.event + 86_400) * 1_000;

/**
 * Reads the events after a place, at most `limit` and a page's bytes; each connection's in their order. A lane stops
 * before a number that may still be filled; a later read goes on there. A generation is read to the end of all its lanes
 * before the next is begun, which is what keeps the order of a connection whose lane has changed. Strongly consistent.
 * When there is nothing new it costs one read of the counters of the lanes. Throws `invalid_cursor` for a cursor that
 * the tenant was not given, and for a place that the log has not reached: a reader that waited there would pass what
 * comes before it.
 * @param after `next` of the page before; undefined for the start of the kept events
 */
export async function readEvents(
  dependencies: EventLogDependencies,
  tenantId: TenantId,
  after: string | undefined,
  limit: number,
): Promise<EventPage> {
  const from = after === undefined ? await oldestPlace(dependencies, tenantId) : parseCursor(tenantId, after);
  const page = await readPlaced(dependencies, tenantId, from, { events: limit, bytes: PAGE_BYTES });
  const events = page.events.map(({ text }) => JSON.parse(text) as TenantEvent);
  return { events, next: toCursor(tenantId, page.place), hasMore: page.hasMore };
}

/** An event as the log keeps it, and the place of a reader behind it. */
export interface PlacedEvent {
  readonly text: string;
  readonly generation: number;
  readonly lane: number;
  /** How far a reader of the lane is that has this event. Of two events of a lane, the later one has the later place. */
  readonly behind: LanePlace;
}

/** Some events of a tenant, each with its place. */
export interface PlacedPage {
  readonly events: readonly PlacedEvent[];
  readonly place: ReaderPlace;
  readonly hasMore: boolean;
  /** Whether events between the place and the first of these are not kept any more. */
  readonly isCut: boolean;
}

/**
 * Reads events as {@link readEvents} does, each with its place, so that a reader can go on behind any of them.
 * @param from.bytes of the texts of all events together; one event is read in any case, however long
 */
export async function readPlaced(
  dependencies: EventLogDependencies,
  tenantId: TenantId,
  from: ReaderPlace,
  most: { readonly events: number; readonly bytes: number },
): Promise<PlacedPage> {
  let place = from;
  const page = new PageInMaking(most);
  for (;;) {
    const counters = await readCounters(dependencies, tenantId, place.generation);
    if (isDoubtful(place, counters)) {
      const found = await placeInLog(dependencies, tenantId, place, counters);
      if (found !== place) {
        page.isCut = true;
        place = found;
        continue;
      }
    }
    const read = await readGeneration(dependencies, tenantId, place, counters, page);
    place = read.place;
    const isDone = !read.hasMore && isRead(place, counters);
    const following = isDone ? await generationAfter(dependencies, tenantId, place.generation) : undefined;
    if (following === undefined) {
      return { events: page.events, place, hasMore: read.hasMore, isCut: page.isCut };
    }
    place = startOf(following);
  }
}

/** The events of one answer, as far as they have been collected. */
class PageInMaking {
  readonly events: PlacedEvent[] = [];
  readonly #most: { readonly events: number; readonly bytes: number };
  #bytes = 0;
  voidsLeft = VOIDS_PER_READ;
  isCut = false;

  constructor(most: { readonly events: number; readonly bytes: number }) {
    this.#most = most;
  }

  get room(): number {
    return this.#most.events - this.events.length;
  }

  /** Takes an event in, if there is room for it; the first one always has room, however long. */
  take(event: PlacedEvent): boolean {
    const bytes = Buffer.byteLength(event.text);
    if (this.room === 0 || (this.events.length > 0 && this.#bytes + bytes > this.#most.bytes)) return false;
    this.#bytes += bytes;
    this.events.push(event);
    return true;
  }
}

/** What the counter of a lane says. */
interface LaneCounter {
  /** The last number that was taken. */
  readonly last: number;
  readonly takenAtMs: number;
  readonly eventCount: number;
  readonly isSealed: boolean;
  readonly isThere: boolean;
}

async function readCounters(
  { table, stage }: EventLogDependencies,
  tenantId: TenantId,
  generation: number,
  ConsistentRead = true,
): Promise<readonly LaneCounter[]> {
  const TableName = tableName(stage, 'core');
  const keys = Array.from({ length: lanesIn(generation) }, (_, lane) =>
    eventCounterKey(tenantId, { generation, lane }),
  );
  const answer = await table.send(
    new BatchGetCommand({
      RequestItems: { [TableName]: { Keys: keys.map((key) => ({ ...key })), ConsistentRead } },
    }),
  );
  // A counter that was not read must not count as missing.
  if ((answer.UnprocessedKeys?.[TableName]?.Keys ?? []).length > 0) throw new AppError('store_unavailable');
  const found = new Map((answer.Responses?.[TableName] ?? []).map((item) => [item['pk'] as string, item]));
  return keys.map(({ pk }) => {
    const item = found.get(pk);
    return {
      last: (item?.['last'] as number | undefined) ?? 0,
      takenAtMs: (item?.['takenAtMs'] as number | undefined) ?? 0,
      eventCount: (item?.['eventCount'] as number | undefined) ?? 0,
      isSealed: item?.['sealed'] === true,
      isThere: item !== undefined,
    };
  });
}

/**
 * Whether there may be something to read behind a place, for half of what a read costs that finds nothing. Eventually consistent:
 * what was written within the last second may not be seen yet.
 */
export async function mayHaveNews(
  dependencies: EventLogDependencies,
  tenantId: TenantId,
  { generation, lanes }: ReaderPlace,
): Promise<boolean> {
  const counters = await readCounters(dependencies, tenantId, generation, false);
  return counters.some(({ isSealed, last }, lane) => isSealed || (lanes[lane]?.page ?? 0) < last);
}

/**
 * The place behind all that is in the log now, and behind what is being written at this moment: a reader that begins here gets
 * what comes after it.
 */
export async function newestPlace(dependencies: EventLogDependencies, tenantId: TenantId): Promise<ReaderPlace> {
  const { generation } = await readDirectory(dependencies, tenantId);
  const counters = await readCounters(dependencies, tenantId, generation);
  return { generation, turn: 0, lanes: counters.map(({ last }) => ({ page: last, taken: 0 })) };
}

/** The oldest generation that may have events. */
export async function oldestPlace(dependencies: EventLogDependencies, tenantId: TenantId): Promise<ReaderPlace> {
  const { generation, past } = await readDirectory(dependencies, tenantId);
  const nowMs = dependencies.clock.nowMs();
  return startOf(past.find(({ endedAtMs }) => nowMs - endedAtMs < GONE_MS)?.generation ?? generation);
}

/** The generation that follows one that is read to its end; undefined while there is none. */
async function generationAfter(
  dependencies: EventLogDependencies,
  tenantId: TenantId,
  generation: number,
): Promise<number | undefined> {
  const directory = await readDirectory(dependencies, tenantId);
  return [...directory.past.map((one) => one.generation), directory.generation].find((one) => one > generation);
}

/** Whether the reader is past what a lane that still takes events has given out, or in a generation without any. */
function isDoubtful({ generation, lanes }: ReaderPlace, counters: readonly LaneCounter[]): boolean {
  if (generation > 0 && counters.every(({ isThere }) => !isThere)) return true;
  return counters.some((counter, lane) => !counter.isSealed && reachOf(lanes[lane]) > counter.last);
}

/** The number of the last page that a place has to do with. */
function reachOf(place: LanePlace | undefined): number {
  return place === undefined ? 0 : place.page + Math.sign(place.taken);
}

/**
 * The place from which a doubtful reader goes on. Its generation may be lost: the table was put back to a time before it
 * began, and a new era has begun since, whose events are all new to the reader. Throws `invalid_cursor` when the
 * generation is there and the log has not come so far.
 */
async function placeInLog(
  dependencies: EventLogDependencies,
  tenantId: TenantId,
  place: ReaderPlace,
  counters: readonly LaneCounter[],
): Promise<ReaderPlace> {
  const { generation, past } = await readDirectory(dependencies, tenantId);
  const isLost = generation !== place.generation && past.every((one) => one.generation !== place.generation);
  const following = await generationAfter(dependencies, tenantId, place.generation);
  if (isLost && following !== undefined) return startOf(following);
  if (isLost || counters.some((counter, lane) => reachOf(place.lanes[lane]) > counter.last)) {
    throw new AppError('invalid_cursor', { detail: BEYOND_THE_END });
  }
  return place;
}

const BEYOND_THE_END =
  'The log has not come to this place yet. Go on from `next` of an earlier page, or leave it out to begin with the ' +
  'oldest event that is kept.';

/** Whether all lanes of a generation are sealed and read to their last number. */
function isRead({ lanes }: ReaderPlace, counters: readonly LaneCounter[]): boolean {
  return counters.every(({ isSealed, last }, lane) => isSealed && (lanes[lane]?.page ?? 0) >= last);
}

interface GenerationRead {
  readonly place: ReaderPlace;
  readonly hasMore: boolean;
}

/** Reads the lanes that have something new, each in its turn, until the page is full. */
async function readGeneration(
  dependencies: EventLogDependencies,
  tenantId: TenantId,
  { generation, turn, lanes }: ReaderPlace,
  counters: readonly LaneCounter[],
  page: PageInMaking,
): Promise<GenerationRead> {
  const places = [...lanes];
  for (let step = 0; step < lanes.length; step++) {
    const lane = (turn + step) % lanes.length;
    const [place, counter] = [places[lane], counters[lane]];
    if (place === undefined || counter === undefined || place.page >= counter.last) continue;
    const read = await readLane(dependencies, { tenantId, lane: { generation, lane } }, place, counter, page);
    places[lane] = read.place;
    if (read.hasMore) return { place: { generation, turn: (lane + 1) % lanes.length, lanes: places }, hasMore: true };
  }
  return { place: { generation, turn, lanes: places }, hasMore: false };
}

interface LaneRead {
  readonly place: LanePlace;
  readonly hasMore: boolean;
}

/** Reads one lane from a place on, until the page is full, a number is missing, or the lane ends. */
async function readLane(
  dependencies: EventLogDependencies,
  log: LaneOfLog,
  start: LanePlace,
  counter: LaneCounter,
  page: PageInMaking,
): Promise<LaneRead> {
  let place = start;
  for await (const row of rowsAfter(dependencies, log, start.page, counter.last, rowsFor(page.room, counter))) {
    const passed = await passGap(dependencies, log, place, row, page);
    place = passed.place;
    if (passed.outcome !== 'passed') return { place, hasMore: passed.outcome === 'more' };
    const isGone = isExpired(row, dependencies.clock.nowMs());
    page.isCut ||= isGone && row.count > place.taken;
    const texts = isGone ? [] : (row.events ?? []);
    for (let index = place.taken; index < texts.length; index++) {
      const isLast = index === texts.length - 1;
      const behind = isLast ? { page: row.page, taken: 0 } : { page: row.page - 1, taken: index + 1 };
      const isTaken = page.take({ text: texts[index] ?? '', ...log.lane, behind });
      if (!isTaken) return { place: { page: row.page - 1, taken: index }, hasMore: true };
    }
    place = { page: row.page, taken: 0 };
  }
  if (!counter.isSealed || place.page >= counter.last) return { place, hasMore: false };
  // No row will ever come behind the last number of a sealed lane, so its counter says how old that number is.
  const end = { page: counter.last + 1, previousTakenAtMs: counter.takenAtMs };
  const passed = await passGap(dependencies, log, place, end, page);
  return { place: passed.place, hasMore: passed.outcome === 'more' };
}

/** How many rows to ask for: as many as hold the events that are wanted, and one to see whether there is more. */
function rowsFor(room: number, { eventCount, last }: LaneCounter): number {
  return Math.min(room, Math.ceil((room * last) / Math.max(eventCount, 1))) + 1;
}

/** Passes the numbers that are missing before a row, if that may be. */
async function passGap(
  dependencies: EventLogDependencies,
  log: LaneOfLog,
  place: LanePlace,
  row: Pick<PageRow, 'page' | 'previousTakenAtMs'>,
  page: PageInMaking,
): Promise<{ readonly place: LanePlace; readonly outcome: 'passed' | 'wait' | 'more' }> {
  const gap = judgeGap(place.page, row, dependencies.clock.nowMs());
  if (gap === 'none') return { place, outcome: 'passed' };
  if (gap === 'wait') return { place, outcome: 'wait' };
  const before = { page: row.page - 1, taken: 0 };
  // Where the youngest number that is missing is as old as a page becomes, there were pages.
  page.isCut ||= dependencies.clock.nowMs() - row.previousTakenAtMs > retentionSeconds.event * 1_000;
  if (gap === 'forget') return { place: before, outcome: 'passed' };
  if (page.room === 0) return { place, outcome: 'more' };
  const settled = await settleGap(dependencies, log, place.page, row, page.voidsLeft);
  page.voidsLeft -= settled - place.page;
  // When there are too many to settle in one read, or a writer was quicker, the next read goes on here.
  if (settled < before.page) return { place: { page: settled, taken: 0 }, outcome: 'more' };
  return { place: before, outcome: 'passed' };
}
