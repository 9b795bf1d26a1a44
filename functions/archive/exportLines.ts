import { BatchGetCommand } from '@aws-sdk/lib-dynamodb';
import { toChatFields, type ChatRow } from '../../shared/chat/chat.ts';
import type { RowTable } from '../../shared/archive/rowsInPlace.ts';
import { sections, type Section } from '../../shared/archive/jobPlace.ts';
import type { Connection } from '../../shared/connection/connection.ts';
import { toContactView, type Contact } from '../../shared/contact/contact.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import type { ConnectionId } from '../../shared/kernel/id.ts';
import { isStatus } from '../../shared/kernel/jid.ts';
import type { MediaStore } from '../../shared/media/mediaStore.ts';
import { listReceipts, toMemberReceipts } from '../../shared/message/memberReceipts.ts';
import type { Message, ReceivedMessage } from '../../shared/message/message.ts';
import { toMessage } from '../../shared/message/messageItem.ts';
import type { MessageVersion } from '../../shared/message/messageVersions.ts';
import { isGroup } from '../../shared/message/recipient.ts';
import { CONTACT_NUMBER_PREFIX } from '../../shared/platform/contactKeys.ts';
import { toStoredMap } from '../../shared/platform/itemValues.ts';
import { messageKey, receiptsKey, versionPrefix } from '../../shared/platform/keys.ts';
import { queryItems, type Item } from '../../shared/platform/pages.ts';
import { tableName } from '../../shared/platform/tables.ts';
import { findFilesOf, type KnownMedia } from '../routes/filesOfMessages.ts';
import { toMessageVersionView, toMessageView } from '../routes/views.ts';
import { toLine, type ExportLine } from './exportLine.ts';

export interface LineDependencies extends RowTable {
  readonly media: Pick<MediaStore, 'findAll'>;
}

/** The most rows of one `BatchGet`. */
const BATCH = 100;

/** The line with which a connection begins. */
export function connectionLine({ connectionId, label, account }: Connection): ExportLine {
  const shown = account === undefined ? {} : { phoneNumber: `+${account.phoneJid.split('@')[0] ?? ''}` };
  return toLine('connection', connectionId, { ...(label === undefined ? {} : { label }), ...shown });
}

/** The lines of some rows of a section, in the order of the rows: a message is followed by its versions and receipts. */
export async function linesOf(
  dependencies: LineDependencies,
  connectionId: ConnectionId,
  section: number,
  rows: readonly Item[],
  nowMs: number,
): Promise<readonly ExportLine[]> {
  const holds = sections[section]?.holds;
  if (holds === 'messages') return messageLines(dependencies, rows);
  if (holds === 'history') throw new RangeError('the rows of a history are sheets');
  return rows.map((row) => otherLine(holds, connectionId, row, nowMs));
}

function otherLine(
  holds: Exclude<Section['holds'], 'history'> | undefined,
  connectionId: ConnectionId,
  row: Item,
  nowMs: number,
): ExportLine {
  if (holds === 'chats') {
    const chat = toChatFields(row as unknown as ChatRow, { name: undefined, isReadAtOnce: false, nowMs });
    return toLine('chat', connectionId, { chat, kept: kept(row) });
  }
  if (holds === 'contacts' && row['mergedInto'] === undefined) {
    return toLine('contact', connectionId, { contact: toContactView(toKnown(row)), kept: kept(row) });
  }
  if (holds === 'contacts') return toLine('contact', connectionId, { kept: kept(row) });
  const number = String(row['sk']).slice(CONTACT_NUMBER_PREFIX.length);
  return toLine('number', connectionId, { number: `+${number}`, id: row['id'], kept: kept(row) });
}

/** A person whose number went to somebody else has none. */
function toKnown(row: Item): Contact {
  const { number, ...contact } = row as unknown as Contact;
  return { ...contact, ...(number === undefined || number === '' ? {} : { number }) };
}

