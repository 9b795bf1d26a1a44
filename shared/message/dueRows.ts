import { DeleteCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ConnectionId, CorrelationId, MessageId, TenantId } from '../kernel/id.ts';
import { dueKey, duePartition, firstDueKey, type DueWork } from '../platform/keys.ts';
import { queryItems } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import type { TransactionWrite } from './messageWrites.ts';
import { windowNote, windowOf, type NotesDependencies } from './windowNotes.ts';

/**
 * What is due on a connection at a time: a scheduled message that is to be queued (`SEND`), and a message that waits and
 * expires (`END`). Rows stand under their connection in the order of their times; a note of the window (`windowNotes`) says
 * that the connection has any. A row is removed only after the queue has the command that it stands for, so whoever dies in
 * between leaves it to the next.
 */
export interface DueRow {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly shard: number;
  readonly messageId: MessageId;
  readonly correlationId: CorrelationId;
  /** In milliseconds since 1970. */
  readonly atMs: number;
}

/**
 * How much later than a message expires it is looked after, in milliseconds: the clock of the worker that ends it may be
 * behind the one that the row was found by.
 */
export const END_SLACK_MS = 2_000;

/** The writes of a row and its note, for a transaction. They have no condition: one message makes one row of a time. */
export function dueWrites(
  stage: string,
  work: DueWork,
  due: DueRow,
): readonly (TransactionWrite & { readonly Put: NonNullable<TransactionWrite['Put']> })[] {
  return [dueWrite(stage, work, due), dueNote(stage, due)];
}

export function dueWrite(stage: string, work: DueWork, due: DueRow) {
  const { tenantId, connectionId, shard, messageId, correlationId, atMs } = due;
  const Item = { ...dueKey(work, connectionId, due), tenantId, connectionId, shard, messageId, correlationId, atMs };
  return { Put: { TableName: tableName(stage, 'core'), Item } };
}

export function dueNote(stage: string, due: DueRow) {
  return windowNote(stage, 'DUE', { ...due, cause: due.messageId, window: windowOf(due.atMs) });
}

/** The rows of what is due on connections. */
export class DueRows {
  readonly #table: DynamoDBDocumentClient;
  readonly #TableName: string;

  constructor({ table, stage }: NotesDependencies) {
    this.#table = table;
    this.#TableName = tableName(stage, 'core');
  }

  /**
   * Lists what is due, earliest first, strongly consistent; read as it is needed.
   * @param range.untilMs the last time that is listed; every time when left out
   * @param range.after the row behind which to begin
   */
  async *list(
    work: DueWork,
    connectionId: ConnectionId,
    range: {
      readonly untilMs?: number;
      readonly after?: { readonly atMs: number; readonly messageId: MessageId } | undefined;
      readonly pageSize?: number;
    } = {},
  ): AsyncGenerator<DueRow> {
    const { untilMs, after, pageSize } = range;
    const items = queryItems(
      this.#table,
      {
        TableName: this.#TableName,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :until',
        ExpressionAttributeValues: {
          ':pk': duePartition(connectionId),
          ':from': firstDueKey(work, 0),
          ':until': firstDueKey(work, untilMs === undefined ? Number.MAX_SAFE_INTEGER : untilMs + 1),
        },
        ConsistentRead: true,
      },
      {
        ...(pageSize === undefined ? {} : { pageSize }),
        ...(after === undefined ? {} : { after: { ...dueKey(work, connectionId, after) } }),
      },
    );
    for await (const item of items) yield item as unknown as DueRow;
  }

  /** Removes a row. The delete has no condition: a row that is not there needs no removal. */
  async remove(work: DueWork, { connectionId, atMs, messageId }: Pick<DueRow, 'connectionId' | 'atMs' | 'messageId'>) {
    const Key = dueKey(work, connectionId, { atMs, messageId });
    await this.#table.send(new DeleteCommand({ TableName: this.#TableName, Key }));
  }
}
