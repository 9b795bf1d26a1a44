import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand, ScanCommand, UpdateCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { WorkerId } from '../../shared/kernel/id.ts';
import { LEASE_PREFIX, leaseKey, markLeaseDead } from '../../shared/platform/fleetLease.ts';
import { tableName } from '../../shared/platform/tables.ts';
import type { FleetView, LeaseView, ShardView } from './fleetView.ts';

const SHARD_PREFIX = 'SHARD#';
const LEADER = { pk: 'LEADER', sk: 'LEADER' } as const;
const shardKey = (shard: number) => ({ pk: `${SHARD_PREFIX}${String(shard).padStart(4, '0')}`, sk: 'OWNER' });

/** Names a worker lease; rows that name a worker carry both, so that its lease is one read away. */
export interface LeaseName {
  readonly taskId: string;
  readonly workerId: WorkerId;
}

/** Reads and conditional writes of the Fleet table. Every change of ownership is one write with its condition. */
export class FleetStore {
  readonly #table: DynamoDBDocumentClient;
  readonly #stage: string;
  readonly #TableName: string;

  constructor(table: DynamoDBDocumentClient, stage: string) {
    this.#table = table;
    this.#stage = stage;
    this.#TableName = tableName(stage, 'fleet');
  }

  /**
   * Makes the lease. Condition: there is no such lease. `exists` can only be this worker's own write of which the answer
   * was lost, because each start has a new worker id.
   */
  async createLease({ taskId, workerId }: LeaseName): Promise<'created' | 'exists'> {
    const Item = { ...leaseKey(taskId, workerId), taskId, workerId, state: 'ALIVE', heartbeat: 1, assignment: [] };
    const outcome = await refusable(
      this.#table.send(
        new PutCommand({ TableName: this.#TableName, Item, ConditionExpression: 'attribute_not_exists(pk)' }),
      ),
    );
    return outcome === 'refused' ? 'exists' : 'created';
  }

  /**
   * Renews the lease. Condition: it exists and is ALIVE or DRAINING. Returns the lease with what the leader left in it, or
   * `fenced` when it is dead or gone. A failure of the store throws: that is not knowing.
   */
  async heartbeat(lease: LeaseName, state: 'ALIVE' | 'DRAINING'): Promise<LeaseView | 'fenced'> {
    const answer = await refusable(
      this.#table.send(
        new UpdateCommand({
          TableName: this.#TableName,
          Key: leaseKey(lease.taskId, lease.workerId),
          UpdateExpression: 'SET heartbeat = heartbeat + :one, #state = :state',
          ConditionExpression: 'attribute_exists(pk) AND #state IN (:alive, :draining)',
          ExpressionAttributeNames: { '#state': 'state' },
          ExpressionAttributeValues: { ':one': 1, ':state': state, ':alive': 'ALIVE', ':draining': 'DRAINING' },
          ReturnValues: 'ALL_NEW',
        }),
      ),
    );
    return answer === 'refused' ? 'fenced' : toLease(answer.Attributes ?? {});
  }

