import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  GetCommand,
  PutCommand,
  UpdateCommand,
  type DynamoDBDocumentClient,
  type TransactWriteCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { AppError } from '../kernel/appError.ts';
import { makeEventId, parseEventId, type EventId, type TenantId } from '../kernel/id.ts';
import { expiryOf, isExpired } from '../platform/expiry.ts';
import { eventKey, eventPartition, EVENTS_PER_PARTITION, eventSequenceKey } from '../platform/keys.ts';
import { firstOf, PAGE_BYTES, queryItems } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import type { EventDraft, TenantEvent } from './event.ts';
import type { Surroundings } from '../platform/surroundings.ts';

/**
 * The append-only log of a tenant's events. An event id is a place in it: 1, 2, 3, …
 *
 * A writer takes the next number from the tenant's counter and then writes the event under it, so a number can be taken
 * and its event be written after a larger one, or never (the writer died). A reader that passed such a number would lose
 * the event that comes late. Hence:
 *
 * - **A reader stops before a missing number.** It gets what comes after once the number is settled.
 * - **A place is filled once.** The event is written only where nothing is; and whoever finds a number missing for longer
 *   than `GAP_PATIENCE_MS` writes a *void* there, under the same condition. Either the event or the void is first. A writer
 *   that comes second takes a new number. So no event is skipped, however slow its writer and however wrong a clock: time
 *   decides only how long readers wait, never whether they may go on.
 * - **The age of a gap is known exactly.** Each row keeps the time at which the number before its own was taken, which the
 *   counter gives back. Without it, an old gap would be as young as the event that shows it.
 * - **What is older than `GAP_FORGOTTEN_MS` is passed without a void.** Events that have expired are missing, too, and there
 *   may be millions. No writer lives that long, and it refuses to use a number it has held for `HOLD_LIMIT_MS`.
 *
 * Order of one connection: ingest takes a connection's facts one after the other, and takes the number of the next fact
 * when the event of the last one is written. A void only ever moves an event to a larger number.
 */
