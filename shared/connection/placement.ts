import { AppError } from '../kernel/appError.ts';
import { backoffMs } from '../kernel/backoff.ts';
import { makeId, type TenantId } from '../kernel/id.ts';
import type { Quotas } from '../platform/quotaRows.ts';
import type { Surroundings } from '../platform/surroundings.ts';
import type { Connection } from './connection.ts';
import type { ConnectionStore } from './connectionStore.ts';
import type { Placement } from './placeWrites.ts';
import type { Changeable } from './settings.ts';
import type { UnpairedPlaces } from './unpairedPlaces.ts';

/**
 * Placement: a connection gets its shard once, when it is created: the less loaded of two random ones with room. Two
 * choices are enough to keep shards even, and cost two reads however many shards there are. So these two also say how full
 * all of them are, which keeps one tenant from taking all that is left.
 */
export interface PlacementDependencies extends Pick<Surroundings, 'clock' | 'random'> {
  readonly connections: Pick<ConnectionStore, 'create' | 'occupancy'>;
  readonly unpairedPlaces: Pick<UnpairedPlaces, 'findFree'>;
  readonly shardCount: number;
  readonly shardCap: number;
  /** Hears how many of all places are taken, in percent, as the shards that were looked at say, from when half of them are. */
  readonly notePlaces?: (takenPercent: number) => void;
}

/** What of the quotas of its tenant a new connection counts against. */
type PlaceQuotas = Pick<Quotas, 'connections' | 'unpairedConnections'>;

/**
 * How many times as many connections a tenant may have as there are places left: so it takes no more than four fifths of what others leave,
 * and the alarm about places goes before anybody is refused.
 */
export const SHARE_OF_LEFT = 4;
/** While fewer places are taken, in percent, nobody need be told. */
const TOLD_FROM_PERCENT = 50;
/** How often a connection is made again that met another one at the same instant. */
const TRIES = 8;
const RETRY_DELAY = { firstMs: 10, capMs: 200 } as const;

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

/** How many places are left in all, as some shards with their numbers of connections say. The function is pure. */
export function placesLeft(
  loads: readonly Load[],
  { shardCount, shardCap }: Pick<PlacementDependencies, 'shardCount' | 'shardCap'>,
): number {
  const taken = loads.reduce((sum, { load }) => sum + Math.min(load, shardCap), 0);
  return Math.round((shardCap - taken / loads.length) * shardCount);
}

interface Load {
  readonly shard: number;
  readonly load: number;
}

/**
 * Creates a connection, unpaired and wanted online. Throws `quota_exceeded` when the tenant has as many as it may, `no_share_left` when it
 * has its share of the places that are left, and `no_shard_available` when all shards are full.
 */
export async function createConnection(
  dependencies: PlacementDependencies,
  tenantId: TenantId,
  chosen: Changeable,
  quotas: PlaceQuotas,
): Promise<Connection> {
  const { clock, random } = dependencies;
  for (let attempt = 0; ; attempt += 1) {
    const unpairedPlace = await dependencies.unpairedPlaces.findFree(tenantId, quotas.unpairedConnections, random);
    if (unpairedPlace === undefined) throw tooManyUnpaired(quotas);
    const made = await placeSomewhere(dependencies, quotas, (shard) => ({
      ...newConnection(dependencies, tenantId, chosen, shard),
      unpairedPlace,
    }));
    if (typeof made === 'object') return made;
    if (made === 'full') throw new AppError('no_shard_available', { retryAfterSeconds: 60 });
    if (attempt + 1 === TRIES) throw new AppError('store_unavailable', { retryAfterSeconds: 1 });
    await clock.sleep(backoffMs(RETRY_DELAY, attempt, random.unit()));
  }
}

/** Places a connection on one of two shards with room, or on any. Returns it, or why the same may be tried again or not. */
async function placeSomewhere(
  dependencies: PlacementDependencies,
  quotas: PlaceQuotas,
  record: (shard: number) => Connection,
): Promise<Connection | Exclude<Placement, 'created' | 'most'>> {
  const { connections, random, shardCount, shardCap, notePlaces } = dependencies;
  const drawn = await byOccupancy(connections, chooseCandidates(shardCount, [random.unit(), random.unit()]));
  const left = placesLeft(drawn, dependencies);
  const takenPercent = Math.round(100 - (100 * left) / (shardCount * shardCap));
  if (takenPercent >= TOLD_FROM_PERCENT) notePlaces?.(takenPercent);
  const share = SHARE_OF_LEFT * left;
  const most = Math.min(quotas.connections, Math.max(1, share));
  const tryEach = async (loads: readonly Load[]): Promise<Connection | Exclude<Placement, 'created' | 'most'>> => {
    for (const { shard } of loads) {
      const connection = record(shard);
      const outcome = await connections.create(connection, shardCap, most);
      if (outcome === 'created') return connection;
      if (outcome === 'most') throw tooMany(quotas, most);
      if (outcome !== 'full') return outcome;
    }
    return 'full';
  };
  const placed = await tryEach(drawn);
  if (placed !== 'full') return placed;
  // Both are full, so all of them are looked at before the connection is refused.
  return tryEach(
    await byOccupancy(
      connections,
      Array.from({ length: shardCount }, (_, shard) => shard),
    ),
  );
}

function newConnection(
  { clock, random }: PlacementDependencies,
  tenantId: TenantId,
  chosen: Changeable,
  shard: number,
): Connection {
  const nowMs = clock.nowMs();
  return {
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
  };
}

function tooMany({ connections }: PlaceQuotas, most: number): AppError {
  if (most < connections) return new AppError('no_share_left', { retryAfterSeconds: 60 });
  const detail = `This tenant may have ${connections} connections. Delete one, or ask the operator for more.`;
  return new AppError('quota_exceeded', { detail });
}

function tooManyUnpaired({ unpairedConnections }: PlaceQuotas): AppError {
  const detail = `This tenant may have ${unpairedConnections} connections to which no account was ever linked. Link one, or delete one.`;
  return new AppError('quota_exceeded', { detail });
}

async function byOccupancy(
  connections: Pick<ConnectionStore, 'occupancy'>,
  shards: readonly number[],
): Promise<readonly Load[]> {
  const loads = await Promise.all(shards.map(async (shard) => ({ shard, load: await connections.occupancy(shard) })));
  return loads.sort((left, right) => left.load - right.load);
}
