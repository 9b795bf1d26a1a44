import { isDeepStrictEqual } from 'node:util';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { AppError } from '../kernel/appError.ts';
import {
  makeEventId,
  parseEventId,
  type ConnectionId,
  type EventId,
  type TenantId,
  type EventPosition,
} from '../kernel/id.ts';
import type { TransactionWrite } from '../message/messageWrites.ts';
import { expiryOf, isExpired } from '../platform/expiry.ts';
import { eventCounterKey, eventPageKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';
import type { EventDraft, TenantEvent } from './event.ts';
import { laneOf } from './eventLanes.ts';
import { toStoredTexts, toTexts } from './packedTexts.ts';
import { finishGrowth, noteLoad, noteThrottle } from './eventGrowth.ts';
import { HOLD_LIMIT_MS, type EventLogDependencies, type EventPlaces, type Lane } from './eventLog.ts';

/**
 * Places and pages of the event log, as a writer uses them: take places, write the page, or give it up.
 *
 * What if the process dies after it has taken places: the number stays missing until somebody voids it. If the answer of
 * the counter is lost and the call is repeated, a number is taken for nobody, with the same end. What if the answer of a
 * page is lost: the repetition finds the page there, and as its texts are the same it is written. What if a writer comes
 * back after a reader has voided its number: its write is refused, and it takes places anew.
 */

/** The most bytes of an item of the log; DynamoDB takes 400 KB, and a page has fields around its events. */
export const PAGE_ITEM_BYTES = 300 * 1_024;
/** The most events of a page: an event id has room for no more. */
export const PAGE_EVENTS = 1_000;
/** How often a writer looks again for a lane when its lane was sealed meanwhile. */
const LANE_TRIES = 4;

/** A row of a lane: a page, or a void, which has no events. */
export interface PageRow {
  readonly page: number;
  readonly previousTakenAtMs: number;
  /** The number of events; 0 is a void. */
  readonly count: number;
  /** The events as texts, so that every reader and every attempt of a delivery has the same bytes. */
  readonly events?: readonly string[];
  readonly ttl: number;
}

/**
 * Takes places for some events of a lane, at most {@link PAGE_EVENTS}. Condition: the lane is not sealed; when it is, the
 * tenant's log has gone on to a new generation, and `laneOf` knows it.
 */
export async function takePlaces(
  dependencies: EventLogDependencies,
  tenantId: TenantId,
  lane: Lane,
  count: number,
): Promise<EventPlaces | 'sealed'> {
  if (count < 1 || count > PAGE_EVENTS) throw new RangeError(`a page holds 1 to ${PAGE_EVENTS} events`);
  const takenAtMs = dependencies.clock.nowMs();
  const update = new UpdateCommand({
    TableName: tableName(dependencies.stage, 'core'),
    Key: eventCounterKey(tenantId, lane),
    UpdateExpression: 'SET takenAtMs = :now ADD #last :one, eventCount :count',
    ConditionExpression: 'attribute_not_exists(sealed)',
    ExpressionAttributeNames: { '#last': 'last' },
    ExpressionAttributeValues: { ':now': takenAtMs, ':one': 1, ':count': count },
    ReturnValues: 'ALL_OLD',
  });
  let old: Record<string, unknown>;
  try {
    old = (await dependencies.table.send(update)).Attributes ?? {};
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) {
      await finishGrowth(dependencies, tenantId);
      return 'sealed';
    }
    await noteThrottle(dependencies, tenantId, lane, error);
    throw error;
  }
  await noteLoad(dependencies, tenantId, lane, ((old['eventCount'] as number | undefined) ?? 0) + count);
  return {
    lane,
    first: ((old['last'] as number | undefined) ?? 0) + 1,
    count,
    takenAtMs,
    previousTakenAtMs: (old['takenAtMs'] as number | undefined) ?? takenAtMs,
  };
}