/** The lines of messages of a history. */
export async function pastLines(
  { media }: Pick<LineDependencies, 'media'>,
  connectionId: ConnectionId,
  messages: readonly ReceivedMessage[],
): Promise<readonly ExportLine[]> {
  const known = await findFilesOf(media, messages);
  return messages.map((message) => {
    const { tenantId: _tenant, connectionId: _connection, ...row } = message;
    return toLine('history', connectionId, {
      message: toMessageView(message, { media: known }),
      kept: toStoredMap({ ...row }),
    });
  });
}

async function messageLines(dependencies: LineDependencies, rows: readonly Item[]): Promise<readonly ExportLine[]> {
  const messages = rows.map(toMessage);
  const [media, receipts] = await Promise.all([
    findFilesOf(dependencies.media, messages),
    receiptsOf(dependencies, messages.filter(hasReceipts)),
  ]);
  const lines: ExportLine[] = [];
  for (const [place, message] of messages.entries()) {
    lines.push(messageLine(message, rows[place] ?? {}, media));
    if (message.editedAtMs !== undefined) lines.push(...(await versionLines(dependencies, message)));
    const row = receipts.get(message.messageId);
    if (row !== undefined) lines.push(receiptsLine(message, row));
  }
  return lines;
}

function messageLine(message: Message, row: Item, media: KnownMedia): ExportLine {
  return toLine('message', message.connectionId, { message: toMessageView(message, { media }), kept: kept(row) });
}

async function versionLines({ table, stage }: RowTable, message: Message): Promise<readonly ExportLine[]> {
  const { connectionId, messageId } = message;
  const items = queryItems(table, {
    TableName: tableName(stage, 'core'),
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
    ExpressionAttributeValues: { ':pk': messageKey(connectionId, messageId).pk, ':prefix': versionPrefix(messageId) },
    ConsistentRead: true,
  });
  const lines: ExportLine[] = [];
  for await (const row of items) {
    const version = toMessageVersionView(row as unknown as MessageVersion);
    lines.push(toLine('version', connectionId, { messageId, version, kept: kept(row) }));
  }
  return lines;
}

/** Whether there may be a row of who has got it. */
function hasReceipts(message: Message): boolean {
  return (
    message.direction === 'out' && [message.to, message.resolvedTo ?? ''].some((to) => isGroup(to) || isStatus(to))
  );
}

async function receiptsOf(
  { table, stage }: RowTable,
  messages: readonly Message[],
): Promise<ReadonlyMap<string, Item>> {
  const name = tableName(stage, 'core');
  const found = new Map<string, Item>();
  for (let from = 0; from < messages.length; from += BATCH) {
    const some = messages.slice(from, from + BATCH);
    const Keys = some.map(({ connectionId, messageId }) => ({ ...receiptsKey(connectionId, messageId) }));
    const answer = await table.send(new BatchGetCommand({ RequestItems: { [name]: { Keys, ConsistentRead: true } } }));
    // A row that was not read must not count as missing.
    if ((answer.UnprocessedKeys?.[name]?.Keys ?? []).length > 0) throw new AppError('store_unavailable');
    for (const item of answer.Responses?.[name] ?? []) found.set(String(item['sk']).split('#')[1] ?? '', item);
  }
  return found;
}

function receiptsLine({ connectionId, messageId, createdAtMs }: Message, row: Item): ExportLine {
  const receipts = listReceipts(toMemberReceipts(row), createdAtMs).map(
    ({ deliveredAtMs, readAtMs, playedAtMs, ...member }) => ({
      ...member,
      ...(deliveredAtMs === undefined ? {} : { deliveredAt: toTime(deliveredAtMs) }),
      ...(readAtMs === undefined ? {} : { readAt: toTime(readAtMs) }),
      ...(playedAtMs === undefined ? {} : { playedAt: toTime(playedAtMs) }),
    }),
  );
  return toLine('receipts', connectionId, { messageId, receipts, kept: kept(row) });
}

/** What brings a row back, in DynamoDB's own form, which loses nothing: all of it but whose it is and when it ends. */
function kept({ pk: _pk, tenantId: _tenant, connectionId: _connection, ttl: _ttl, ...row }: Item) {
  return toStoredMap(row);
}

function toTime(ms: number): string {
  return new Date(ms).toISOString();
}
