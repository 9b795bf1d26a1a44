import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { readItems, type FleetTable } from '../fleet/fleetTable.ts';
import type { ConnectionId, TenantId, WorkerId } from '../kernel/id.ts';
import type { ItemKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';
import type { ConnectionVitals } from './liveness.ts';

/**
 * The report of a worker on its connections for the watchdog: one small item for each worker, not one for each
 * connection. It names only connections that look unwell, with their raw ages, so that the watchdog judges by limits of
 * its own.
 */
export interface WorkerDigest {
  /** A number that grows with each digest of this worker. */
  readonly number: number;
  /** How late the event loop was since the digest before, as the 99th percentile in milliseconds. */
  readonly loopDelayMs: number;
  readonly shards: readonly ShardDigest[];
}

export interface ShardDigest {
  readonly shard: number;
  readonly epoch: number;
  /** The number of connections that the worker holds for the shard. */
  readonly count: number;
  readonly online: number;
  /** The number of connections that look unwell; the item has room for the worst of them. */
  readonly suspected: number;
  readonly suspects: readonly ConnectionVitals[];
}

export const digestKey = (workerId: WorkerId): ItemKey => ({ pk: `DIGEST#${workerId}`, sk: 'DIGEST' });

/** The time in seconds after which the digest of a worker that ended expires. */
const DIGEST_SECONDS = 86_400;
export const SUSPECTS_PER_SHARD = 10;
/** The bytes of two write units, 2 KB, that the packed digest may fill beside keys and names. */
const PACKED_BYTES = 1_850;

/**
 * The age, in milliseconds, by which a connection looks worst. An age that a quiet connection has for hours, such as
 * the time since its last message, is no sign; nor is an offer that waits for a person.
 */
export function worstAgeMs({ runnerBusyMs = 0, evidence }: ConnectionVitals): number {
  if (evidence === undefined || evidence.phase === 'pairing') return runnerBusyMs;
  if (evidence.phase === 'opening') return Math.max(runnerBusyMs, evidence.phaseMs);
  const { lastFrameMs, oldestUnhandledMs = 0, oldestUnacknowledgedMs = 0, oldestLockMs = 0 } = evidence;
  return Math.max(runnerBusyMs, lastFrameMs, oldestUnhandledMs, oldestUnacknowledgedMs, oldestLockMs);
}

/**
 * Sums vitals up by shard.
 * @param owned owned shards, each with its epoch; shards without connections are reported, too
 */
export function summarize(
  owned: ReadonlyMap<number, number>,
  vitals: readonly ConnectionVitals[],
  suspectMs: number,
): readonly ShardDigest[] {
  const byShard = Map.groupBy(vitals, ({ shard }) => shard);
  return [...owned].map(([shard, epoch]) => {
    const all = byShard.get(shard) ?? [];
    const suspected = all
      .filter((one) => worstAgeMs(one) >= suspectMs)
      .sort((left, right) => worstAgeMs(right) - worstAgeMs(left));
    return {
      shard,
      epoch,
      count: all.length,
      online: all.filter(({ evidence }) => evidence?.phase === 'open').length,
      suspected: suspected.length,
      suspects: suspected.slice(0, SUSPECTS_PER_SHARD),
    };
  });
}

/** Writes a worker's digest over the one before: at most two write units. Throws when the store does not accept it. */
export async function writeDigest(
  { table, stage }: FleetTable,
  workerId: WorkerId,
  digest: WorkerDigest,
  nowMs: number,
): Promise<void> {
  const ttl = Math.floor(nowMs / 1_000) + DIGEST_SECONDS;
  const Item = { ...digestKey(workerId), workerId, number: digest.number, digest: packDigest(digest), ttl };
  await table.send(new PutCommand({ TableName: tableName(stage, 'fleet'), Item }));
}

/** Reads the last digests of these workers; a worker without one, or with one that cannot be read, is left out. */
export async function readDigests(
  fleet: FleetTable,
  workerIds: readonly WorkerId[],
): Promise<ReadonlyMap<WorkerId, WorkerDigest>> {
  const items = await readItems(fleet, workerIds.map(digestKey));
  return new Map(
    items.flatMap((item): [WorkerId, WorkerDigest][] => {
      const digest = unpackDigest(item['digest'] as Uint8Array);
      return digest === undefined ? [] : [[item['workerId'] as WorkerId, digest]];
    }),
  );
}

/** Packs a digest as deflated JSON. It names fewer suspects, the mildest left out first, until it fits. */
export function packDigest(digest: WorkerDigest): Uint8Array {
  let shards = digest.shards;
  for (;;) {
    const packed = deflateRawSync(JSON.stringify({ ...digest, shards: shards.map(toPlain) }));
    const most = Math.max(0, ...shards.map(({ suspects }) => suspects.length));
    if (packed.length <= PACKED_BYTES || most === 0) return packed;
    shards = shards.map((one) => ({ ...one, suspects: one.suspects.slice(0, most - 1) }));
  }
}

/** The digest; undefined when another version wrote it. */
export function unpackDigest(packed: Uint8Array): WorkerDigest | undefined {
  try {
    return digestSchema.parse(JSON.parse(inflateRawSync(packed).toString('utf8')));
  } catch {
    return undefined;
  }
}

/** The plain form of a shard: its id once, and ages in whole milliseconds. */
function toPlain(shard: ShardDigest) {
  const suspects = shard.suspects.map(({ tenantId, connectionId, runnerBusyMs, evidence }) => ({
    tenantId,
    connectionId,
    runnerBusyMs,
    evidence,
  }));
  const wholeNumbers = (_: string, value: unknown): unknown => (typeof value === 'number' ? Math.round(value) : value);
  return JSON.parse(JSON.stringify({ ...shard, suspects }, wholeNumbers)) as object;
}

const age = z.number().optional();
const evidenceSchema = z
  .object({
    phase: z.enum(['opening', 'pairing', 'open']),
    phaseMs: z.number(),
    lastFrameMs: z.number(),
    lastHandledMs: age,
    lastAckMs: age,
    oldestUnhandledMs: age,
    oldestUnacknowledgedMs: age,
    oldestLockMs: age,
  })
  .transform((value) => ({
    phase: value.phase,
    phaseMs: value.phaseMs,
    lastFrameMs: value.lastFrameMs,
    lastHandledMs: value.lastHandledMs,
    lastAckMs: value.lastAckMs,
    oldestUnhandledMs: value.oldestUnhandledMs,
    oldestUnacknowledgedMs: value.oldestUnacknowledgedMs,
    oldestLockMs: value.oldestLockMs,
  }));
const shardSchema = z
  .object({
    shard: z.number().int(),
    epoch: z.number().int(),
    count: z.number().int(),
    online: z.number().int(),
    suspected: z.number().int(),
    suspects: z.array(
      z.object({
        tenantId: z.string().transform((text) => text as TenantId),
        connectionId: z.string().transform((text) => text as ConnectionId),
        runnerBusyMs: age,
        evidence: evidenceSchema.optional(),
      }),
    ),
  })
  .transform(({ suspects, ...shard }) => ({
    ...shard,
    suspects: suspects.map(({ tenantId, connectionId, runnerBusyMs, evidence }) => ({
      tenantId,
      connectionId,
      shard: shard.shard,
      runnerBusyMs,
      evidence,
    })),
  }));
const digestSchema = z.object({ number: z.number().int(), loopDelayMs: z.number(), shards: z.array(shardSchema) });