export interface EventLogDependencies extends Pick<Surroundings, 'clock'> {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

/** How long readers wait for a number that was taken and not filled, in milliseconds. */
export const GAP_PATIENCE_MS = 60_000;
/** The age from which on a gap consists of expired events and of writers that are long gone. */
export const GAP_FORGOTTEN_MS = 24 * 3_600_000;
/** The longest time that a writer may hold a number before it writes. */
const HOLD_LIMIT_MS = 30_000;
/** The greatest number of gaps that one read settles; the next read goes on from there. */
const VOIDS_PER_READ = 100;

/** A place in the log that a writer has taken. */
export interface EventPlace {
  readonly sequence: number;
  readonly takenAtMs: number;
  /** The time at which the number before this one was taken. */
  readonly previousTakenAtMs: number;
}

/** A page of the log. */
export interface EventPage {
  readonly events: readonly TenantEvent[];
  /** The cursor to go on from, now or when something has happened; also when `events` is empty. */
  readonly next: EventId;
  /** Whether there is more to read now. */
  readonly hasMore: boolean;
}

interface Row {
  readonly sequence: number;
  readonly previousTakenAtMs: number;
  /** The event; absent in a void. */
  readonly event?: string;
  readonly ttl: number;
}

/** Takes the next number of the tenant's log. The write has no condition: the counter only grows. */
export async function takePlace(dependencies: EventLogDependencies, tenantId: TenantId): Promise<EventPlace> {
  const takenAtMs = dependencies.clock.nowMs();
  const answer = await dependencies.table.send(
    new UpdateCommand({
      TableName: tableName(dependencies.stage, 'core'),
      Key: eventSequenceKey(tenantId),
      UpdateExpression: 'SET takenAtMs = :now ADD #last :one',
      ExpressionAttributeNames: { '#last': 'last' },
      ExpressionAttributeValues: { ':now': takenAtMs, ':one': 1 },
      ReturnValues: 'ALL_OLD',
    }),
  );
  const last = (answer.Attributes?.['last'] as number | undefined) ?? 0;
  const previousTakenAtMs = (answer.Attributes?.['takenAtMs'] as number | undefined) ?? takenAtMs;
  return { sequence: last + 1, takenAtMs, previousTakenAtMs };
}

/** Whether a writer has held its number for too long to use it. */
export function isStale(place: EventPlace, nowMs: number): boolean {
  return nowMs - place.takenAtMs > HOLD_LIMIT_MS;
}

/** The event as it will be read, once its row is in the log. */
export function toEvent(place: EventPlace, draft: EventDraft): TenantEvent {
  return { id: makeEventId(place.sequence), ...draft };
}

/** The write that fills a place, for a transaction. Condition: nothing is there; else the place is void. */
export function eventWrite(
  dependencies: EventLogDependencies,
  place: EventPlace,
  event: TenantEvent,
): NonNullable<TransactWriteCommandInput['TransactItems']>[number] {
  const { sequence, previousTakenAtMs } = place;
  // The event is stored as text, so that every reader and every attempt of a delivery has the same bytes.
  const text = JSON.stringify(event);
  const row: Row = { sequence, previousTakenAtMs, event: text, ttl: expiryOf('event', dependencies.clock.nowMs()) };
  return {
    Put: {
      TableName: tableName(dependencies.stage, 'core'),
      Item: { ...eventKey(event.tenantId as TenantId, sequence), ...row },
      ConditionExpression: 'attribute_not_exists(pk)',
    },
  };
}

/** Declares that no event will ever stand in a place. Condition: nothing is there. Returns what stands there now. */
export async function voidPlace(
  dependencies: EventLogDependencies,
  tenantId: TenantId,
  place: Pick<EventPlace, 'sequence' | 'previousTakenAtMs'>,
): Promise<'void' | 'filled'> {
  const { sequence, previousTakenAtMs } = place;
  const row: Row = { sequence, previousTakenAtMs, ttl: expiryOf('event', dependencies.clock.nowMs()) };
  try {
    await dependencies.table.send(
      new PutCommand({
        TableName: tableName(dependencies.stage, 'core'),
        Item: { ...eventKey(tenantId, sequence), ...row },
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    );
    return 'void';
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return 'filled';
    throw error;
  }
}

/** Finds one event of a tenant, strongly consistent; undefined when it has expired or never was. */
export async function findEvent(
  dependencies: EventLogDependencies,
  tenantId: TenantId,
  eventId: EventId,
): Promise<TenantEvent | undefined> {
  const sequence = parseEventId(eventId);
  if (sequence === undefined) return undefined;
  const answer = await dependencies.table.send(
    new GetCommand({
      TableName: tableName(dependencies.stage, 'core'),
      Key: eventKey(tenantId, sequence),
      ConsistentRead: true,
    }),
  );
  return answer.Item === undefined
    ? undefined
    : readableEvent(answer.Item as unknown as Row, dependencies.clock.nowMs());
}

/**
 * Reads the events after a place, oldest first, at most `limit` and a page's bytes. It stops before a number that may
 * still be filled; a later read goes on there. Strongly consistent. It costs one read of the counter and one query when
 * there is nothing new. Throws `invalid_cursor` for a place that the log has not reached: a reader that waited there
 * would pass what comes before it.
 * @param after the last event that the reader has; undefined for the start of the kept events
 */
export async function readEvents(
  dependencies: EventLogDependencies,
  tenantId: TenantId,
  after: EventId | undefined,
  limit: number,
): Promise<EventPage> {
  const start = after === undefined ? 0 : (parseEventId(after) ?? 0);
  const last = await lastTaken(dependencies, tenantId);
  if (start > last) throw new AppError('invalid_cursor', { detail: BEYOND_THE_END });
  const events: TenantEvent[] = [];
  let hasMore = false;
  let bytes = 0;
  let passed = start;
  let allowedVoids = VOIDS_PER_READ;
  for await (const row of rowsAfter(dependencies, tenantId, start, last, limit + 1)) {
    const nowMs = dependencies.clock.nowMs();
    const gap = judgeGap(passed, row, nowMs);
    if (gap === 'wait') break;
    bytes += Buffer.byteLength(row.event ?? '');
    hasMore = events.length === limit || (events.length > 0 && bytes > PAGE_BYTES);
    if (hasMore) break;
    if (gap === 'settle') {
      const settled = await settleGap(dependencies, tenantId, passed, row, allowedVoids);
      allowedVoids -= settled - passed;
      passed = settled;
      // There are too many to settle in one read, or a writer was quicker: the next read goes on here.
      hasMore = passed < row.sequence - 1;
      if (hasMore) break;
    }
    passed = row.sequence;
    const event = readableEvent(row, nowMs);
    if (event !== undefined) events.push(event);
  }
  return { events, next: makeEventId(passed), hasMore };
}

const BEYOND_THE_END =
  'The log has not come to this event id yet. Go on from the id of an event that you have, or leave it out to begin with ' +
  'the oldest event that is kept.';

/**
 * Decides about the numbers that are missing between the last one passed and the next row that exists: nothing, if
 * there are none; wait, as their writers may be at work; settle each; or forget them.
 */
export function judgeGap(
  passed: number,
  next: Pick<EventPlace, 'sequence' | 'previousTakenAtMs'>,
  nowMs: number,
): 'none' | 'wait' | 'settle' | 'forget' {
  if (next.sequence === passed + 1) return 'none';
  const ageMs = nowMs - next.previousTakenAtMs;
  if (ageMs <= GAP_PATIENCE_MS) return 'wait';
  return ageMs <= GAP_FORGOTTEN_MS ? 'settle' : 'forget';
}

/** Voids missing numbers from the oldest on, at most `allowed`. Returns the last number that is settled. */
async function settleGap(
  dependencies: EventLogDependencies,
  tenantId: TenantId,
  passed: number,
  next: Row,
  allowed: number,
): Promise<number> {
  const until = Math.min(next.sequence - 1, passed + allowed);
  for (let sequence = passed + 1; sequence <= until; sequence++) {
    // The time is that of the youngest missing number: an older one is at least as old.
    const place = { sequence, previousTakenAtMs: next.previousTakenAtMs };
    if ((await voidPlace(dependencies, tenantId, place)) === 'filled') return sequence - 1;
  }
  return until;
}

async function lastTaken(dependencies: EventLogDependencies, tenantId: TenantId): Promise<number> {
  const answer = await dependencies.table.send(
    new GetCommand({
      TableName: tableName(dependencies.stage, 'core'),
      Key: eventSequenceKey(tenantId),
      ConsistentRead: true,
    }),
  );
  return (answer.Item?.['last'] as number | undefined) ?? 0;
}

/** The rows of the log in order of their numbers, from after `start` to at most the last number that was taken. */
async function* rowsAfter(
  dependencies: EventLogDependencies,
  tenantId: TenantId,
  start: number,
  last: number,
  pageSize: number,
): AsyncGenerator<Row> {
  const lastPartition = partitionOf(last);
  let partition = partitionOf(start + 1);
  let from = start + 1;
  while (partition <= lastPartition) {
    let isEmpty = true;
    for await (const row of rowsOf(dependencies, tenantId, partition, from, pageSize)) {
      isEmpty = false;
      yield row;
    }
    partition = isEmpty
      ? await firstFilledPartition(dependencies, tenantId, partition + 1, lastPartition)
      : partition + 1;
    from = partition * EVENTS_PER_PARTITION;
  }
}

const partitionOf = (sequence: number): number => Math.floor(sequence / EVENTS_PER_PARTITION);

/**
 * Events expire in the order of the log, so empty partitions come before filled ones, and a log with millions of expired
 * events is entered in a few queries. Returns a number past `high` when all are empty.
 */
async function firstFilledPartition(
  dependencies: EventLogDependencies,
  tenantId: TenantId,
  low: number,
  high: number,
): Promise<number> {
  let [first, end] = [low, high + 1];
  while (first < end) {
    const middle = Math.floor((first + end) / 2);
    const [row] = await firstOf(rowsOf(dependencies, tenantId, middle, 0, 1), 1);
    if (row !== undefined) end = middle;
    else first = middle + 1;
  }
  return first;
}

/** The rows of one partition in order, from a number on. */
async function* rowsOf(
  dependencies: EventLogDependencies,
  tenantId: TenantId,
  partition: number,
  from: number,
  pageSize: number,
): AsyncGenerator<Row> {
  const first = Math.max(from, partition * EVENTS_PER_PARTITION);
  const input = {
    TableName: tableName(dependencies.stage, 'core'),
    KeyConditionExpression: 'pk = :pk AND sk >= :from',
    ExpressionAttributeValues: {
      ':pk': eventPartition(tenantId, partition * EVENTS_PER_PARTITION),
      ':from': eventKey(tenantId, first).sk,
    },
    ConsistentRead: true,
  };
  for await (const item of queryItems(dependencies.table, input, { pageSize })) yield item as unknown as Row;
}

function readableEvent(row: Row, nowMs: number): TenantEvent | undefined {
  if (row.event === undefined || isExpired(row, nowMs)) return undefined;
  return JSON.parse(row.event) as TenantEvent;
}
