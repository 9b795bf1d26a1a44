import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { symptoms } from '../../shared/connection/liveness.ts';
import { readItems, type FleetTable } from '../../shared/fleet/fleetTable.ts';
import type { ConnectionId, TenantId, WorkerId } from '../../shared/kernel/id.ts';
import type { ItemKey } from '../../shared/platform/keys.ts';
import { tableName } from '../../shared/platform/tables.ts';
import { rungs } from './ladders.ts';

/**
 * The key of the watchdog's memory from run to run: one item of the Fleet table, because no process lives until the
 * next run.
 */
export const watchdogKey: ItemKey = { pk: 'WATCHDOG', sk: 'WATCHDOG' };
/** The number of latest steps that are kept, to be shown to operators. */
export const STEPS_KEPT = 50;

const branded = <Brand>() => z.string().transform((text) => text as Brand);
const count = z.number().int();
const atMs = z.number();

export const stepReasons = [...symptoms, 'mute', 'silent'] as const;
/** `unknown`: the run ended before its outcome was kept. `alive`: the worker showed a heartbeat after all. */
export const stepOutcomes = ['unknown', 'done', 'dead', 'alive', 'refused', 'failed'] as const;

const recordedStepSchema = z.object({
  atMs,
  rung: z.enum(rungs),
  attempt: count,
  reason: z.enum(stepReasons),
  workerId: branded<WorkerId>(),
  tenantId: branded<TenantId>().optional(),
  connectionId: branded<ConnectionId>().optional(),
  shard: count.optional(),
  outcome: z.enum(stepOutcomes),
});
export type RecordedStep = z.infer<typeof recordedStepSchema>;
export type StepOutcome = RecordedStep['outcome'];

/** What was seen of a worker, and since when it has not changed. Times are the watchdog's wall clock. */
const sightingSchema = z.object({
  heartbeat: count,
  heartbeatSinceMs: atMs,
  /** The number of its last digest; undefined before its first. A worker that never wrote one is not judged by it. */
  digest: count.optional(),
  digestSinceMs: atMs,
  /** The number of runs in a row that have met the same digest again. */
  sameDigestRuns: count,
});
export type Sighting = z.infer<typeof sightingSchema>;

/** How far the watchdog has gone for a worker or connection that is bad. */
const climbSchema = z.object({
  /** The number of steps that were taken. */
  attempts: count,
  steppedAtMs: atMs,
  /** The worker whose digest led to the last step, and the number of that digest. */
  workerId: branded<WorkerId>(),
  digest: count,
  shard: count,
  badAtMs: atMs,
  /** The number of digests since then that showed it well. */
  goodDigests: count,
});
export type Climb = z.infer<typeof climbSchema>;

const memorySchema = z.object({
  ranAtMs: atMs,
  isBraking: z.boolean(),
  workers: z.record(z.string(), sightingSchema),
  connections: z.record(z.string(), climbSchema),
  muteWorkers: z.record(z.string(), climbSchema),
  silentWorkers: z.record(z.string(), climbSchema),
  /** The time at which a task was last stopped for the sake of a connection. */
  stoppedForConnectionAtMs: atMs.optional(),
  /** The latest steps, oldest first. */
  steps: z.array(recordedStepSchema),
});
type Parsed = z.infer<typeof memorySchema>;
export type WatchdogMemory = {
  readonly [Name in keyof Parsed]: Parsed[Name] extends readonly (infer One)[]
    ? readonly One[]
    : Readonly<Parsed[Name]>;
};

/** The memory before the first run. */
export const noWatchdogMemory: WatchdogMemory = {
  ranAtMs: 0,
  isBraking: false,
  workers: {},
  connections: {},
  muteWorkers: {},
  silentWorkers: {},
  steps: [],
};

export interface KeptMemory {
  readonly memory: WatchdogMemory;
  /** The version of the kept memory; 0 when nothing is kept yet. */
  readonly version: number;
}

/**
 * Reads the memory consistently. An item that another version of the watchdog wrote counts as nothing: the ladders
 * begin anew.
 */
export async function readMemory(fleet: FleetTable): Promise<KeptMemory> {
  const [item] = await readItems(fleet, [watchdogKey]);
  if (item === undefined) return { memory: noWatchdogMemory, version: 0 };
  return { memory: unpack(item['memory'] as Uint8Array), version: item['version'] as number };
}

/**
 * Keeps the memory. Condition: nobody has kept anything since `version` was read, so that of two runs at once only one
 * acts. Returns the new version, or `overtaken` when the condition does not hold.
 */
export async function keepMemory(
  { table, stage }: FleetTable,
  memory: WatchdogMemory,
  version: number,
): Promise<number | 'overtaken'> {
  const Item = { ...watchdogKey, version: version + 1, memory: deflateRawSync(JSON.stringify(memory)) };
  try {
    await table.send(
      new PutCommand({
        TableName: tableName(stage, 'fleet'),
        Item,
        ConditionExpression: version === 0 ? 'attribute_not_exists(pk)' : '#version = :version',
        ...(version === 0
          ? {}
          : {
              ExpressionAttributeNames: { '#version': 'version' },
              ExpressionAttributeValues: { ':version': version },
            }),
      }),
    );
    return version + 1;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return 'overtaken';
    throw error;
  }
}

function unpack(packed: Uint8Array): WatchdogMemory {
  try {
    return memorySchema.parse(JSON.parse(inflateRawSync(packed).toString('utf8')));
  } catch {
    return noWatchdogMemory;
  }
}
