import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { standingIn } from '../identity/standing.ts';
import type { TenantId } from '../kernel/id.ts';
import { eventDirectoryKey, tenantKey } from '../platform/keys.ts';
import { scanItems } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import { finishGrowth } from './eventGrowth.ts';
import { eraAfter, readDirectory } from './eventLanes.ts';
import type { EventLogDependencies } from './eventLog.ts';

/**
 * Begins a new era in every tenant's log after Core was put back from a backup. Otherwise the numbers of events that were
 * given since the backup would be given again, and receivers, who recognise a repetition by its id, would drop new events
 * as old ones. A generation of a new era has a number that was never used. Readers that are further than the log that was
 * put back go on at the start of the new era. Scans Core; running it again only begins another era. Returns how many
 * tenants there are.
 */
export async function beginEras(dependencies: EventLogDependencies): Promise<number> {
  const { sk } = tenantKey('' as TenantId);
  let tenants = 0;
  const items = scanItems(dependencies.table, {
    TableName: tableName(dependencies.stage, 'core'),
    ConsistentRead: true,
    FilterExpression: 'sk = :sk',
    ExpressionAttributeValues: { ':sk': sk },
  });
  for await (const item of items) {
    // One that was deleted has no log, and is to have none.
    if (standingIn(item).state === 'deleted') continue;
    await beginEra(dependencies, String(item['pk']).replace(/^TENANT#/, '') as TenantId);
    tenants += 1;
  }
  return tenants;
}

/**
 * The steps are those of growth, so a death between them is made good in the same way. The first has no condition: a
 * growth that was under way when the backup was made leads into the new era instead.
 */
async function beginEra(dependencies: EventLogDependencies, tenantId: TenantId): Promise<void> {
  const { generation } = await readDirectory(dependencies, tenantId);
  await dependencies.table.send(
    new UpdateCommand({
      TableName: tableName(dependencies.stage, 'core'),
      Key: eventDirectoryKey(tenantId),
      UpdateExpression: 'SET growsTo = :next',
      ExpressionAttributeValues: { ':next': eraAfter(generation) },
    }),
  );
  await finishGrowth(dependencies, tenantId);
}
