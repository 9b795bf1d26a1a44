import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { numberOf } from '../contact/contact.ts';
import type { MediaFile } from '../content/mediaFile.ts';
import type { ConnectionId, MediaId, MessageId } from '../kernel/id.ts';
import { mediaIdsOf } from '../media/media.ts';
import { isDone, type SendState } from '../message/message.ts';
import { numberLookUpKey } from '../platform/contactKeys.ts';
import { messagePartition, receiptsKey, versionPrefix, type ItemKey } from '../platform/keys.ts';
import { queryItems, type Item } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import type { ErasedCounts, ErasedKind } from './archiveJob.ts';
import type { RowTable } from './rowsInPlace.ts';

/** The rows that are removed together with a message, each with its kind, and the files that came with it. */
export interface MessageRows {
  readonly rows: readonly (readonly [ErasedKind, ItemKey])[];
  readonly mediaIds: readonly MediaId[];
}

/** Whether a row is that of a message that is still to leave, or leaves now: whoever sends it relies on its row. */
export function isUnfinished(row: Item): boolean {
  return row['direction'] === 'out' && !isDone(row['state'] as SendState);
}

/** All that hangs on a message: the message comes last, so that whatever dies in between finds the rest by it. */
export async function rowsOfMessage(given: RowTable, connectionId: ConnectionId, row: Item): Promise<MessageRows> {
  const messageId = row['messageId'] as MessageId;
  const pk = messagePartition(connectionId);
  const versions = queryItems(given.table, {
    TableName: tableName(given.stage, 'core'),
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
    ProjectionExpression: 'pk, sk',
    ExpressionAttributeValues: { ':pk': pk, ':prefix': versionPrefix(messageId) },
    ConsistentRead: true,
  });
  const rows: (readonly [ErasedKind, ItemKey])[] = [];
  for await (const { sk } of versions) rows.push(['versions', { pk, sk: String(sk) }]);
  if (row['direction'] === 'out') rows.push(['receipts', receiptsKey(connectionId, messageId)]);
  rows.push(['messages', { pk, sk: String(row['sk']) }]);
  const files = (row['files'] as readonly MediaFile[] | undefined) ?? [];
  return { rows, mediaIds: mediaIdsOf(messageId, files) };
}

/** What WhatsApp has answered about the numbers of a person. */
export function lookUpsOf(
  connectionId: ConnectionId,
  names: readonly string[],
): readonly (readonly [ErasedKind, ItemKey])[] {
  const numbers = names.flatMap((name) => numberOf(name) ?? []);
  return numbers.map((number) => ['lookUps', numberLookUpKey(connectionId, number)]);
}

/** Removes rows, one after the other. Returns how many of each kind were there. */
export async function removeRows(
  { table, stage }: RowTable,
  rows: readonly (readonly [ErasedKind, ItemKey])[],
): Promise<ErasedCounts> {
  const removed: Partial<Record<ErasedKind, number>> = {};
  for (const [kind, key] of rows) {
    const { Attributes } = await table.send(
      new DeleteCommand({ TableName: tableName(stage, 'core'), Key: { ...key }, ReturnValues: 'ALL_OLD' }),
    );
    if (Attributes !== undefined) removed[kind] = (removed[kind] ?? 0) + 1;
  }
  return removed;
}
