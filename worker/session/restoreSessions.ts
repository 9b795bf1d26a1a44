import { UpdateCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { ownershipKey, readFleet } from '../../shared/fleet/fleetTable.ts';
import { waitUntil } from '../../shared/kernel/clock.ts';
import type { ConnectionId, TenantId } from '../../shared/kernel/id.ts';
import { scanItems } from '../../shared/platform/pages.ts';
import { tableName } from '../../shared/platform/tables.ts';
import type { FleetStore } from '../fleet/fleetStore.ts';
import type { CommitGate } from '../fleet/gate.ts';
import { CREDENTIALS_KEY } from './credentials.ts';
import { openSession, type SessionOptions } from './session.ts';

/**
 * The repair after the Sessions table was put back from a backup (docs/sessions.md, "Restore"). An old ratchet would
 * use message keys twice, so every Signal session and sender key is left behind: they are made anew, which contacts do
 * not notice. Every epoch is raised above any that was ever seen, so that nothing written before counts any more.
 * Credentials, app-state keys and addresses stay. One-time pre-keys stay too, since WhatsApp gives each away only once;
 * their numbers jump ahead, because WhatsApp knows the numbers used since the backup with other keys. Running it again
 * does no harm.
 */
const PRE_KEYS_AHEAD = 10_000;
/**
 * How far epochs jump ahead. When the Fleet table is lost nobody knows how high the epochs were: facts that still wait
 * in a queue carry them.
 */
const EPOCHS_AHEAD = 1_000_000;

export interface RestoreOptions extends Omit<SessionOptions, 'gate'> {
  readonly fleet: FleetStore;
  readonly fleetTable: DynamoDBDocumentClient;
  readonly shardCount: number;
  /** How long a lease must show the same heartbeat to count as dead, in milliseconds. */
  readonly deathMs: number;
}

export interface RestoreReport {
  /** The number of connections whose ratchets were left behind. */
  readonly paired: number;
  /** The number of connections without credentials, for which there is nothing to do. */
  readonly unpaired: number;
  /** The epoch that every shard has now. */
  readonly epoch: number;
}

/** A worker is running, or was started meanwhile: two processes would use one ratchet. */
export class WorkersRunningError extends Error {
  override readonly name = 'WorkersRunningError';

  constructor(workers: readonly string[]) {
    super(
      `Still running: ${workers.join(', ')}. Stop all workers first (scale the service to 0), then run this again.`,
    );
  }
}

/** Runs the repair. Throws {@link WorkersRunningError} when a worker is alive. */
export async function restoreSessions(options: RestoreOptions): Promise<RestoreReport> {
  await endSilentLeases(options);
  const stored = await findStored(options);
  const { shards } = await readFleet({ table: options.fleetTable, stage: options.stage }, options.shardCount);
  const isFleetLost = shards.every(({ epoch }) => epoch === 0);
  const highest = Math.max(stored.highestEpoch, ...shards.map((shard) => shard.epoch));
  const epoch = highest + (isFleetLost ? EPOCHS_AHEAD : 1);
  for (let shard = 0; shard < options.shardCount; shard += 1) await raiseShard(options, shard, epoch);
  let paired = 0;
  for (const connection of stored.connections) {
    const session = await openSession({ ...connection, shard: 0, token: epoch }, { ...options, gate: noFleet });
    if (!session.isPaired) continue;
    await session.renegotiate();
    await session.saveCredentials(skipPreKeys(session.credentials));
    paired += 1;
  }
  return { paired, unpaired: stored.connections.length - paired, epoch };
}

/** The gate of a process without a fleet: no worker is running, so there is nothing to be fenced from. */
const noFleet: CommitGate = {
  isOpen: () => true,
  timeLeftMs: () => Infinity,
  openForMs: () => Infinity,
  assertOpen: () => undefined,
  whenOpen: async () => undefined,
};

async function endSilentLeases({
  fleet,
  fleetTable,
  stage,
  shardCount,
  deathMs,
  clock,
}: RestoreOptions): Promise<void> {
  const { leases } = await readFleet({ table: fleetTable, stage }, shardCount);
  const living = leases.filter(({ state }) => state !== 'DEAD');
  if (living.length === 0) return;
  await waitUntil(clock, clock.monotonicMs() + deathMs);
  const running: string[] = [];
  for (const { taskId, workerId, heartbeat } of living) {
    const outcome = await fleet.declareDead({ taskId, workerId, observedHeartbeat: heartbeat }, clock.nowMs());
    if (outcome === 'refused') running.push(workerId);
  }
  if (running.length > 0) throw new WorkersRunningError(running);
}

interface Stored {
  readonly highestEpoch: number;
  readonly connections: readonly { readonly tenantId: TenantId; readonly connectionId: ConnectionId }[];
}

async function findStored({ table, stage }: RestoreOptions): Promise<Stored> {
  const connections: { readonly tenantId: TenantId; readonly connectionId: ConnectionId }[] = [];
  let highestEpoch = 0;
  const items = scanItems(table, {
    TableName: tableName(stage, 'sessions'),
    ConsistentRead: true,
    ProjectionExpression: 'pk, sk, #epoch',
    ExpressionAttributeNames: { '#epoch': 'epoch' },
  });
  for await (const item of items) {
    highestEpoch = Math.max(highestEpoch, Number(item['epoch']));
    if (item['sk'] !== CREDENTIALS_KEY) continue;
    const [, tenantId, connectionId] = String(item['pk']).split('#');
    connections.push({ tenantId: tenantId as TenantId, connectionId: connectionId as ConnectionId });
  }
  return { highestEpoch, connections };
}

/**
 * Raises the epoch of a shard. Condition: nothing has raised it further. The shard has no owner then; the next worker
 * claims it.
 */
async function raiseShard({ fleetTable, stage }: RestoreOptions, shard: number, epoch: number): Promise<void> {
  const { pk, sk } = ownershipKey(shard);
  await fleetTable.send(
    new UpdateCommand({
      TableName: tableName(stage, 'fleet'),
      Key: { pk, sk },
      UpdateExpression: 'SET #epoch = :epoch REMOVE #owner, ownerTask, #next, nextTask',
      ConditionExpression: 'attribute_not_exists(#epoch) OR #epoch < :epoch',
      ExpressionAttributeNames: { '#epoch': 'epoch', '#owner': 'owner', '#next': 'next' },
      ExpressionAttributeValues: { ':epoch': epoch },
    }),
  );
}

/** Moves Baileys' counters ahead: the number of the next pre-key, and of the first that WhatsApp does not have. */
function skipPreKeys(credentials: unknown): unknown {
  const fields = credentials as Readonly<Record<string, unknown>>;
  const next = Number(fields['nextPreKeyId'] ?? 1) + PRE_KEYS_AHEAD;
  return { ...fields, nextPreKeyId: next, firstUnuploadedPreKeyId: next };
}
