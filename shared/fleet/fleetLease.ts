import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { UpdateCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { WorkerId } from '../kernel/id.ts';
import type { HandOffRequest } from './fleetView.ts';
import type { ItemKey } from '../platform/keys.ts';
import { allOf, queryItems } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';

/**
 * Worker leases in the Fleet table, as far as processes other than workers touch them: the stopped-task function marks
 * the leases of a task DEAD, the admin function asks a worker to drain, and the watchdog does both and requests
 * hand-offs. A lease is keyed by its task, because ECS names tasks; a task that was restarted holds several.
 */
export const leaseKey = (taskId: string, workerId: WorkerId): ItemKey => ({ pk: `LEASE#${taskId}`, sk: workerId });
export const LEASE_PREFIX = 'LEASE#';

/**
 * The time in seconds for which a dead lease is kept: a day, so that every process that still looks for it learns that
 * it is dead.
 */
const DEAD_LEASE_SECONDS = 86_400;

/**
 * Marks a lease DEAD, which is for ever. A lease gets its expiry in this write and in no other.
 * Condition: the lease exists and is alive; with `observedHeartbeat`, also that no heartbeat has come since.
 * Returns `refused` when the condition does not hold.
 */
export async function markLeaseDead(
  { table, stage }: { readonly table: DynamoDBDocumentClient; readonly stage: string },
  lease: { readonly taskId: string; readonly workerId: WorkerId; readonly observedHeartbeat?: number },
  death: { readonly proof: 'clean' | 'observed' | 'stopped'; readonly nowMs: number },
): Promise<'dead' | 'refused'> {
  const { observedHeartbeat } = lease;
  const unchanged = observedHeartbeat === undefined ? '' : ' AND heartbeat = :observed';
  try {
    await table.send(
      new UpdateCommand({
        TableName: tableName(stage, 'fleet'),
        Key: leaseKey(lease.taskId, lease.workerId),
        UpdateExpression: 'SET #state = :dead, proof = :proof, #ttl = :ttl',
        ConditionExpression: `attribute_exists(pk) AND #state IN (:alive, :draining)${unchanged}`,
        ExpressionAttributeNames: { '#state': 'state', '#ttl': 'ttl' },
        ExpressionAttributeValues: {
          ':dead': 'DEAD',
          ':alive': 'ALIVE',
          ':draining': 'DRAINING',
          ':proof': death.proof,
          ':ttl': Math.floor(death.nowMs / 1_000) + DEAD_LEASE_SECONDS,
          ...(observedHeartbeat === undefined ? {} : { ':observed': observedHeartbeat }),
        },
      }),
    );
    return 'dead';
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return 'refused';
    throw error;
  }
}

/** Marks all leases of a task DEAD, because its process is known to be gone. Returns how many it changed. */
export async function markTaskDead(
  dependencies: { readonly table: DynamoDBDocumentClient; readonly stage: string },
  taskId: string,
  nowMs: number,
): Promise<number> {
  const leases = queryItems(dependencies.table, {
    TableName: tableName(dependencies.stage, 'fleet'),
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': `${LEASE_PREFIX}${taskId}` },
    ConsistentRead: true,
  });
  const outcomes = await Promise.all(
    (await allOf(leases)).map((item) =>
      markLeaseDead(dependencies, { taskId, workerId: item['sk'] as WorkerId }, { proof: 'stopped', nowMs }),
    ),
  );
  return outcomes.filter((outcome) => outcome === 'dead').length;
}

/**
 * Asks a worker to drain; its next heartbeat brings it the request. Condition: the lease exists and is ALIVE. To ask
 * twice is to ask once. Returns the present state of the lease when the condition does not hold, as the refused write
 * itself saw it: a second read could show something else again.
 */
export async function requestDrain(
  { table, stage }: { readonly table: DynamoDBDocumentClient; readonly stage: string },
  lease: { readonly taskId: string; readonly workerId: WorkerId },
): Promise<'requested' | 'draining' | 'dead' | 'missing'> {
  try {
    await table.send(
      new UpdateCommand({
        TableName: tableName(stage, 'fleet'),
        Key: leaseKey(lease.taskId, lease.workerId),
        UpdateExpression: 'SET drainRequested = :true',
        ConditionExpression: 'attribute_exists(pk) AND #state = :alive',
        ExpressionAttributeNames: { '#state': 'state' },
        ExpressionAttributeValues: { ':true': true, ':alive': 'ALIVE' },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      }),
    );
    return 'requested';
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    if (error.Item === undefined) return 'missing';
    return error.Item['state']?.S === 'DRAINING' ? 'draining' : 'dead';
  }
}

/**
 * Leaves on a lease the hand-offs that the watchdog requests: shards that another worker should own. The leader's next
 * plan honours them. They replace the requests that were there. Condition: the lease exists and is ALIVE, since a
 * worker that drains gives everything away in any case.
 */
export async function requestHandOffs(
  { table, stage }: { readonly table: DynamoDBDocumentClient; readonly stage: string },
  lease: { readonly taskId: string; readonly workerId: WorkerId },
  requests: readonly HandOffRequest[],
): Promise<'written' | 'refused'> {
  try {
    await table.send(
      new UpdateCommand({
        TableName: tableName(stage, 'fleet'),
        Key: leaseKey(lease.taskId, lease.workerId),
        UpdateExpression: 'SET handOffs = :requests',
        ConditionExpression: 'attribute_exists(pk) AND #state = :alive',
        ExpressionAttributeNames: { '#state': 'state' },
        ExpressionAttributeValues: { ':requests': requests, ':alive': 'ALIVE' },
      }),
    );
    return 'written';
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return 'refused';
    throw error;
  }
}
