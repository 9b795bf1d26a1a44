import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { UpdateCommand, type UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { LRUCache } from 'lru-cache';
import type { TenantId } from '../kernel/id.ts';
import { isThrottled } from '../platform/judgeStoreCall.ts';
import { eventCounterKey, eventDirectoryKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';
import { lanesIn, largerThan, readDirectory } from './eventLanes.ts';
import type { EventLogDependencies, Lane } from './eventLog.ts';

/**
 * A tenant's log gets twice as many lanes when one of them is too busy. Three steps, each of which may be repeated and
 * done by two at once:
 *
 * 1. The directory says which generation is to follow. Condition: none is named yet.
 * 2. Every lane of the generation is sealed: its counter gives no more numbers, and its last one stands.
 * 3. The directory names the new generation as the one that writers use. Condition: the one that was to follow is still
 *    the same.
 *
 * What if the process dies after a step: whoever is refused a place in a sealed lane, or finds a lane too busy, does the
 * rest. Until then lanes that are not sealed go on. Order holds because no number of the new generation is taken before
 * the last lane of the old one is sealed, and a reader passes to the new one when it has read them all.
 *
 * A generation is not left again: more lanes than needed cost a reader one small read each.
 */

/** The rate of a lane from which on it is too busy: a third of what a partition takes in events of 1 KB, a second. */
export const BUSY_EVENTS_PER_SECOND = 300;
/**
 * The rate from which on a call that was too much is laid to the lane's own load, and not to that of the whole table, a
 * second. It is low because events may be long.
 */
export const THROTTLED_EVENTS_PER_SECOND = 10;
/** The time over which the rate is judged, in milliseconds. */
export const BUSY_FOR_MS = 10_000;
const LANES_WATCHED = 5_000;

/** What a process saw at the counter of a lane, which all processes move. */
export interface LaneLook {
  readonly atMs: number;
  /** The number of events for which the lane had given places. */
  readonly eventCount: number;
  /** The rate by the look before; undefined for the first. */
  readonly perSecond: number | undefined;
}

/** Judges the rate of a lane by two looks at its counter. Returns the one to keep: the old while it is too young to judge. */
export function lookAt(before: LaneLook | undefined, atMs: number, eventCount: number): LaneLook {
  if (before === undefined) return { atMs, eventCount, perSecond: undefined };
  const elapsedMs = atMs - before.atMs;
  if (elapsedMs < BUSY_FOR_MS) return before;
  return { atMs, eventCount, perSecond: ((eventCount - before.eventCount) * 1_000) / elapsedMs };
}

/** Notes what the counter of a lane says, and lets the log grow when the lane is too busy. Never rejects. */
export async function noteLoad(
  dependencies: EventLogDependencies,
  tenantId: TenantId,
  lane: Lane,
  eventCount: number,
): Promise<void> {
  const looks = looksOf(dependencies);
  const { pk } = eventCounterKey(tenantId, lane);
  const before = looks.get(pk);
  const look = lookAt(before, dependencies.clock.monotonicMs(), eventCount);
  looks.set(pk, look);
  if (look !== before && (look.perSecond ?? 0) > BUSY_EVENTS_PER_SECOND) await growSoon(dependencies, tenantId, lane);
}

/** Lets the log grow when a call on a busy lane was too much for the table. Never rejects. */
export async function noteThrottle(
  dependencies: EventLogDependencies,
  tenantId: TenantId,
  lane: Lane,
  error: unknown,
): Promise<void> {
  if (!isThrottled(error)) return;
  const look = looksOf(dependencies).get(eventCounterKey(tenantId, lane).pk);
  if ((look?.perSecond ?? 0) > THROTTLED_EVENTS_PER_SECOND) await growSoon(dependencies, tenantId, lane);
}

/** Growth is no part of the work in hand: when it fails, the next busy moment tries it again. */
async function growSoon(dependencies: EventLogDependencies, tenantId: TenantId, lane: Lane): Promise<void> {
  await grow(dependencies, tenantId, lane.generation).catch(() => undefined);
}

/** Gives a tenant's log the generation after this one, if this one is in use and there is a larger one. */
export async function grow(dependencies: EventLogDependencies, tenantId: TenantId, generation: number): Promise<void> {
  const next = largerThan(generation);
  if (next === undefined) return;
  await updateDirectory(dependencies, tenantId, {
    UpdateExpression: 'SET growsTo = :next',
    ConditionExpression: `${inUse(generation)} AND attribute_not_exists(growsTo)`,
    ExpressionAttributeValues: { ':next': next, ':generation': generation },
  });
  await finishGrowth(dependencies, tenantId);
}

/** Does what is left of a growth that somebody began, if anything. The directory is then known as it stands now. */
export async function finishGrowth(dependencies: EventLogDependencies, tenantId: TenantId): Promise<void> {
  const { generation, past, growsTo } = await readDirectory(dependencies, tenantId);
  if (growsTo === undefined) return;
  await sealAll(dependencies, tenantId, generation);
  await updateDirectory(dependencies, tenantId, {
    UpdateExpression: 'SET generation = :next, past = :past REMOVE growsTo',
    ConditionExpression: `${inUse(generation)} AND growsTo = :next`,
    ExpressionAttributeValues: {
      ':next': growsTo,
      ':generation': generation,
      ':past': [...past, { generation, endedAtMs: dependencies.clock.nowMs() }],
    },
  });
  await readDirectory(dependencies, tenantId);
}

/** The condition that writers use this generation; a directory that was never written means the first. */
function inUse(generation: number): string {
  return generation === 0
    ? '(attribute_not_exists(generation) OR generation = :generation)'
    : 'generation = :generation';
}

async function sealAll(dependencies: EventLogDependencies, tenantId: TenantId, generation: number): Promise<void> {
  const lanes = Array.from({ length: lanesIn(generation) }, (_, lane) => ({ generation, lane }));
  await Promise.all(
    lanes.map((lane) =>
      dependencies.table.send(
        new UpdateCommand({
          TableName: tableName(dependencies.stage, 'core'),
          Key: eventCounterKey(tenantId, lane),
          UpdateExpression: 'SET sealed = :true',
          ExpressionAttributeValues: { ':true': true },
        }),
      ),
    ),
  );
}

/** Changes the directory, unless somebody else was first. */
async function updateDirectory(
  { table, stage }: EventLogDependencies,
  tenantId: TenantId,
  change: Pick<UpdateCommandInput, 'UpdateExpression' | 'ConditionExpression' | 'ExpressionAttributeValues'>,
): Promise<void> {
  try {
    await table.send(
      new UpdateCommand({ TableName: tableName(stage, 'core'), Key: eventDirectoryKey(tenantId), ...change }),
    );
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}

const watched = new WeakMap<object, LRUCache<string, LaneLook>>();

/** The last look at each lane that a process uses, with the client by which it uses them. */
function looksOf({ table }: EventLogDependencies): LRUCache<string, LaneLook> {
  let looks = watched.get(table);
  if (looks === undefined) {
    looks = new LRUCache({ max: LANES_WATCHED });
    watched.set(table, looks);
  }
  return looks;
}
