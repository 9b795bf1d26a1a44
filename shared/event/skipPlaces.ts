import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { TenantId } from '../kernel/id.ts';
import { EVENTS_PER_PARTITION, eventSequenceKey } from '../platform/keys.ts';
import { scanItems } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import { voidPlace, type EventLogDependencies } from './eventLog.ts';

/** How many numbers are skipped: more than any tenant has events between a backup and a loss. The figure is chosen. */
export const PLACES_SKIPPED = 1_000_000;

/**
 * Makes every tenant's log go on far ahead after Core was put back from a backup. Otherwise the numbers of events that
 * were given since would be given again, and receivers, who recognise a repetition by its id, would drop new events as
 * old ones. Scans Core; running it again only skips more. Returns how many tenants have a log.
 */
export async function skipPlaces(dependencies: EventLogDependencies): Promise<number> {
  const { sk } = eventSequenceKey('' as TenantId);
  const TableName = tableName(dependencies.stage, 'core');
  let tenants = 0;
  const items = scanItems(dependencies.table, {
    TableName,
    ConsistentRead: true,
    FilterExpression: 'sk = :sk',
    ExpressionAttributeValues: { ':sk': sk },
  });
  for await (const item of items) {
    const tenantId = String(item['pk']).replace(/^TENANT#/, '') as TenantId;
    await skipPlacesOf(dependencies, tenantId, Number(item['last']));
    tenants += 1;
  }
  return tenants;
}

/** The counter is written first: a number that is given meanwhile is past the gap. */
async function skipPlacesOf(dependencies: EventLogDependencies, tenantId: TenantId, last: number): Promise<void> {
  const next = last + PLACES_SKIPPED;
  await dependencies.table.send(
    new UpdateCommand({
      TableName: tableName(dependencies.stage, 'core'),
      Key: eventSequenceKey(tenantId),
      // The time is so long ago that readers pass the gap and do not wait for it.
      UpdateExpression: 'SET #last = :next, takenAtMs = :longAgo',
      ConditionExpression: '#last < :next',
      ExpressionAttributeNames: { '#last': 'last' },
      ExpressionAttributeValues: { ':next': next, ':longAgo': 0 },
    }),
  );
  // Readers search the log by halves and take an empty partition to mean that all before it have expired.
  for (let sequence = last + 1; sequence <= next; sequence = nextPartition(sequence)) {
    await voidPlace(dependencies, tenantId, { sequence, previousTakenAtMs: 0 });
  }
}

function nextPartition(sequence: number): number {
  return (Math.floor(sequence / EVENTS_PER_PARTITION) + 1) * EVENTS_PER_PARTITION;
}
