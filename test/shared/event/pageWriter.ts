import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { TenantEvent } from '../../../shared/event/event.ts';
import type { EventLogDependencies } from '../../../shared/event/eventLog.ts';
import {
  eventIdAt,
  findPage,
  placesOf,
  takePlacesFor,
  toEvent,
  voidPlaces,
  writePage,
} from '../../../shared/event/eventPages.ts';
import type { ConnectionId, EventId, TenantId } from '../../../shared/kernel/id.ts';
import { aStatusDraft } from './loggedEvents.ts';

/** The batches that one connection has to tell, each with the names of its events. */
export interface WriterWork {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly batches: readonly (readonly string[])[];
}

/**
 * Writes the batches of a connection in their order, each as a page and once, whatever was done of it before: a row says
 * under which id a batch was to be written, and the page under this id is what makes it written. It may be called again
 * at any time, also while an earlier call is at work.
 */
export async function writeBatches(dependencies: EventLogDependencies, work: WriterWork): Promise<void> {
  for (const [number, names] of work.batches.entries()) {
    while (!(await isWritten(dependencies, work, number))) await tryBatch(dependencies, work, number, names);
  }
}

const rowKey = ({ connectionId }: WriterWork, number: number) => ({ pk: `BATCH#${connectionId}`, sk: String(number) });
const TableName = 'test-core';

async function idOfRow({ table }: EventLogDependencies, work: WriterWork, number: number) {
  const Key = rowKey(work, number);
  const answer = await table.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
  return answer.Item?.['eventId'] as EventId | undefined;
}

/** Whether a batch is written. A page that never came is voided first, so that nobody writes it any more. */
async function isWritten(dependencies: EventLogDependencies, work: WriterWork, number: number): Promise<boolean> {
  const eventId = await idOfRow(dependencies, work, number);
  if (eventId === undefined) return false;
  const found = await findPage(dependencies, work.tenantId, eventId);
  if (found !== 'missing') return found === 'page';
  const places = placesOf(eventId, dependencies.clock.nowMs());
  if (places === undefined) throw new Error(`${eventId} is no event id`);
  return (await voidPlaces(dependencies, work.tenantId, places)) === 'filled' && isWritten(dependencies, work, number);
}

async function tryBatch(
  dependencies: EventLogDependencies,
  work: WriterWork,
  number: number,
  names: readonly string[],
): Promise<void> {
  const { tenantId, connectionId } = work;
  const before = await idOfRow(dependencies, work, number);
  if (before !== undefined && (await findPage(dependencies, tenantId, before)) !== 'void') return;
  const places = await takePlacesFor(dependencies, tenantId, connectionId, names.length);
  const row = { ...rowKey(work, number), eventId: eventIdAt(places, 0) };
  const condition =
    before === undefined
      ? { ConditionExpression: 'attribute_not_exists(pk)' }
      : { ConditionExpression: 'eventId = :before', ExpressionAttributeValues: { ':before': before } };
  try {
    await dependencies.table.send(new PutCommand({ TableName, Item: row, ...condition }));
  } catch (error) {
    if ((error as Error).name !== 'ConditionalCheckFailedException') throw error;
    // Another call of this work was quicker, and these places are for nobody.
    await voidPlaces(dependencies, tenantId, places);
    return;
  }
  const events = names.map((correlationId, index): TenantEvent =>
    toEvent(places, index, aStatusDraft(tenantId, { connectionId, correlationId })),
  );
  await writePage(dependencies, tenantId, places, events);
}
