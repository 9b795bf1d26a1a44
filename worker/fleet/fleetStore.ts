import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { PutCommand, UpdateCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { leaseKey, markLeaseDead } from '../../shared/fleet/fleetLease.ts';
import {
  leaderKey,
  ownershipKey,
  readFleet,
  readLeadership,
  readShards,
  toLease,
  type FleetTable,
  type LeaseName,
} from '../../shared/fleet/fleetTable.ts';
import {
  noOrders,
  type FleetView,
  type LeaseView,
  type Orders,
  type ShardView,
  type WorkerLoad,
} from '../../shared/fleet/fleetView.ts';
import type { WorkerId } from '../../shared/kernel/id.ts';
import type { ItemKey } from '../../shared/platform/keys.ts';
import { tableName } from '../../shared/platform/tables.ts';

/** The state that a worker reports when it starts. */
export interface NewLease extends LeaseName {
  readonly deployGeneration: number;
  readonly zone: string | undefined;
}

/** The state that a worker reports with each heartbeat. */
export interface Heartbeat {
  readonly state: 'ALIVE' | 'DRAINING';
  readonly load: WorkerLoad;
  /** Shards whose rows the worker watches because they are to come. */
  readonly expecting: readonly number[];
}

/**
 * Reads and conditional writes of the Fleet table (docs/protocol.md, "Worker lease" and "Shards"). Every change of
 * ownership is one write with its condition, and no condition contains `<>`: that holds where the attribute is missing.
 */
export class FleetStore {
  readonly #fleet: FleetTable;
  readonly #TableName: string;

  constructor(table: DynamoDBDocumentClient, stage: string) {
    this.#fleet = { table, stage };
    this.#TableName = tableName(stage, 'fleet');
  }

  /**
   * Makes the lease. Condition: there is no such lease. `exists` can only be this worker's own write of which the answer
   * was lost, because each start has a new worker id.
   */
  async createLease(
    { taskId, workerId, deployGeneration, zone }: NewLease,
    nowMs: number,
  ): Promise<'created' | 'exists'> {
    const Item = {
      ...leaseKey(taskId, workerId),
      taskId,
      workerId,
      generation: deployGeneration,
      zone,
      state: 'ALIVE',
      heartbeat: 1,
      startedAtMs: nowMs,
      seenAtMs: nowMs,
      orders: noOrders,
    };
    const outcome = await refusable(
      this.#fleet.table.send(
        new PutCommand({ TableName: this.#TableName, Item, ConditionExpression: 'attribute_not_exists(pk)' }),
      ),
    );
    return outcome === 'refused' ? 'exists' : 'created';
  }

  /**
   * Renews the lease. Condition: it exists and is ALIVE or DRAINING. Returns the lease with the orders that the leader
   * left in it, or `fenced` when it is dead or gone. A failure of the store throws, because then the state is not
   * known.
   */
  async heartbeat(lease: LeaseName, beat: Heartbeat, nowMs: number): Promise<LeaseView | 'fenced'> {
    const answer = await refusable(
      this.#fleet.table.send(
        new UpdateCommand({
          TableName: this.#TableName,
          Key: leaseKey(lease.taskId, lease.workerId),
          UpdateExpression:
            'SET heartbeat = heartbeat + :one, #state = :state, #load = :load, expecting = :expecting, seenAtMs = :now',
          ConditionExpression: 'attribute_exists(pk) AND #state IN (:alive, :draining)',
          ExpressionAttributeNames: { '#state': 'state', '#load': 'load' },
          ExpressionAttributeValues: {
            ':one': 1,
            ':state': beat.state,
            ':load': beat.load,
            ':expecting': beat.expecting,
            ':now': nowMs,
            ':alive': 'ALIVE',
            ':draining': 'DRAINING',
          },
          ReturnValues: 'ALL_NEW',
        }),
      ),
    );
    return answer === 'refused' ? 'fenced' : toLease(answer.Attributes ?? {});
  }

  /** Ends the worker's own lease after a drain. */
  finishLease(lease: LeaseName, nowMs: number): Promise<'dead' | 'refused'> {
    return markLeaseDead(this.#fleet, lease, { proof: 'clean', nowMs });
  }

  /** Declares a worker dead that showed no heartbeat. Condition: it has shown none since. */
  declareDead(lease: LeaseName & { readonly observedHeartbeat: number }, nowMs: number): Promise<'dead' | 'refused'> {
    return markLeaseDead(this.#fleet, lease, { proof: 'observed', nowMs });
  }

  read(shardCount: number): Promise<FleetView> {
    return readFleet(this.#fleet, shardCount);
  }

  readShards(shards: readonly number[]): Promise<Pick<FleetView, 'leases' | 'shards'>> {
    return readShards(this.#fleet, shards);
  }

  readLeadership(): Promise<Pick<FleetView, 'leases' | 'leadership'>> {
    return readLeadership(this.#fleet);
  }

  /**
   * Makes this worker the owner. Condition: owner and epoch are still those that were seen, whose owner is dead or none.
   * Returns the new epoch, or `lost` when another claim came first.
   */
  async claim(seen: ShardView, { taskId, workerId }: LeaseName): Promise<number | 'lost'> {
    const epoch = seen.epoch + 1;
    const sameOwner = seen.owner === undefined ? 'attribute_not_exists(#owner)' : '#owner = :seenOwner';
    const sameEpoch = seen.epoch === 0 ? 'attribute_not_exists(#epoch)' : '#epoch = :seenEpoch';
    const outcome = await this.#write(ownershipKey(seen.shard), {
      UpdateExpression: 'SET #owner = :me, ownerTask = :task, #epoch = :epoch REMOVE #next, nextTask',
      ConditionExpression: `${sameOwner} AND ${sameEpoch}`,
      ExpressionAttributeNames: { '#owner': 'owner', '#epoch': 'epoch', '#next': 'next' },
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

  /** Names the worker to whom a shard is to be given. Condition: the owner is the one that was seen, and nobody is named. */
  offer({ shard, owner, epoch }: ShardView, target: LeaseName): Promise<'written' | 'refused'> {
    return this.#write(ownershipKey(shard), {
      UpdateExpression: 'SET #next = :next, nextTask = :task',
      ConditionExpression: '#owner = :owner AND #epoch = :epoch AND attribute_not_exists(#next)',
      ExpressionAttributeNames: { '#owner': 'owner', '#epoch': 'epoch', '#next': 'next' },
      ExpressionAttributeValues: { ':owner': owner, ':epoch': epoch, ':next': target.workerId, ':task': target.taskId },
    });
  }

  /** Takes an offer back. Condition: the target has not become the owner. */
  withdraw({ shard, epoch, next }: ShardView): Promise<'written' | 'refused'> {
    return this.#write(ownershipKey(shard), {
      UpdateExpression: 'REMOVE #next, nextTask',
      ConditionExpression: '#epoch = :epoch AND #next = :next',
      ExpressionAttributeNames: { '#epoch': 'epoch', '#next': 'next' },
      ExpressionAttributeValues: { ':epoch': epoch, ':next': next },
    });
  }

  /**
   * Gives a shard to the worker that is named as next; this is the last write that its owner makes for it. Condition:
   * this worker still owns it under its epoch, and the same worker is still named. The epoch grows.
   */
  give(mine: ShardView, next: LeaseName): Promise<'written' | 'refused'> {
    return this.#write(ownershipKey(mine.shard), {
      UpdateExpression: 'SET #owner = :next, ownerTask = :task, #epoch = :epoch REMOVE #next, nextTask',
      ConditionExpression: '#owner = :me AND #epoch = :mine AND #next = :next',
      ExpressionAttributeNames: { '#owner': 'owner', '#epoch': 'epoch', '#next': 'next' },
      ExpressionAttributeValues: {
        ':me': mine.owner,
        ':mine': mine.epoch,
        ':next': next.workerId,
        ':task': next.taskId,
        ':epoch': mine.epoch + 1,
      },
    });
  }

  /**
   * Gives a shard up when no other worker can take it. Condition: this worker still owns it under its epoch. The epoch
   * grows.
   */
  release(shard: number, workerId: WorkerId, epoch: number): Promise<'written' | 'refused'> {
    return this.#write(ownershipKey(shard), {
      UpdateExpression: 'SET #epoch = :next REMOVE #owner, ownerTask, #next, nextTask',
      ConditionExpression: '#owner = :me AND #epoch = :mine',
      ExpressionAttributeNames: { '#owner': 'owner', '#epoch': 'epoch', '#next': 'next' },
      ExpressionAttributeValues: { ':me': workerId, ':mine': epoch, ':next': epoch + 1 },
    });
  }

  /**
   * Makes this worker the leader. Condition: the leader is still the one that was seen, which does not lead any more.
   */
  lead({ taskId, workerId }: LeaseName, seen: WorkerId | undefined): Promise<'written' | 'refused'> {
    return this.#write(leaderKey, {
      UpdateExpression: 'SET leader = :me, leaderTask = :task REMOVE deputy, deputyTask',
      ConditionExpression: seen === undefined ? 'attribute_not_exists(leader)' : 'leader = :seen',
      ExpressionAttributeValues: {
        ':me': workerId,
        ':task': taskId,
        ...(seen === undefined ? {} : { ':seen': seen }),
      },
    });
  }

  /** Names the deputy of this leader, or none. Condition: it is still the leader. */
  nameDeputy({ workerId }: LeaseName, deputy: LeaseName | undefined): Promise<'written' | 'refused'> {
    return this.#write(leaderKey, {
      UpdateExpression: deputy === undefined ? 'REMOVE deputy, deputyTask' : 'SET deputy = :deputy, deputyTask = :task',
      ConditionExpression: 'leader = :me',
      ExpressionAttributeValues: {
        ':me': workerId,
        ...(deputy === undefined ? {} : { ':deputy': deputy.workerId, ':task': deputy.taskId }),
      },
    });
  }

  /** Leaves a worker its orders on its lease; its next heartbeat brings them. Condition: it is ALIVE or DRAINING. */
  order(lease: LeaseName, orders: Orders): Promise<'written' | 'refused'> {
    return this.#write(leaseKey(lease.taskId, lease.workerId), {
      UpdateExpression: 'SET orders = :orders',
      ConditionExpression: 'attribute_exists(pk) AND #state IN (:alive, :draining)',
      ExpressionAttributeNames: { '#state': 'state' },
      ExpressionAttributeValues: { ':orders': orders, ':alive': 'ALIVE', ':draining': 'DRAINING' },
    });
  }

  async #write(
    Key: ItemKey,
    write: {
      readonly UpdateExpression: string;
      readonly ConditionExpression: string;
      readonly ExpressionAttributeNames?: Record<string, string>;
      readonly ExpressionAttributeValues: Record<string, unknown>;
    },
  ): Promise<'written' | 'refused'> {
    const { pk, sk } = Key;
    const answer = await refusable(
      this.#fleet.table.send(new UpdateCommand({ TableName: this.#TableName, Key: { pk, sk }, ...write })),
    );
    return answer === 'refused' ? 'refused' : 'written';
  }
}

/**
 * Turns a condition that does not hold into an outcome. Every other failure is thrown, because then the state is not
 * known.
 */
async function refusable<Answer>(write: Promise<Answer>): Promise<Answer | 'refused'> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return 'refused';
    throw error;
  }
}
