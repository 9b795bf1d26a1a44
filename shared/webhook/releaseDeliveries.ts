import type { DeliveryId, EndpointId } from '../kernel/id.ts';
import { itemsOf, WINDOW_MS } from '../message/windowNotes.ts';
import { attemptPartition, waitingDeliveryKey, WAITING_PREFIX } from '../platform/keys.ts';
import { firstOf, queryItems } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import { MOST_RELEASES } from './attempt.ts';
import { sendDeliveries, type DeliveryQueue } from './delivery.ts';
import {
  dropTaken,
  noteRound,
  takeWaiting,
  toWaiting,
  type TakenRow,
  type WaitingDelivery,
  type WaitingTable,
} from './waitingDeliveries.ts';

/**
 * Puts deliveries that wait into the queue: those of one endpoint whose receiver is back, and those whose time has come.
 * Each row is taken, its delivery is sent as the next round, and the row is removed.
 *
 * - The process dies before the send: the row is free again after a minute, and a note or the next success finds it.
 * - It dies after the send, or the removal fails: the delivery goes out twice, under one `webhook-id`.
 * - The delivery fails again before its row is removed: the row is written anew, and the removal leaves it, as its condition is
 *   not met.
 */
export interface ReleaseDependencies extends DeliveryQueue, WaitingTable {
  readonly stage: string;
}

/** The greatest number of deliveries that one call puts into the queue; each that succeeds then calls for the next. */
export const RELEASE_LIMIT = 25;
/** The number of rows that one call reads: the first ones may be deliveries that the receiver asked us to hold back. */
const LOOKED_AT = 100;

/**
 * Puts deliveries that wait for an endpoint into the queue at once.
 * @param options.evenIfAsked whether to release also deliveries that the receiver asked us to hold back, and those that were given up
 * @returns how many; {@link RELEASE_LIMIT} at most
 */
export async function releaseWaiting(
  dependencies: ReleaseDependencies,
  endpointId: EndpointId,
  options: { readonly nowMs: number; readonly evenIfAsked: boolean },
): Promise<number> {
  const { table, stage } = dependencies;
  const { nowMs, evenIfAsked } = options;
  const rows = queryItems(
    table,
    {
      TableName: tableName(stage, 'core'),
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': attemptPartition(endpointId), ':prefix': WAITING_PREFIX },
      ConsistentRead: true,
    },
    { pageSize: LOOKED_AT },
  );
  // The deliveries that this call sends out find the ones that are left.
  const found = await firstOf(rows, LOOKED_AT);
  const due = found
    .map((item) => toWaiting(item, nowMs))
    .filter((row) => row !== undefined)
    // One that was given up goes out because a person asks for it. If any success did that, one that its receiver never takes
    // would go round for ever.
    .filter((row) => evenIfAsked || (row.notBeforeMs <= nowMs && !row.isGivenUp && !keepsItsSchedule(row)))
    .slice(0, RELEASE_LIMIT);
  const taken = await Promise.all(due.map(({ delivery }) => takeWaiting(dependencies, delivery, { nowMs })));
  return sendTaken(
    dependencies,
    taken.filter((row) => typeof row === 'object'),
    { nowMs, because: evenIfAsked ? 'asked' : 'taken' },
  );
}

/** Whether a delivery was released and not taken so often that it comes at its own time from then on. A chain has a rule of its own. */
function keepsItsSchedule({ delivery: { releases = 0, chain } }: Pick<WaitingDelivery, 'delivery'>): boolean {
  return chain === undefined && releases >= MOST_RELEASES;
}

/** Why deliveries are sent anew: their receiver has `taken` another one, a person has `asked`, also from the start (`anew`), or they are `due`. */
type Cause = 'taken' | 'asked' | 'anew' | 'due';

/** Sends deliveries whose rows are taken. Returns how many. */
async function sendTaken(
  dependencies: ReleaseDependencies,
  rows: readonly TakenRow[],
  { nowMs, because }: { readonly nowMs: number; readonly because: Cause },
): Promise<number> {
  if (rows.length === 0) return 0;
  const anew = rows.map((row) => toNextRound(row, because));
  await sendDeliveries(dependencies, anew);
  await Promise.all(anew.map((delivery) => noteRound(dependencies, delivery, nowMs)));
  await Promise.all(rows.map((row) => dropTaken(dependencies, row)));
  return rows.length;
}