  /** The end of the own lease after a drain. */
  finishLease(lease: LeaseName, nowMs: number): Promise<'dead' | 'refused'> {
    return markLeaseDead({ table: this.#table, stage: this.#stage }, lease, { proof: 'clean', nowMs });
  }

  /** The death sentence over a worker that showed no heartbeat. Condition: it has shown none since. */
  sentence(lease: LeaseName & { readonly observedHeartbeat: number }, nowMs: number): Promise<'dead' | 'refused'> {
    return markLeaseDead({ table: this.#table, stage: this.#stage }, lease, { proof: 'observed', nowMs });
  }

  /**
   * Reads the whole table, consistently: it holds a row per worker and per shard. A scan is no snapshot: it may pass the
   * place of a lease before the lease is made, and then meet a shard that its worker claimed. So a lease that is named but
   * was not met is read by its key: it was made before the row that names it, thus only a lease that is gone is missing.
   */
  async read(shardCount: number): Promise<FleetView> {
    const leases: LeaseView[] = [];
    const owners = new Map<number, ShardView>();
    const named = new Map<WorkerId, string>();
    let leader: WorkerId | undefined;
    for await (const item of this.#scan()) {
      const pk = item['pk'] as string;
      if (pk.startsWith(LEASE_PREFIX)) leases.push(toLease(item));
      else if (pk.startsWith(SHARD_PREFIX)) {
        const shard = Number(pk.slice(SHARD_PREFIX.length));
        const owner = item['owner'] as WorkerId | undefined;
        owners.set(shard, { shard, owner, epoch: item['epoch'] as number });
        if (owner !== undefined) named.set(owner, item['ownerTask'] as string);
      } else if (pk === LEADER.pk) {
        leader = item['leader'] as WorkerId;
        named.set(leader, item['leaderTask'] as string);
      }
    }
    for (const { workerId } of leases) named.delete(workerId);
    for (const [workerId, taskId] of named) {
      const lease = await this.#readLease({ taskId, workerId });
      if (lease !== undefined) leases.push(lease);
    }
    const shards = Array.from(
      { length: shardCount },
      (_, shard) => owners.get(shard) ?? { shard, owner: undefined, epoch: 0 },
    );
    return { leases, shards, leader };
  }

  async *#scan(): AsyncGenerator<Record<string, unknown>> {
    let start: Record<string, unknown> | undefined;
    do {
      const page = await this.#table.send(
        new ScanCommand({
          TableName: this.#TableName,
          ConsistentRead: true,
          ...(start === undefined ? {} : { ExclusiveStartKey: start }),
        }),
      );
      yield* page.Items ?? [];
      start = page.LastEvaluatedKey;
    } while (start !== undefined);
  }

  async #readLease({ taskId, workerId }: LeaseName): Promise<LeaseView | undefined> {
    const Key = leaseKey(taskId, workerId);
    const { Item } = await this.#table.send(new GetCommand({ TableName: this.#TableName, Key, ConsistentRead: true }));
    return Item === undefined ? undefined : toLease(Item);
  }

  /**
   * Makes this worker the owner. Condition: owner and epoch are still those that were seen, whose owner is dead or none.
   * Returns the new epoch, or `lost` when another claim came first.
   */
  async claim(seen: ShardView, { taskId, workerId }: LeaseName): Promise<number | 'lost'> {
    const epoch = seen.epoch + 1;
    const sameOwner = seen.owner === undefined ? 'attribute_not_exists(#owner)' : '#owner = :seenOwner';
    const sameEpoch = seen.epoch === 0 ? 'attribute_not_exists(#epoch)' : '#epoch = :seenEpoch';
    const outcome = await this.#write(shardKey(seen.shard), {
      UpdateExpression: 'SET #owner = :me, ownerTask = :task, #epoch = :epoch',
      ConditionExpression: `${sameOwner} AND ${sameEpoch}`,
      ExpressionAttributeNames: { '#owner': 'owner', '#epoch': 'epoch' },
      ExpressionAttributeValues: {
        ':me': workerId,
        ':task': taskId,
        ':epoch': epoch,
        ...(seen.owner === undefined ? {} : { ':seenOwner': seen.owner }),
        ...(seen.epoch === 0 ? {} : { ':seenEpoch': seen.epoch }),
      },
    });
    return outcome === 'written' ? epoch : 'lost';
  }

  /** Gives a shard up at the end of a drain. Condition: it is still mine under my epoch. The epoch grows. */
  release(shard: number, workerId: WorkerId, epoch: number): Promise<'written' | 'refused'> {
    return this.#write(shardKey(shard), {
      UpdateExpression: 'SET #epoch = :next REMOVE #owner, ownerTask',
      ConditionExpression: '#owner = :me AND #epoch = :mine',
      ExpressionAttributeNames: { '#owner': 'owner', '#epoch': 'epoch' },
      ExpressionAttributeValues: { ':me': workerId, ':mine': epoch, ':next': epoch + 1 },
    });
  }

  /** Makes this worker the leader. Condition: the leader is still the one that was seen, who is dead or none. */
  lead({ taskId, workerId }: LeaseName, seen: WorkerId | undefined): Promise<'written' | 'refused'> {
    return this.#write(LEADER, {
      UpdateExpression: 'SET leader = :me, leaderTask = :task',
      ConditionExpression: seen === undefined ? 'attribute_not_exists(leader)' : 'leader = :seen',
      ExpressionAttributeValues: {
        ':me': workerId,
        ':task': taskId,
        ...(seen === undefined ? {} : { ':seen': seen }),
      },
    });
  }

  /** Leaves a worker the shards to claim; its next heartbeat brings them. Condition: it is ALIVE. */
  assign(lease: LeaseName, assignment: readonly number[]): Promise<'written' | 'refused'> {
    return this.#write(leaseKey(lease.taskId, lease.workerId), {
      UpdateExpression: 'SET assignment = :assignment',
      ConditionExpression: 'attribute_exists(pk) AND #state = :alive',
      ExpressionAttributeNames: { '#state': 'state' },
      ExpressionAttributeValues: { ':assignment': assignment, ':alive': 'ALIVE' },
    });
  }

  async #write(
    Key: { readonly pk: string; readonly sk: string },
    write: {
      readonly UpdateExpression: string;
      readonly ConditionExpression: string;
      readonly ExpressionAttributeNames?: Record<string, string>;
      readonly ExpressionAttributeValues: Record<string, unknown>;
    },
  ): Promise<'written' | 'refused'> {
    const answer = await refusable(this.#table.send(new UpdateCommand({ TableName: this.#TableName, Key, ...write })));
    return answer === 'refused' ? 'refused' : 'written';
  }
}

/** A condition that does not hold is an outcome; every other failure is thrown: that is not knowing. */
async function refusable<Answer>(write: Promise<Answer>): Promise<Answer | 'refused'> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return 'refused';
    throw error;
  }
}

function toLease(item: Record<string, unknown>): LeaseView {
  return {
    workerId: item['workerId'] as WorkerId,
    taskId: item['taskId'] as string,
    state: item['state'] as LeaseView['state'],
    heartbeat: item['heartbeat'] as number,
    assignment: (item['assignment'] as readonly number[] | undefined) ?? [],
  };
}
