import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  PutCommand,
  TransactWriteCommand,
  UpdateCommand,
  type DynamoDBDocumentClient,
} from '@aws-sdk/lib-dynamodb';
import type { MediaFile } from '../content/mediaFile.ts';
import type { ConnectionId, CorrelationId, MediaId, MessageId, TenantId } from '../kernel/id.ts';
import { expiryOf } from '../platform/expiry.ts';
import { isMade } from '../platform/isMade.ts';
import { ERASURES, erasureKey, MESSAGE_PREFIX, messageKey, messagePartition } from '../platform/keys.ts';
import { queryItems, readPage } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import { endedConnectionKey } from '../platform/tenantKeys.ts';
import { mediaIdsOf } from './media.ts';

/** A connection that was deleted, while its rows and files may still be kept. */
export interface Erasure {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly correlationId: CorrelationId;
  /** The last of its messages whose files the queue has been told of; absent at first. */
  readonly after?: MessageId;
  /** Present where the queue has been told of all of them, and its rows are removed; `last`: they are, and are looked for once more. */
  readonly phase?: 'rows' | 'last';
  /** The time, in milliseconds since 1970, before which nothing is to be done. */
  readonly againAtMs?: number;
  /** Present where its tenant is deleted: nothing of it stays, also what has not ended, and the rows of its files go. */
  readonly forGood?: true;
}

/** How many rows of a connection were removed, by what they were. */
export type RemovedRows = Readonly<Record<string, number>>;

/** Some files that are to be erased, and the message that was looked at last. */
export interface FilesFound {
  readonly mediaIds: readonly MediaId[];
  /** This is undefined where there is no further message. */
  readonly last: MessageId | undefined;
}

/** Messages in one answer of the table, and the most with files that are looked at before it is written down how far one came. */
const ROWS_AT_ONCE = 500;
const MESSAGES_A_STEP = 200;

/** The row of an erasure, as it is written when a connection has been deleted. */
export function toErasureItem(erasure: Erasure, nowMs: number): Readonly<Record<string, unknown>> {
  const { tenantId, connectionId, correlationId } = erasure;
  // No message is kept any longer, and so no file.
  const kind = erasure.forGood === undefined ? {} : { forGood: true };
  return {
    ...erasureKey(connectionId),
    tenantId,
    connectionId,
    correlationId,
    ...kind,
    ttl: expiryOf('message', nowMs),
  };
}

/**
 * The connections that were deleted and whose files and rows are to be erased. Its own row goes when the queue has been told of all files, and the others are gone;
 * whoever dies before that leaves it to the next, which tells the queue again of those since the last write.
 */
export class Erasures {
  readonly #table: DynamoDBDocumentClient;
  readonly #TableName: string;

  constructor({ table, stage }: { readonly table: DynamoDBDocumentClient; readonly stage: string }) {
    this.#table = table;
    this.#TableName = tableName(stage, 'core');
  }