/** Takes places for events of one connection, in whichever lane it is in now. */
export async function takePlacesFor(
  dependencies: EventLogDependencies,
  tenantId: TenantId,
  connectionId: ConnectionId,
  count: number,
): Promise<EventPlaces> {
  for (let attempt = 0; attempt < LANE_TRIES; attempt++) {
    const lane = await laneOf(dependencies, tenantId, connectionId);
    const places = await takePlaces(dependencies, tenantId, lane, count);
    if (places !== 'sealed') return places;
  }
  throw new AppError('store_unavailable', { detail: 'the lanes of the event log change too often' });
}

/** Whether a writer has held its places for too long to use them. */
export function isStale(places: EventPlaces, nowMs: number): boolean {
  return nowMs - places.takenAtMs > HOLD_LIMIT_MS;
}

/** The id of the event in one of the places: 0 is the first. */
export function eventIdAt({ lane, first }: EventPlaces, index: number): EventId {
  return makeEventId({ ...lane, page: first, index });
}

/** The event as it will be read, once its page is in the log. */
export function toEvent(places: EventPlaces, index: number, draft: EventDraft): TenantEvent {
  return { id: eventIdAt(places, index), ...draft };
}

/** The text of an event, as the log keeps it and webhooks carry it. */
export function toEventText(event: TenantEvent): string {
  return JSON.stringify(event);
}

/** The write of a page, for a transaction. Condition: nothing is there; else the place is void, or the page is written. */
export function pageWrite(
  { stage, clock }: Pick<EventLogDependencies, 'stage' | 'clock'>,
  tenantId: TenantId,
  { lane, first, previousTakenAtMs }: EventPlaces,
  texts: readonly string[],
): { readonly Put: NonNullable<TransactionWrite['Put']> } {
  const row: PageRow = {
    page: first,
    previousTakenAtMs,
    count: texts.length,
    ttl: expiryOf('event', clock.nowMs()),
  };
  return {
    Put: {
      TableName: tableName(stage, 'core'),
      Item: { ...eventPageKey(tenantId, lane, first), ...row, ...toStoredTexts(texts) },
      ConditionExpression: 'attribute_not_exists(pk)',
    },
  };
}

/**
 * Writes a page, whose events have the ids of its places. Condition: nothing is there. Returns `occupied` when the place
 * was voided; the events then need new places. A page whose item would pass {@link PAGE_ITEM_BYTES} must not be written.
 */
export async function writePage(
  dependencies: EventLogDependencies,
  tenantId: TenantId,
  places: EventPlaces,
  events: readonly TenantEvent[],
): Promise<'written' | 'occupied'> {
  return writeTexts(dependencies, tenantId, places, events.map(toEventText));
}

/** Writes a page as {@link writePage} does, of events that are texts already. */
export async function writeTexts(
  dependencies: EventLogDependencies,
  tenantId: TenantId,
  places: EventPlaces,
  texts: readonly string[],
): Promise<'written' | 'occupied'> {
  const { Put } = pageWrite(dependencies, tenantId, places, texts);
  try {
    await dependencies.table.send(new PutCommand(Put));
    return 'written';
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) {
      const found = await readPage(dependencies, tenantId, places.lane, places.first);
      // Where the same texts stand, the answer of an earlier try was lost: nobody else writes them there.
      return isDeepStrictEqual(found?.events, texts) ? 'written' : 'occupied';
    }
    await noteThrottle(dependencies, tenantId, places.lane, error);
    throw error;
  }
}

/** The events of the page with an event's place, as texts: none in a void, undefined where nothing stands. Strongly consistent. */
export async function findTexts(
  dependencies: EventLogDependencies,
  tenantId: TenantId,
  eventId: EventId,
): Promise<readonly string[] | undefined> {
  const position = parseEventId(eventId);
  const row = position === undefined ? undefined : await readPage(dependencies, tenantId, position, position.page);
  return row === undefined ? undefined : (row.events ?? []);
}

