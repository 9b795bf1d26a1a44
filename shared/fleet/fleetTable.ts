import { BatchGetCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { AppError } from '../kernel/appError.ts';
import type { WorkerId } from '../kernel/id.ts';
import type { ItemKey } from '../platform/keys.ts';
import { scanItems } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import { LEASE_PREFIX, leaseKey } from './fleetLease.ts';
import {
  noLoad,
  noOrders,
  type FleetView,
  type LeaseState,
  type LeaseView,
  type Leadership,
  type Orders,
  type ShardView,
  type WorkerLoad,
} from './fleetView.ts';

/** Consistent reads of the Fleet table, which holds a row for each worker, a row for each shard, and the leader's. */
const SHARD_PREFIX = 'SHARD#';
export const leaderKey: ItemKey = { pk: 'LEADER', sk: 'LEADER' };
export const ownershipKey = (shard: number): ItemKey => ({
  pk: `${SHARD_PREFIX}${String(shard).padStart(4, '0')}`,
  sk: 'OWNER',
});

/** The name of a worker lease. Rows that name a worker carry both ids, so that its lease is one read away. */
export interface LeaseName {
  readonly taskId: string;
  readonly workerId: WorkerId;
}

export interface FleetTable {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

const BATCH_LIMIT = 100;
const nobody: Leadership = { leader: undefined, deputy: undefined };

/**
 * Reads the whole table. A scan is no snapshot: it may pass the place of a lease before the lease is made, and then
 * meet a shard that its worker claimed. So a lease that is named but was not met is read by its key: it was made before
 * the row that names it, thus only a lease that is gone is missing.
 */
export async function readFleet(fleet: FleetTable, shardCount: number): Promise<FleetView> {
  const leases: LeaseView[] = [];
  const owners = new Map<number, ShardView>();
  const named = new Map<WorkerId, string>();
  let leadership = nobody;
  for await (const item of scan(fleet)) {
    const pk = item['pk'] as string;
    if (pk.startsWith(LEASE_PREFIX)) leases.push(toLease(item));
    else if (pk.startsWith(SHARD_PREFIX)) {
      const row = toShard(item);
      owners.set(row.shard, row);
      nameWorkers(named, item);
    } else if (pk === leaderKey.pk) {
      leadership = toLeadership(item);
      nameWorkers(named, item);
    }
  }
  for (const { workerId } of leases) named.delete(workerId);
  leases.push(...(await readLeases(fleet, named)));
  const shards = Array.from({ length: shardCount }, (_, shard) => owners.get(shard) ?? noOwner(shard));
  return { leases, shards, leadership };
}

/** Reads some shards, and then the leases of the workers that are named in them. */
export async function readShards(
  fleet: FleetTable,
  shards: readonly number[],
): Promise<Pick<FleetView, 'leases' | 'shards'>> {
  const items = await readItems(fleet, shards.map(ownershipKey));
  const named = new Map<WorkerId, string>();
  for (const item of items) nameWorkers(named, item);
  const rows = new Map(items.map((item) => [toShard(item).shard, toShard(item)]));
  return { shards: shards.map((shard) => rows.get(shard) ?? noOwner(shard)), leases: await readLeases(fleet, named) };
}

/** Reads which worker leads, and the leases of leader and deputy. */
export async function readLeadership(fleet: FleetTable): Promise<Pick<FleetView, 'leases' | 'leadership'>> {
  const [item] = await readItems(fleet, [leaderKey]);
  if (item === undefined) return { leases: [], leadership: nobody };
  const named = new Map<WorkerId, string>();
  nameWorkers(named, item);
  return { leadership: toLeadership(item), leases: await readLeases(fleet, named) };
}

function scan({ table, stage }: FleetTable): AsyncGenerator<Record<string, unknown>> {
  return scanItems(table, { TableName: tableName(stage, 'fleet'), ConsistentRead: true });
}

/** Reads leases by name. A read that is not complete throws: a lease that was not read must not count as missing. */
async function readLeases(fleet: FleetTable, named: ReadonlyMap<WorkerId, string>): Promise<readonly LeaseView[]> {
  const keys = [...named].map(([workerId, taskId]) => leaseKey(taskId, workerId));
  return (await readItems(fleet, keys)).map(toLease);
}

/** Reads the items that exist, consistently. Throws `store_unavailable` when the read is not complete. */
export async function readItems(
  { table, stage }: FleetTable,
  keys: readonly ItemKey[],
): Promise<readonly Record<string, unknown>[]> {
  const TableName = tableName(stage, 'fleet');
  const found: Record<string, unknown>[] = [];
  for (let start = 0; start < keys.length; start += BATCH_LIMIT) {
    const Keys = keys.slice(start, start + BATCH_LIMIT).map(({ pk, sk }) => ({ pk, sk }));
    const answer = await table.send(
      new BatchGetCommand({ RequestItems: { [TableName]: { Keys, ConsistentRead: true } } }),
    );
    if ((answer.UnprocessedKeys?.[TableName]?.Keys ?? []).length > 0) throw new AppError('store_unavailable');
    found.push(...(answer.Responses?.[TableName] ?? []));
  }
  return found;
}

/** Collects the workers that an item names as owner, next owner, leader or deputy, with their tasks. */
function nameWorkers(named: Map<WorkerId, string>, item: Readonly<Record<string, unknown>>): void {
  for (const role of ['owner', 'next', 'leader', 'deputy']) {
    const workerId = item[role] as WorkerId | undefined;
    if (workerId !== undefined) named.set(workerId, item[`${role}Task`] as string);
  }
}

function noOwner(shard: number): ShardView {
  return { shard, owner: undefined, epoch: 0, next: undefined };
}

function toShard(item: Readonly<Record<string, unknown>>): ShardView {
  return {
    shard: Number((item['pk'] as string).slice(SHARD_PREFIX.length)),
    owner: item['owner'] as WorkerId | undefined,
    epoch: item['epoch'] as number,
    next: item['next'] as WorkerId | undefined,
  };
}

function toLeadership(item: Readonly<Record<string, unknown>>): Leadership {
  return {
    leader: item['leader'] as WorkerId,
    deputy: item['deputy'] as WorkerId | undefined,
  };
}

/** A lease from its item. */
export function toLease(item: Readonly<Record<string, unknown>>): LeaseView {
  return {
    workerId: item['workerId'] as WorkerId,
    taskId: item['taskId'] as string,
    state: item['state'] as LeaseState,
    heartbeat: item['heartbeat'] as number,
    deployGeneration: (item['generation'] as number | undefined) ?? 0,
    zone: item['zone'] as string | undefined,
    startedAtMs: (item['startedAtMs'] as number | undefined) ?? 0,
    seenAtMs: (item['seenAtMs'] as number | undefined) ?? 0,
    proof: item['proof'] as LeaseView['proof'],
    load: { ...noLoad, ...(item['load'] as Partial<WorkerLoad> | undefined) },
    expecting: (item['expecting'] as readonly number[] | undefined) ?? [],
    orders: { ...noOrders, ...(item['orders'] as Partial<Orders> | undefined) },
    drainRequested: item['drainRequested'] === true,
    handOffs: (item['handOffs'] as LeaseView['handOffs'] | undefined) ?? [],
  };
}
