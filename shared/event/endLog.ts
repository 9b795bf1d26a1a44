import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { TenantId } from '../kernel/id.ts';
import { expiryOf } from '../platform/expiry.ts';
import { eventCounterKey, eventDirectoryKey, eventPartition, PAGES_PER_PARTITION } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';
import { lanesIn, readDirectory } from './eventLanes.ts';
import type { EventLogDependencies } from './eventLog.ts';

/**
 * Ends the log of a tenant that is being deleted: facts that come after it are dropped, so that nothing makes the log anew, or rows of its connections. A process
 * that has read the directory just before goes on for some seconds. The mark stays for as long as a queue may keep a fact. Again it comes to the same.
 */
export async function endLog({ table, stage, clock }: EventLogDependencies, tenantId: TenantId): Promise<void> {
  await table.send(
    new UpdateCommand({
      TableName: tableName(stage, 'core'),
      Key: eventDirectoryKey(tenantId),
      UpdateExpression: 'SET isEnded = :true, #ttl = :ttl',
      ExpressionAttributeNames: { '#ttl': 'ttl' },
      ExpressionAttributeValues: { ':true': true, ':ttl': expiryOf('endedLog', clock.nowMs()) },
    }),
  );
}

/**
 * The partitions of a tenant's log, one after the other: those of the pages of a lane before that of its counter, which says how many of them there are. So whoever
 * removes them in this order, and dies, finds the rest.
 */
export async function* logPartitions(
  dependencies: EventLogDependencies,
  tenantId: TenantId,
): AsyncGenerator<{ readonly pk: string; readonly holds: 'eventPages' | 'counter' }> {
  const { generation, past, growsTo } = await readDirectory(dependencies, tenantId);
  const generations = new Set([
    ...past.map((one) => one.generation),
    generation,
    ...(growsTo === undefined ? [] : [growsTo]),
  ]);
  for (const one of generations) {
    for (let lane = 0; lane < lanesIn(one); lane += 1) {
      const at = { generation: one, lane };
      const last = await lastPage(dependencies, tenantId, at);
      if (last === undefined) continue;
      for (let page = 0; page <= last; page += PAGES_PER_PARTITION) {
        yield { pk: eventPartition(tenantId, at, page), holds: 'eventPages' };
      }
      yield { pk: eventCounterKey(tenantId, at).pk, holds: 'counter' };
    }
  }
}

/** The last number that a lane has given; undefined where it has no counter. */
async function lastPage(
  { table, stage }: EventLogDependencies,
  tenantId: TenantId,
  lane: { readonly generation: number; readonly lane: number },
): Promise<number | undefined> {
  const { Item } = await table.send(
    new GetCommand({ TableName: tableName(stage, 'core'), Key: eventCounterKey(tenantId, lane), ConsistentRead: true }),
  );
  return Item === undefined ? undefined : Number(Item['last'] ?? 0);
}