/** Whether the page that holds an event's place is written, void, or neither. Strongly consistent. */
export async function findPage(
  dependencies: EventLogDependencies,
  tenantId: TenantId,
  eventId: EventId,
): Promise<'page' | 'void' | 'missing'> {
  const position = parseEventId(eventId);
  const row = position === undefined ? undefined : await readPage(dependencies, tenantId, position, position.page);
  if (row === undefined) return 'missing';
  return row.count === 0 ? 'void' : 'page';
}

/**
 * Declares that no event will ever stand in some places. Condition: nothing is there. Returns what stands there now.
 * @param places.previousTakenAtMs the time at which the number before was taken; where it is not known, the time now,
 * with which readers wait longest
 */
export async function voidPlaces(
  { table, stage, clock }: EventLogDependencies,
  tenantId: TenantId,
  { lane, first, previousTakenAtMs }: Pick<EventPlaces, 'lane' | 'first' | 'previousTakenAtMs'>,
): Promise<'void' | 'filled'> {
  const row: PageRow = { page: first, previousTakenAtMs, count: 0, ttl: expiryOf('event', clock.nowMs()) };
  try {
    await table.send(
      new PutCommand({
        TableName: tableName(stage, 'core'),
        Item: { ...eventPageKey(tenantId, lane, first), ...row },
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    );
    return 'void';
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return 'filled';
    throw error;
  }
}

/** The page on which an event was to stand, for {@link voidPlaces}: all that its id says. Undefined for no event id. */
export function placesOf(
  eventId: EventId,
  nowMs: number,
): Pick<EventPlaces, 'lane' | 'first' | 'previousTakenAtMs'> | undefined {
  const position = parseEventId(eventId);
  if (position === undefined) return undefined;
  const { generation, lane, page } = position;
  return { lane: { generation, lane }, first: page, previousTakenAtMs: nowMs };
}

/** Finds one event of a tenant, strongly consistent; undefined when it has expired or never was. */
export async function findEvent(
  dependencies: EventLogDependencies,
  tenantId: TenantId,
  eventId: EventId,
): Promise<TenantEvent | undefined> {
  const position = parseEventId(eventId);
  if (position === undefined) return undefined;
  const row = await readPage(dependencies, tenantId, position, position.page);
  const text =
    row === undefined || isExpired(row, dependencies.clock.nowMs()) ? undefined : row.events?.[position.index];
  return text === undefined ? undefined : (JSON.parse(text) as TenantEvent);
}

/**
 * The texts of some events of a tenant in their order, strongly consistent; those that have expired are left out. Each page of the
 * log is read once.
 */
export async function findEventTexts(
  dependencies: EventLogDependencies,
  tenantId: TenantId,
  eventIds: readonly EventId[],
): Promise<readonly string[]> {
  const positions = eventIds.map(parseEventId).filter((position) => position !== undefined);
  const nameOf = ({ generation, lane, page }: EventPosition): string => `${generation}-${lane}-${page}`;
  const pages = new Map(positions.map((position) => [nameOf(position), position]));
  const rows = new Map(
    await Promise.all(
      [...pages].map(
        async ([name, position]) => [name, await readPage(dependencies, tenantId, position, position.page)] as const,
      ),
    ),
  );
  const nowMs = dependencies.clock.nowMs();
  return positions.flatMap((position) => {
    const row = rows.get(nameOf(position));
    const text = row === undefined || isExpired(row, nowMs) ? undefined : row.events?.[position.index];
    return text === undefined ? [] : [text];
  });
}

async function readPage(
  { table, stage }: EventLogDependencies,
  tenantId: TenantId,
  lane: Lane,
  page: number,
): Promise<PageRow | undefined> {
  const answer = await table.send(
    new GetCommand({
      TableName: tableName(stage, 'core'),
      Key: eventPageKey(tenantId, lane, page),
      ConsistentRead: true,
    }),
  );
  return answer.Item === undefined ? undefined : toPageRow(answer.Item);
}

/** A stored item as a row of a lane. */
export function toPageRow({ packed, ...item }: Record<string, unknown>): PageRow {
  const events = toTexts({ ...item, packed });
  return { ...(item as unknown as PageRow), ...(events === undefined ? {} : { events }) };
}
