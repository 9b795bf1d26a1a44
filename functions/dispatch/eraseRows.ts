import { DeleteCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { isUnfinished } from '../../shared/archive/eraseRows.ts';
import { parseId, type BulkSendId, type ConnectionId, type MediaId } from '../../shared/kernel/id.ts';
import { askToErase, eraseFilesJobsOf } from '../../shared/media/eraseJob.ts';
import type { Erasure, Erasures } from '../../shared/media/erasures.ts';
import { mediaIdsOf } from '../../shared/media/media.ts';
import type { MediaQueue } from '../../shared/media/mediaJob.ts';
import { noteTenantFile } from '../../shared/media/fileNotes.ts';
import { firstChat, messagesOn } from '../../shared/message/pastSheets.ts';
import { CHAT_PARTS, chatPartition } from '../../shared/platform/chatKeys.ts';
import { contactPartition } from '../../shared/platform/contactKeys.ts';
import { historyPartition, NOTICE_PREFIX, pastPartition, SHEET_PREFIX } from '../../shared/platform/historyKeys.ts';
import {
  BULK_PREFIX,
  bulkLinesPartition,
  duePartition,
  FACT_PREFIX,
  messagePartition,
  parkedPartition,
} from '../../shared/platform/keys.ts';
import { firstOf, queryItems, type Item } from '../../shared/platform/pages.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { tableName } from '../../shared/platform/tables.ts';

export interface EraseRowsDependencies extends MediaQueue, Pick<Surroundings, 'clock'> {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
  readonly erasures: Pick<Erasures, 'lookAgain'>;
  /** A listener that is told of each row that was removed. */
  readonly onRemoved?: (row: Item) => void;
}

/** An erasure, and whether the tenant of its connection is deleted: then the rows of its files go, too. */
export interface ErasureInHand extends Erasure {
  readonly isOfDeleted: boolean;
}

/** Rows of a partition, by the order of their sort keys. */
interface Stretch {
  readonly pk: string;
  /** The least sort key, and the one before which it ends. */
  readonly from?: string;
  readonly until?: string;
  /** Whether also what has not ended goes. */
  readonly forGood?: boolean;
}

/**
 * The time after which nobody writes any more what was begun before the connection was deleted, in milliseconds: a part of a history is taken in
 * for five minutes, and a file is fetched for as long. It is also the time after which it is seen anew whether what was kept has ended.
 */
const SETTLED_MS = 600_000;
/** Rows that are read before they are removed, and the removals that are under way at once: fewer than would slow down whose rows lie beside them. */
const ROWS_AT_ONCE = 100;
const SHEETS_AT_ONCE = 20;
const SIDE_BY_SIDE = 4;
/** It sorts behind every character of a key. */
const LAST = '~';

/** What is known of chats and people, which goes first. */
function peopleOf(connectionId: ConnectionId): readonly Stretch[] {
  return [
    ...Array.from({ length: CHAT_PARTS }, (_, part) => ({ pk: chatPartition(connectionId, part) })),
    { pk: contactPartition(connectionId) },
  ];
}

/**
 * Messages and all that stands beside them, which go last. What says that a fact was handled stays: it says nothing of what the fact
 * was, and a fact whose queue gives it out once more is not told twice. Where the tenant is deleted that goes, too, and what is due: facts of it are dropped.
 */
function messagesOf({ connectionId, forGood }: Erasure): readonly Stretch[] {
  const pk = messagePartition(connectionId);
  if (forGood === true) return [{ pk: duePartition(connectionId) }, { pk: parkedPartition(connectionId) }, { pk }];
  return [{ pk: parkedPartition(connectionId) }, { pk, until: FACT_PREFIX }, { pk, from: `${FACT_PREFIX}${LAST}` }];
}

/**
 * Removes the rows of a connection that was deleted: its history, whose files are asked for before their messages go, and what is known of chats and people; and
 * some minutes later its messages. The row that leads to other rows goes behind them, so whoever dies leaves the rest to be found.
 *
 * - *A message is scheduled, or a bulk send is not over, or a command is still in its queue*: whoever has it ends it, and tells that. Such messages stay until then.
 *   Where the tenant is deleted nobody is left to be told, and they go at once.
 * - *A part of a history is taken in at that very moment, or a file is fetched*: all is looked through once more when that is over.
 */
export async function eraseRows(
  dependencies: EraseRowsDependencies,
  erasure: ErasureInHand,
  mayGoOn: () => boolean,
): Promise<'done' | 'later'> {
  const { clock, erasures } = dependencies;
  const { connectionId, phase, forGood = false } = erasure;
  if (!(await removeHistory(dependencies, erasure, mayGoOn))) return 'later';
  const isSettled = phase === 'last' && (forGood || !(await hasDue(dependencies, connectionId)));
  let isKept = !isSettled;
  for (const stretch of [...peopleOf(connectionId), ...(isSettled ? messagesOf(erasure) : [])]) {
    const removed = await removeStretch(dependencies, { ...stretch, forGood }, mayGoOn);
    if (removed === 'stopped') return 'later';
    if (removed === 'kept') isKept = true;
  }
  if (!isKept) return 'done';
  await erasures.lookAgain(erasure, { againAtMs: clock.nowMs() + SETTLED_MS, phase: 'last' });
  return 'later';
}

/** Whether dispatch still has something to do on a connection: it ends that by the rows of messages and bulk sends. */
async function hasDue(dependencies: EraseRowsDependencies, connectionId: ConnectionId): Promise<boolean> {
  const due = await firstOf(rowsOf(dependencies, { pk: duePartition(connectionId) }, 1), 1);
  return due.length > 0;
}

/** Removes the notices of the phone, so that nobody takes in more, and then what they have brought. Returns whether that was all. */
async function removeHistory(
  dependencies: EraseRowsDependencies,
  erasure: ErasureInHand,
  mayGoOn: () => boolean,
): Promise<boolean> {
  const { connectionId } = erasure;
  const notices = { pk: historyPartition(connectionId), from: NOTICE_PREFIX, until: `${NOTICE_PREFIX}${LAST}` };
  if ((await removeStretch(dependencies, notices, mayGoOn)) === 'stopped') return false;
  for (;;) {
    const chat = await firstChat(dependencies, connectionId, undefined);
    if (chat === undefined) return true;
    if (!(await removePastChat(dependencies, erasure, chat, mayGoOn))) return false;
  }
}

/** Removes what a history has brought of a chat. Returns whether that was all. */
async function removePastChat(
  dependencies: EraseRowsDependencies,
  erasure: ErasureInHand,
  chat: Item,
  mayGoOn: () => boolean,
): Promise<boolean> {
  const pk = pastPartition(erasure.connectionId, String(chat['tag']));
  while (mayGoOn()) {
    const rows = await firstOf(rowsOf(dependencies, { pk }, SHEETS_AT_ONCE), SHEETS_AT_ONCE);
    if (rows.length === 0) {
      await removeAll(dependencies, [chat]);
      return true;
    }
    const mediaIds = rows
      .filter(({ sk }) => String(sk).startsWith(SHEET_PREFIX))
      .flatMap((row) => messagesOn(row, erasure.connectionId))
      .flatMap(({ messageId, files = [] }) => mediaIdsOf(messageId, files));
    if (mediaIds.length > 0) await letFilesGo(dependencies, erasure, mediaIds);
    await removeAll(dependencies, rows);
  }
  return false;
}

/** `kept`: all but what is still to end; `stopped`: there was no time for more. */
type Removed = 'all' | 'kept' | 'stopped';

/** Removes the rows of a stretch, those of the lines of a bulk send before its own. */
async function removeStretch(
  dependencies: EraseRowsDependencies,
  stretch: Stretch,
  mayGoOn: () => boolean,
): Promise<Removed> {
  let [some, isKept]: [Item[], boolean] = [[], false];
  if (!mayGoOn()) return 'stopped';
  for await (const row of rowsOf(dependencies, stretch, ROWS_AT_ONCE, ['direction', 'state'])) {
    if (stretch.forGood !== true && isUnfinished(row)) {
      isKept = true;
      continue;
    }
    const bulkSendId = bulkSendOf(row);
    if (bulkSendId !== undefined) {
      const lines = await removeStretch(dependencies, { pk: bulkLinesPartition(bulkSendId) }, mayGoOn);
      if (lines === 'stopped') return lines;
    }
    some.push(row);
    if (some.length < SIDE_BY_SIDE) continue;
    await removeAll(dependencies, some);
    some = [];
    if (!mayGoOn()) return 'stopped';
  }
  await removeAll(dependencies, some);
  return isKept ? 'kept' : 'all';
}

function bulkSendOf({ sk }: Item): BulkSendId | undefined {
  return String(sk).startsWith(BULK_PREFIX) ? parseId('blk', String(sk).slice(BULK_PREFIX.length)) : undefined;
}

function rowsOf(
  { table, stage }: EraseRowsDependencies,
  { pk, from = ' ', until = LAST }: Stretch,
  pageSize: number,
  projected?: readonly string[],
): AsyncGenerator<Item> {
  const names = Object.fromEntries((projected ?? []).map((name) => [`#${name}`, name]));
  const input = {
    TableName: tableName(stage, 'core'),
    KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :until',
    ExpressionAttributeValues: { ':pk': pk, ':from': from, ':until': until },
    ConsistentRead: true,
    ...(projected === undefined
      ? {}
      : {
          ProjectionExpression: ['pk', 'sk', ...Object.keys(names)].join(', '),
          ExpressionAttributeNames: names,
        }),
  };
  return queryItems(table, input, { pageSize });
}

/** Has files go: their bytes, or, where the tenant is deleted, all that there is of them, which its deletion asks for. */
export async function letFilesGo(
  dependencies: EraseRowsDependencies,
  erasure: ErasureInHand,
  mediaIds: readonly MediaId[],
): Promise<void> {
  const { tenantId, isOfDeleted } = erasure;
  if (!isOfDeleted) return askToErase(dependencies, eraseFilesJobsOf(erasure, mediaIds));
  const nowMs = dependencies.clock.nowMs();
  for (let from = 0; from < mediaIds.length; from += SIDE_BY_SIDE) {
    const some = mediaIds.slice(from, from + SIDE_BY_SIDE);
    await Promise.all(some.map((mediaId) => noteTenantFile(dependencies, { tenantId, mediaId }, nowMs)));
  }
}

/** Removes rows. What is not there any more needs no removal. */
async function removeAll({ table, stage, onRemoved }: EraseRowsDependencies, rows: readonly Item[]): Promise<void> {
  for (let from = 0; from < rows.length; from += SIDE_BY_SIDE) {
    const some = rows.slice(from, from + SIDE_BY_SIDE);
    await Promise.all(
      some.map(({ pk, sk }) => table.send(new DeleteCommand({ TableName: tableName(stage, 'core'), Key: { pk, sk } }))),
    );
    for (const row of some) onRemoved?.(row);
  }
}
