import { AppError } from '../kernel/appError.ts';
import { makeId, type TenantId } from '../kernel/id.ts';
import type { Connection } from './connection.ts';
import type { Changeable } from './settings.ts';
import type { ConnectionStore } from './connectionStore.ts';
import type { Surroundings } from '../platform/surroundings.ts';

/**
 * Placement: a connection gets its shard once, when it is created: the less loaded of two random ones with room. Two
 * choices are enough to keep shards even, and cost two reads however many shards there are.
 */
export interface PlacementDependencies extends Pick<Surroundings, 'clock' | 'random'> {
  readonly connections: ConnectionStore;
  readonly shardCount: number;
  readonly shardCap: number;
}

/**
 * Two different shards of `shardCount` (one, if there is only one).
 * @param units two numbers in [0, 1)
 */
export function chooseCandidates(shardCount: number, units: readonly [number, number]): readonly number[] {
  const first = Math.floor(units[0] * shardCount);
  if (shardCount === 1) return [first];
  const other = Math.floor(units[1] * (shardCount - 1));
  return [first, other < first ? other : other + 1];
}

/** Creates a connection, unpaired and wanted online. Throws `no_shard_available` when all shards are full. */
export async function createConnection(
  dependencies: PlacementDependencies,
  tenantId: TenantId,
  chosen: Changeable,
): Promise<Connection> {
  const { connections, clock, random, shardCount, shardCap } = dependencies;
  const nowMs = clock.nowMs();
  const record = (shard: number): Connection => ({
    tenantId,
    connectionId: makeId('con', nowMs, random),
    ...chosen,
    shard,
    wanted: 'online',
    pairing: undefined,
    account: undefined,
    status: 'unpaired',
    statusCode: 'never_paired',
    statusSinceMs: nowMs,
    createdAtMs: nowMs,
    parkedCount: 0,
  });
  const drawn = await byOccupancy(connections, chooseCandidates(shardCount, [random.unit(), random.unit()]));
  for (const shard of drawn) {
    const connection = record(shard);
    if ((await connections.create(connection, shardCap)) === 'created') return connection;
  }
  // Both are full, so all of them are looked at before the connection is refused.
  const all = await byOccupancy(
    connections,
    Array.from({ length: shardCount }, (_, shard) => shard),
  );
  for (const shard of all) {
    const connection = record(shard);
    if ((await connections.create(connection, shardCap)) === 'created') return connection;
  }
  throw new AppError('no_shard_available', { retryAfterSeconds: 60 });
}

async function byOccupancy(connections: ConnectionStore, shards: readonly number[]): Promise<readonly number[]> {
  const loads = await Promise.all(shards.map(async (shard) => ({ shard, load: await connections.occupancy(shard) })));
  return loads.sort((left, right) => left.load - right.load).map(({ shard }) => shard);
}