  /** Lists them, read as they are needed. */
  async *list(): AsyncGenerator<Erasure> {
    const items = queryItems(this.#table, {
      TableName: this.#TableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': ERASURES },
    });
    for await (const item of items) yield item as unknown as Erasure;
  }

  /**
   * Finds the files of the next messages, strongly consistent: all that ingest recorded before it was told of the deletion are there. Files that a tenant brought
   * are its own, and none of these.
   */
  async nextFiles({ connectionId, after }: Erasure): Promise<FilesFound> {
    const items = queryItems(
      this.#table,
      {
        TableName: this.#TableName,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
        ProjectionExpression: 'pk, sk, messageId, files',
        ExpressionAttributeValues: { ':pk': messagePartition(connectionId), ':prefix': MESSAGE_PREFIX },
        ConsistentRead: true,
      },
      { after: after && { ...messageKey(connectionId, after) }, pageSize: ROWS_AT_ONCE },
    );
    const { shown, last } = await readPage(items, {
      limit: MESSAGES_A_STEP,
      show: ({ messageId, files }) =>
        files === undefined ? undefined : mediaIdsOf(messageId as MessageId, files as readonly MediaFile[]),
    });
    return { mediaIds: shown.flat(), last: last?.['messageId'] as MessageId | undefined };
  }

  /** Writes down that the queue has been told of all files up to a message. Condition: the erasure is still there. */
  advance(erasure: Erasure, after: MessageId): Promise<'written' | 'gone'> {
    return this.#set(erasure, { after });
  }

  /** Writes down that the queue has been told of all files. Condition: the erasure is still there. */
  toRows(erasure: Erasure): Promise<'written' | 'gone'> {
    return this.#set(erasure, { phase: 'rows' });
  }

  /** Writes down when to go on, and what is done by then. Condition: the erasure is still there. */
  lookAgain(erasure: Erasure, then: Required<Pick<Erasure, 'againAtMs' | 'phase'>>): Promise<'written' | 'gone'> {
    return this.#set(erasure, then);
  }

  /** Has all rows of a connection removed whose tenant is deleted. Condition: that is not asked for yet. */
  async beginForGood(erasure: Erasure & { readonly forGood: true }, nowMs: number): Promise<void> {
    await isMade(
      this.#table.send(
        new PutCommand({
          TableName: this.#TableName,
          Item: { ...toErasureItem(erasure, nowMs) },
          ConditionExpression: 'attribute_not_exists(pk) OR attribute_not_exists(forGood)',
        }),
      ),
    );
  }

  /** Adds what was removed to the note of the connection, by which its tenant's deletion sees how far it is. */
  async noteRemoved(erasure: Erasure, removed: RemovedRows): Promise<void> {
    if (Object.keys(removed).length === 0) return;
    const { Update } = this.#noteWrite(erasure, removed, {});
    await isMade(this.#table.send(new UpdateCommand(Update)));
  }

  /** Ends an erasure for good, and writes that on the note of the connection. Condition: the note is there. */
  async endForGood(erasure: Erasure, removed: RemovedRows): Promise<void> {
    const Delete = { TableName: this.#TableName, Key: erasureKey(erasure.connectionId) };
    const note = this.#noteWrite(erasure, removed, { isErased: true });
    await this.#table.send(new TransactWriteCommand({ TransactItems: [{ Delete }, note] }));
  }

  #noteWrite({ tenantId, connectionId }: Erasure, removed: RemovedRows, set: { readonly isErased?: true }) {
    const counts = Object.entries(removed);
    const sets = Object.entries(set);
    const names = [...counts, ...sets].map(([name]) => name);
    const adds = counts.length === 0 ? '' : ` ADD ${counts.map(([name]) => `#${name} :${name}`).join(', ')}`;
    const written = sets.length === 0 ? '' : `SET ${sets.map(([name]) => `#${name} = :${name}`).join(', ')}`;
    return {
      Update: {
        TableName: this.#TableName,
        Key: endedConnectionKey(tenantId, connectionId),
        UpdateExpression: `${written}${adds}`.trim(),
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
        ExpressionAttributeValues: Object.fromEntries([...counts, ...sets].map(([name, value]) => [`:${name}`, value])),
      },
    };
  }

  async #set({ connectionId }: Erasure, set: Partial<Erasure>): Promise<'written' | 'gone'> {
    const names = Object.keys(set);
    try {
      await this.#table.send(
        new UpdateCommand({
          TableName: this.#TableName,
          Key: erasureKey(connectionId),
          UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
          ConditionExpression: 'attribute_exists(pk)',
          ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
          ExpressionAttributeValues: Object.fromEntries(
            Object.entries(set).map(([name, value]) => [`:${name}`, value]),
          ),
        }),
      );
      return 'written';
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return 'gone';
      throw error;
    }
  }

  /** Ends an erasure. The delete has no condition: a row that is not there needs no removal. */
  async end({ connectionId }: Erasure): Promise<void> {
    await this.#table.send(new DeleteCommand({ TableName: this.#TableName, Key: erasureKey(connectionId) }));
  }
}
