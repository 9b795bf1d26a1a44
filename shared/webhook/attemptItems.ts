import { PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { makeDeliveryId, type DeliveryId, type EndpointId, type EventId } from '../kernel/id.ts';
import { expiryOf, isExpired } from '../platform/expiry.ts';
import { ATTEMPT_PREFIX, attemptPartition, attemptsKey } from '../platform/keys.ts';
import { firstOf, queryItems } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import type { Attempt, AttemptResult } from './attempt.ts';

/**
 * Attempts as they are stored: those to one endpoint that ended together stand in one item, so that ten cost one call
 * and, as each has only what is not usual, one write unit. The key is that of the newest attempt: an item holds nothing
 * newer than its key, so whoever reads keys from the newest on has seen every attempt that is newer than the key at
 * which it stops.
 */
interface PackedAttempt {
  readonly event: EventId;
  /** How long before the newest attempt of its item this one was made, in milliseconds. */
  readonly beforeMs?: number;
  readonly tookMs: number;
  /** The number of the attempt; 1 when left out. */
  readonly number?: number;
  /** `delivered` when left out. */
  readonly result?: AttemptResult;
  /** The answer; 200 when left out, and 0 when there was none. */
  readonly status?: number;
  readonly reason?: string;
  /** The beginning of the answer, of one that did not take the event: what receivers that are well say would cost a write unit each. */
  readonly answer?: string;
  /** The delivery and the number of its events, of a batch. */
  readonly delivery?: DeliveryId;
  readonly events?: number;
}

/** The most items that one page looks at: many of them may have expired. */
const MOST_ITEMS = 500;

interface AttemptDependencies {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

/**
 * Keeps attempts to one endpoint for 30 days, in one item. The write has no condition: no other process made these
 * attempts.
 */
export async function recordAttempts(
  { table, stage }: AttemptDependencies,
  endpointId: EndpointId,
  attempts: readonly Attempt[],
): Promise<void> {
  const newest = attempts.reduce<Attempt | undefined>(
    (latest, attempt) => (latest === undefined || attempt.atMs >= latest.atMs ? attempt : latest),
    undefined,
  );
  if (newest === undefined) return;
  const Item = {
    ...attemptsKey(endpointId, newest),
    atMs: newest.atMs,
    attempts: attempts.map((attempt) => pack(attempt, newest.atMs)),
    ttl: expiryOf('attempt', newest.atMs),
  };
  await table.send(new PutCommand({ TableName: tableName(stage, 'core'), Item }));
}

/** Whether a text is a place in the list of attempts: the end of the key of an item. */
export function isAttemptPlace(text: string): boolean {
  return /^\d{15}#dlv_\w{1,100}#\d{3}$/.test(text);
}

/**
 * A page of the attempts of an endpoint, newest first. It ends with the item that fills it, so it may have a few more than
 * `limit`. The caller has read the endpoint under its tenant.
 * @param page.before the place at which the page before ended
 */
export async function pageOfAttempts(
  { table, stage }: AttemptDependencies,
  endpointId: EndpointId,
  page: { readonly before: string | undefined; readonly limit: number; readonly nowMs: number },
): Promise<{ readonly attempts: readonly Attempt[]; readonly next: string | undefined }> {
  const pk = attemptPartition(endpointId);
  const { before, limit, nowMs } = page;
  const input = {
    TableName: tableName(stage, 'core'),
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
    ExpressionAttributeValues: { ':pk': pk, ':prefix': ATTEMPT_PREFIX },
    ScanIndexForward: false,
  };
  const after = before === undefined ? undefined : { pk, sk: `${ATTEMPT_PREFIX}${before}` };
  const attempts: Attempt[] = [];
  let items = 0;
  for await (const item of queryItems(table, input, { after, pageSize: limit })) {
    items += 1;
    const packed = isExpired(item, nowMs) ? [] : unpack(endpointId, item);
    attempts.push(...packed.toSorted((left, right) => right.atMs - left.atMs));
    const place = String(item['sk']).slice(ATTEMPT_PREFIX.length);
    if (attempts.length >= limit || items >= MOST_ITEMS) return { attempts, next: place };
  }
  return { attempts, next: undefined };
}

/** The latest attempts of an endpoint, newest first. The caller has read the endpoint under its tenant. */
export async function listAttempts(
  { table, stage }: AttemptDependencies,
  endpointId: EndpointId,
  page: { readonly limit: number; readonly nowMs: number },
): Promise<readonly Attempt[]> {
  const input = {
    TableName: tableName(stage, 'core'),
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
    ExpressionAttributeValues: { ':pk': attemptPartition(endpointId), ':prefix': ATTEMPT_PREFIX },
    ScanIndexForward: false,
  };
  // Each item holds at least one attempt that is as new as its key, so so many items hold the newest attempts.
  const items = await firstOf(queryItems(table, input, { pageSize: page.limit }), page.limit);
  return items
    .filter((item) => !isExpired(item, page.nowMs))
    .flatMap((item) => unpack(endpointId, item))
    .sort((left, right) => right.atMs - left.atMs)
    .slice(0, page.limit);
}

function pack(attempt: Attempt, newestAtMs: number): PackedAttempt {
  const { eventId, atMs, durationMs, number, result, httpStatus = 0, reason, answer, events, deliveryId } = attempt;
  return {
    event: eventId,
    tookMs: durationMs,
    ...(atMs === newestAtMs ? {} : { beforeMs: newestAtMs - atMs }),
    ...(number === 1 ? {} : { number }),
    ...(result === 'delivered' ? {} : { result }),
    ...(httpStatus === 200 ? {} : { status: httpStatus }),
    ...(reason === undefined ? {} : { reason }),
    ...(events === undefined ? {} : { events, delivery: deliveryId }),
    ...(answer === undefined || result === 'delivered' ? {} : { answer }),
  };
}

function unpack(endpointId: EndpointId, item: Record<string, unknown>): readonly Attempt[] {
  const newestAtMs = item['atMs'] as number;
  return (item['attempts'] as readonly PackedAttempt[]).map(
    ({ event, beforeMs = 0, tookMs, number = 1, result = 'delivered', status = 200, reason, answer, ...batch }) => ({
      endpointId,
      deliveryId: batch.delivery ?? makeDeliveryId(endpointId, event),
      eventId: event,
      number,
      atMs: newestAtMs - beforeMs,
      result,
      httpStatus: status === 0 ? undefined : status,
      reason,
      durationMs: tookMs,
      ...(answer === undefined ? {} : { answer }),
      ...(batch.events === undefined ? {} : { events: batch.events }),
    }),
  );
}
