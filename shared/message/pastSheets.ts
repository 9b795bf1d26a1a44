import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DeleteCommand,
  GetCommand,
  PutCommand,
  UpdateCommand,
  type DynamoDBDocumentClient,
} from '@aws-sdk/lib-dynamodb';
import { AppError } from '../kernel/appError.ts';
import type { ConnectionId, MessageId, TenantId } from '../kernel/id.ts';
import {
  historyPartition,
  PAST_CHAT_PREFIX,
  pastNamesKey,
  pastPartition,
  SHEET_PREFIX,
} from '../platform/historyKeys.ts';
import { messageKey } from '../platform/keys.ts';
import { firstOf, queryItems, type Item } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import type { ReceivedMessage } from './message.ts';
import { pastNamesRowOf, toName } from './pastNames.ts';
import { fromSheet, repacked } from './pastSheet.ts';

interface SheetTable {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

/** A place among the sheets of a connection; the first where nothing is said. */
export interface SheetPlace {
  /** The sort key of the row of the last chat that is done. */
  readonly after?: string | undefined;
  /** The sort key of the last sheet that was looked at, of the chat behind that one. */
  readonly sheet?: string | undefined;
}

/** The sheets that are read at once: unpacked they have 4 MB at most, but for messages that are larger than a sheet alone. */
const SHEETS_AT_ONCE = 20;
/** The most rows of one `BatchGet`. */
const BATCH = 100;
/** How often a sheet is written anew that others write, too. */
const TRIES = 4;

/**
 * Reads some sheets of one chat, strongly consistent. Returns the place behind them, which is undefined where there is no further chat.
 */
export async function readSheetsAt(
  { table, stage }: SheetTable,
  connectionId: ConnectionId,
  { after, sheet }: SheetPlace,
): Promise<{ readonly rows: readonly Item[]; readonly next: SheetPlace | undefined }> {
  const chat = await firstChat({ table, stage }, connectionId, after);
  if (chat === undefined) return { rows: [], next: undefined };
  const done: SheetPlace = { after: String(chat['sk']) };
  const pk = pastPartition(connectionId, String(chat['tag']));
  const input = {
    TableName: tableName(stage, 'core'),
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
    ExpressionAttributeValues: { ':pk': pk, ':prefix': SHEET_PREFIX },
    ConsistentRead: true,
  };
  const from = { after: sheet === undefined ? undefined : { pk, sk: sheet }, pageSize: SHEETS_AT_ONCE };
  const rows = await firstOf(queryItems(table, input, from), SHEETS_AT_ONCE);
  const last = rows.length < SHEETS_AT_ONCE ? undefined : rows.at(-1);
  return { rows, next: last === undefined ? done : { after, sheet: String(last['sk']) } };
}

/** The row of the chat behind a place; undefined where there is none. */
export async function firstChat(
  { table, stage }: SheetTable,
  connectionId: ConnectionId,
  after: string | undefined,
): Promise<Item | undefined> {
  const pk = historyPartition(connectionId);
  const chats = queryItems(
    table,
    {
      TableName: tableName(stage, 'core'),
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': pk, ':prefix': PAST_CHAT_PREFIX },
      ConsistentRead: true,
    },
    { after: after === undefined ? undefined : { pk, sk: after }, pageSize: 1 },
  );
  for await (const chat of chats) return chat;
  return undefined;
}

/** The messages of a sheet, the newest first. */
export function messagesOn(row: Item, connectionId: ConnectionId): readonly ReceivedMessage[] {
  return fromSheet(row['data'] as Uint8Array, { tenantId: row['tenantId'] as TenantId, connectionId });
}

/** The rows that some messages of histories have of their own, by their ids, strongly consistent. */
export async function ownRowsOf(
  { table, stage }: SheetTable,
  connectionId: ConnectionId,
  ids: readonly MessageId[],
): Promise<ReadonlyMap<MessageId, Item>> {
  const name = tableName(stage, 'core');
  const found = new Map<MessageId, Item>();
  for (let from = 0; from < ids.length; from += BATCH) {
    const Keys = ids.slice(from, from + BATCH).map((id) => ({ ...messageKey(connectionId, id) }));
    const answer = await table.send(new BatchGetCommand({ RequestItems: { [name]: { Keys, ConsistentRead: true } } }));
    // A row that was not read must not count as missing.
    if ((answer.UnprocessedKeys?.[name]?.Keys ?? []).length > 0) throw new AppError('store_unavailable');
    for (const item of answer.Responses?.[name] ?? []) found.set(item['messageId'] as MessageId, item);
  }
  return found;
}

/**
 * Takes messages from a sheet; a sheet without any goes. Condition: it is as it was read; what somebody else has written meanwhile is read anew. Returns how
 * many messages this call has taken.
 */
export async function takeFromSheet(
  { table, stage }: SheetTable,
  row: Item,
  isTaken: (message: Pick<ReceivedMessage, 'messageId'>) => boolean,
): Promise<number> {
  const TableName = tableName(stage, 'core');
  const Key = { pk: row['pk'], sk: row['sk'] };
  let now: Item | undefined = row;
  for (let tries = 0; tries < TRIES; tries += 1) {
    if (now === undefined) return 0;
    const { sheet, taken } = repacked(now['data'] as Uint8Array, isTaken);
    if (taken === 0) return 0;
    const asRead = {
      ConditionExpression: '#data = :data',
      ExpressionAttributeNames: { '#data': 'data' },
      ExpressionAttributeValues: { ':data': now['data'] },
    };
    const command =
      sheet === undefined
        ? new DeleteCommand({ TableName, Key, ...asRead })
        : new PutCommand({ TableName, Item: { ...now, ...sheet }, ...asRead });
    try {
      await table.send(command as PutCommand);
      return taken;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
    ({ Item: now } = await table.send(new GetCommand({ TableName, Key, ConsistentRead: true })));
  }
  throw new AppError('store_unavailable', { detail: 'a sheet is written by others all the time' });
}

/** Takes the names of messages away, by which others find them. @param tag of their chat */
export async function takeNames(
  { table, stage }: SheetTable,
  connectionId: ConnectionId,
  tag: string,
  names: readonly { readonly key: string; readonly messageId: MessageId }[],
): Promise<void> {
  for (const [row, named] of Map.groupBy(names, ({ key }) => pastNamesRowOf(key))) {
    const update = new UpdateCommand({
      TableName: tableName(stage, 'core'),
      Key: { ...pastNamesKey(connectionId, tag, row) },
      UpdateExpression: 'DELETE #names :names',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeNames: { '#names': 'names' },
      ExpressionAttributeValues: { ':names': new Set(named.map(toName)) },
    });
    try {
      await table.send(update);
    } catch (error) {
      // A row that is not there has none of them.
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }
}
