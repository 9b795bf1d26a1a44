import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ConnectionId, MessageId, TenantId } from '../kernel/id.ts';
import { expiryOf } from '../platform/expiry.ts';
import { noteCursorKey, noteKey, notePartition, type NoteKind } from '../platform/keys.ts';
import { queryItems } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import type { TransactionWrite } from './messageWrites.ts';

/**
 * Notes of which connections have something to be looked after in a window of time: messages that were accepted in it
 * (`UNQUEUED`), something that is due in it (`DUE`), or a message of which it is seen then whether it has ended (`LOOK`). A note is written in one transaction with the first row that it stands
 * for, so what is to be looked after is found without a scan, and a busy connection pays for a note only now and then. Each
 * process has notes of its own, under the message that it wrote one with: transactions that meet at one item refuse each
 * other, and at the beginning of a window all would meet.
 */
export interface NotesDependencies {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

export interface NotedConnection {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly shard: number;
}

/** The number of partitions of a window, which all tenants share. */
export const BUCKETS = 4;
/** The length of a window, in milliseconds. */
export const WINDOW_MS = 5 * 60_000;
const keptFor = { UNQUEUED: 'unqueued', DUE: 'dueNote', LOOK: 'dueNote' } as const satisfies Record<
  Exclude<NoteKind, 'RETRY'>,
  string
>;

/** The window of a time, counted from 1970. */
export function windowOf(atMs: number): number {
  return Math.floor(atMs / WINDOW_MS);
}

type NoteWrite = TransactionWrite & { readonly Put: NonNullable<TransactionWrite['Put']> };

/**
 * The write of a note, for a transaction. It has no condition: nobody else writes under this cause.
 * @param note.cause the message that it is written with
 */
export function windowNote(
  stage: string,
  kind: keyof typeof keptFor,
  note: NotedConnection & { readonly cause: string; readonly window: number },
): NoteWrite {
  const { tenantId, connectionId, cause, shard, window } = note;
  const bucket = connectionId.charCodeAt(connectionId.length - 1) % BUCKETS;
  const ttl = expiryOf(keptFor[kind], window * WINDOW_MS);
  const Item = { ...noteKey(kind, window, bucket, connectionId, cause), tenantId, connectionId, shard, ttl };
  return { Put: { TableName: tableName(stage, 'core'), Item } };
}

/** Lists the connections that are noted in a window, each once, strongly consistent. */
export async function listNoted(
  dependencies: NotesDependencies,
  kind: NoteKind,
  window: number,
): Promise<readonly NotedConnection[]> {
  const found = new Map<ConnectionId, NotedConnection>();
  for await (const note of notesOf(dependencies, kind, window)) found.set(note.connectionId, note);
  return [...found.values()];
}

/** Lists the messages that are noted in a window, strongly consistent: notes that have a message as their cause. */
export async function* listNotedMessages(
  dependencies: NotesDependencies,
  kind: NoteKind,
  window: number,
): AsyncGenerator<NotedConnection & { readonly messageId: MessageId }> {
  for await (const note of notesOf(dependencies, kind, window)) {
    yield { ...note, messageId: note.sk.slice(note.connectionId.length + 1) as MessageId };
  }
}

async function* notesOf(
  dependencies: NotesDependencies,
  kind: NoteKind,
  window: number,
): AsyncGenerator<NotedConnection & { readonly sk: string }> {
  for await (const item of itemsOf(dependencies, kind, window)) {
    yield item as unknown as NotedConnection & { readonly sk: string };
  }
}

/** Lists the notes of a window as they are stored, strongly consistent. */
export async function* itemsOf(
  { table, stage }: NotesDependencies,
  kind: NoteKind,
  window: number,
): AsyncGenerator<Readonly<Record<string, unknown>>> {
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const items = queryItems(table, {
      TableName: tableName(stage, 'core'),
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': notePartition(kind, window, bucket) },
      ConsistentRead: true,
    });
    yield* items;
  }
}

/** Reads the last window that has been handled; undefined before the first time. */
export async function readCursor({ table, stage }: NotesDependencies, kind: NoteKind): Promise<number | undefined> {
  const answer = await table.send(
    new GetCommand({ TableName: tableName(stage, 'core'), Key: noteCursorKey(kind), ConsistentRead: true }),
  );
  return answer.Item?.['window'] as number | undefined;
}

/** Records that a window has been handled. Condition: it is later than the recorded one; else nothing to do. */
export async function moveCursor({ table, stage }: NotesDependencies, kind: NoteKind, window: number): Promise<void> {
  try {
    await table.send(
      new PutCommand({
        TableName: tableName(stage, 'core'),
        Item: { ...noteCursorKey(kind), window },
        ConditionExpression: 'attribute_not_exists(#window) OR #window < :window',
        ExpressionAttributeNames: { '#window': 'window' },
        ExpressionAttributeValues: { ':window': window },
      }),
    );
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}