/** The delivery as it is sent anew. One that was given up begins its schedule from the start. */
function toNextRound({ delivery, firstFailure, isGivenUp }: TakenRow, because: Cause) {
  const { attempts, releases: before = 0, ...rest } = delivery;
  const isFromStart = because === 'anew' || isGivenUp;
  const releases = before + (because === 'taken' && delivery.chain === undefined ? 1 : 0);
  return {
    ...rest,
    round: (delivery.round ?? 0) + 1,
    ...(isFromStart || attempts === undefined ? {} : { attempts }),
    ...(isFromStart || releases === 0 ? {} : { releases }),
    ...(firstFailure === undefined ? {} : { firstFailure }),
  };
}

/** The number of rows that one request of a tenant looks at. */
const FAILED_LOOKED_AT = 500;

/**
 * Puts all deliveries of an endpoint into the queue that failed and were not taken since, whether they wait, were put aside or given
 * up, and their schedules begin from the start. Each is sent once in one pass over the rows, also where it fails again meanwhile.
 * @param options.sinceMs only those that failed for the first time then or later
 * @param options.after the delivery at which the request before ended
 * @returns how many, and where the next request goes on; {@link FAILED_LOOKED_AT} rows are looked at
 */
export async function releaseFailed(
  dependencies: ReleaseDependencies,
  endpointId: EndpointId,
  options: { readonly nowMs: number; readonly sinceMs: number; readonly after: DeliveryId | undefined },
): Promise<{ readonly released: number; readonly next: DeliveryId | undefined }> {
  const { table, stage } = dependencies;
  const { nowMs, sinceMs, after } = options;
  const input = {
    TableName: tableName(stage, 'core'),
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
    ExpressionAttributeValues: { ':pk': attemptPartition(endpointId), ':prefix': WAITING_PREFIX },
    ConsistentRead: true,
  };
  const place = after === undefined ? undefined : { ...waitingDeliveryKey(endpointId, after) };
  const items = await firstOf(queryItems(table, input, { after: place, pageSize: FAILED_LOOKED_AT }), FAILED_LOOKED_AT);
  const rows = items.map((item) => toWaiting(item, nowMs)).filter((row) => row !== undefined);
  const failed = rows.filter(({ firstFailure }) => firstFailure === undefined || firstFailure.atMs >= sinceMs);
  let released = 0;
  for (let from = 0; from < failed.length; from += AT_ONCE) {
    const some = failed.slice(from, from + AT_ONCE);
    const taken = await Promise.all(some.map(({ delivery }) => takeWaiting(dependencies, delivery, { nowMs })));
    const mine = taken.filter((row) => typeof row === 'object');
    released += await sendTaken(dependencies, mine, { nowMs, because: 'anew' });
  }
  const last = items.at(-1)?.['sk'] as string | undefined;
  const isLast = items.length < FAILED_LOOKED_AT;
  return { released, next: isLast ? undefined : (last?.slice(WAITING_PREFIX.length) as DeliveryId | undefined) };
}

/** The number of deliveries that are sent side by side. */
const AT_ONCE = 25;

/**
 * Puts the deliveries into the queue whose next attempt is in a window of time.
 * @param options.most how many at most
 * @returns how many, and whether the window is done: not when there are more, or when somebody holds one who may die over it
 */
export async function releaseDue(
  dependencies: ReleaseDependencies,
  window: number,
  options: { readonly nowMs: number; readonly most: number },
): Promise<{ readonly released: number; readonly isDone: boolean }> {
  const { nowMs, most } = options;
  const dueBeforeMs = (window + 1) * WINDOW_MS;
  let [released, isDone] = [0, true];
  let some: Noted[] = [];
  const work = async (): Promise<void> => {
    const taken = await Promise.all(some.map((one) => takeWaiting(dependencies, one, { nowMs, dueBeforeMs })));
    some = [];
    if (taken.includes('held')) isDone = false;
    released += await sendTaken(
      dependencies,
      taken.filter((row) => typeof row === 'object'),
      { nowMs, because: 'due' },
    );
  };
  for await (const item of itemsOf(dependencies, 'RETRY', window)) {
    if (released >= most) return { released, isDone: false };
    some.push(item as unknown as Noted);
    if (some.length === AT_ONCE) await work();
  }
  await work();
  return { released, isDone };
}

interface Noted {
  readonly endpointId: EndpointId;
  readonly deliveryId: DeliveryId;
}
