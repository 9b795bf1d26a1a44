import type { TenantId } from '../kernel/id.ts';
import { eventPageKey, eventPartition, PAGES_PER_PARTITION } from '../platform/keys.ts';
import { firstOf, queryItems } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import type { EventLogDependencies, Lane } from './eventLog.ts';
import { toPageRow, type PageRow } from './eventPages.ts';

/** The lane of a tenant's log that is read. */
export interface LaneOfLog {
  readonly tenantId: TenantId;
  readonly lane: Lane;
}

/**
 * The rows of a lane in order of their numbers, from after `start` to at most the last number that was taken. Strongly
 * consistent.
 * @param pageSize rows in one answer of the table
 */
export async function* rowsAfter(
  dependencies: EventLogDependencies,
  log: LaneOfLog,
  start: number,
  last: number,
  pageSize: number,
): AsyncGenerator<PageRow> {
  const lastPartition = partitionOf(last);
  let partition = partitionOf(start + 1);
  let from = start + 1;
  while (partition <= lastPartition) {
    let isEmpty = true;
    for await (const row of rowsOf(dependencies, log, partition, from, pageSize)) {
      isEmpty = false;
      yield row;
    }
    partition = isEmpty ? await firstFilledPartition(dependencies, log, partition + 1, lastPartition) : partition + 1;
    from = partition * PAGES_PER_PARTITION;
  }
}

const partitionOf = (page: number): number => Math.floor(page / PAGES_PER_PARTITION);

/**
 * Pages expire in the order of the lane, so empty partitions come before filled ones, and a lane with millions of expired
 * pages is entered in a few queries. Returns a number past `high` when all are empty.
 */
async function firstFilledPartition(
  dependencies: EventLogDependencies,
  log: LaneOfLog,
  low: number,
  high: number,
): Promise<number> {
  let [first, end] = [low, high + 1];
  while (first < end) {
    const middle = Math.floor((first + end) / 2);
    const [row] = await firstOf(rowsOf(dependencies, log, middle, 0, 1), 1);
    if (row !== undefined) end = middle;
    else first = middle + 1;
  }
  return first;
}

/** The rows of one partition in order, from a number on. */
async function* rowsOf(
  dependencies: EventLogDependencies,
  { tenantId, lane }: LaneOfLog,
  partition: number,
  from: number,
  pageSize: number,
): AsyncGenerator<PageRow> {
  const first = Math.max(from, partition * PAGES_PER_PARTITION);
  const input = {
    TableName: tableName(dependencies.stage, 'core'),
    KeyConditionExpression: 'pk = :pk AND sk >= :from',
    ExpressionAttributeValues: {
      ':pk': eventPartition(tenantId, lane, partition * PAGES_PER_PARTITION),
      ':from': eventPageKey(tenantId, lane, first).sk,
    },
    ConsistentRead: true,
  };
  for await (const item of queryItems(dependencies.table, input, { pageSize })) yield toPageRow(item);
}
