import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  TransactWriteCommand,
  UpdateCommand,
  type DynamoDBDocumentClient,
} from '@aws-sdk/lib-dynamodb';
import { AppError } from '../kernel/appError.ts';
import { isStatus } from '../kernel/jid.ts';
import type { ConnectionId, MessageId } from '../kernel/id.ts';
import { dueKey, messageKey } from '../platform/keys.ts';
import { firstOf, readPage, type Item } from '../platform/pages.ts';
import { expiryOf } from '../platform/expiry.ts';
import { tableName } from '../platform/tables.ts';
import { DueRows, dueWrites, type DueRow } from './dueRows.ts';
import { sendStates, type SendState, type SentMessage } from './message.ts';
import { audienceKept } from './audienceStore.ts';
import { toMessage } from './messageItem.ts';
import type { SendTimes } from './sendTimes.ts';

/** How many messages are read at a time: fewer than an answer of the table has room for, however long they are. */
const CHUNK = 25;

/** A place in the list of scheduled messages: behind this one. */
export interface ScheduledPlace {
  readonly atMs: number;
  readonly messageId: MessageId;
}

/**
 * `released`: the message is queued now, by this call or an earlier one. `taken`: a worker has it, or it has ended otherwise
 * than by being cancelled. `moved`: it is due at another time. `missing`: there is no such message.
 */
export type Release = 'released' | 'taken' | 'moved' | 'missing';

/**
 * Messages that wait for their time. The time on the row of the message decides; the due row only leads to it. So moving,
 * cancelling and releasing one message are conditional writes of one row, of which each comes entirely before or after each
 * other.
 */
export class ScheduledMessages {
  readonly due: DueRows;
  readonly #table: DynamoDBDocumentClient;
  readonly #stage: string;
  readonly #TableName: string;

  constructor({ table, stage }: { readonly table: DynamoDBDocumentClient; readonly stage: string }) {
    this.due = new DueRows({ table, stage });
    this.#table = table;
    this.#stage = stage;
    this.#TableName = tableName(stage, 'core');
  }

  /** Makes a message `queued` that is due. Condition: it is scheduled for the time of this row. */
  async release({ connectionId, messageId, atMs }: DueRow): Promise<Release> {
    try {
      await this.#table.send(
        new UpdateCommand({
          TableName: this.#TableName,
          Key: messageKey(connectionId, messageId),
          UpdateExpression: 'SET #state = :queued, #rank = :rank',
          ConditionExpression: '#state = :scheduled AND notBeforeMs = :at',
          ExpressionAttributeNames: { '#state': 'state', '#rank': 'rank' },
          ExpressionAttributeValues: {
            ':queued': 'queued',
            ':rank': sendStates.queued,
            ':scheduled': 'scheduled',
            ':at': atMs,
          },
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      );
      return 'released';
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      if (error.Item === undefined) return 'missing';
      const state = error.Item['state']?.S as SendState;
      if (state === 'scheduled') return 'moved';
      // A run that released it may have died before the queue had its command, and a cancel before the owner was told.
      return state === 'queued' || state === 'cancelled' ? 'released' : 'taken';
    }
  }

  /**
   * Moves a message to another time. Condition: it is still scheduled for the time at which the caller saw it. Its old due row
   * goes in the same transaction. Returns `refused` otherwise: read the message.
   */
  async move(
    message: SentMessage & { readonly notBeforeMs: number },
    shard: number,
    times: SendTimes & { readonly notBeforeMs: number },
  ): Promise<'moved' | 'refused'> {
    const { connectionId, messageId } = message;
    const { notBeforeMs, expiresAtMs } = times;
    const [isElsewhere, ttl] = [notBeforeMs !== message.notBeforeMs, expiryOf('message', notBeforeMs)];
    const old = {
      TableName: this.#TableName,
      Key: dueKey('SEND', connectionId, { ...message, atMs: message.notBeforeMs }),
    };
    try {
      await this.#table.send(
        new TransactWriteCommand({
          TransactItems: [
            {
              Update: {
                TableName: this.#TableName,
                Key: messageKey(connectionId, messageId),
                // Rows are kept for as long after the new time as after the old one.
                UpdateExpression:
                  expiresAtMs === undefined
                    ? 'SET notBeforeMs = :to, #ttl = :ttl REMOVE expiresAtMs'
                    : 'SET notBeforeMs = :to, #ttl = :ttl, expiresAtMs = :expires',
                ConditionExpression: '#state = :scheduled AND notBeforeMs = :from',
                ExpressionAttributeNames: { '#state': 'state', '#ttl': 'ttl' },
                ExpressionAttributeValues: {
                  ':scheduled': 'scheduled',
                  ':ttl': ttl,
                  ':from': message.notBeforeMs,
                  ':to': notBeforeMs,
                  ...(expiresAtMs === undefined ? {} : { ':expires': expiresAtMs }),
                },
              },
            },
            ...(isElsewhere ? dueWrites(this.#stage, 'SEND', { ...message, shard, atMs: notBeforeMs }) : []),
            ...(isElsewhere ? [{ Delete: old }] : []),
            ...(isStatus(message.to) ? [audienceKept(this.#TableName, message, ttl)] : []),
          ],
        }),
      );
      return 'moved';
    } catch (error) {
      const reasons = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : [];
      if (reasons.some(({ Code }) => Code === 'ConditionalCheckFailed' || Code === 'TransactionConflict'))
        return 'refused';
      throw error;
    }
  }

  /** Removes the due row of a message that was cancelled while it was scheduled. */
  async forget({ connectionId, messageId, notBeforeMs }: SentMessage): Promise<void> {
    if (notBeforeMs !== undefined) await this.due.remove('SEND', { connectionId, messageId, atMs: notBeforeMs });
  }

  /** Reads a page of a connection's scheduled messages, earliest first. Throws `store_unavailable`. */
  async list(
    connectionId: ConnectionId,
    page: { readonly after: ScheduledPlace | undefined; readonly limit: number },
  ): Promise<{ readonly messages: readonly SentMessage[]; readonly next: ScheduledPlace | undefined }> {
    const { shown, last } = await readPage(this.#inOrder(connectionId, page.after), {
      limit: page.limit,
      show: (item) => item['message'] as SentMessage | undefined,
    });
    return { messages: shown, next: last as unknown as ScheduledPlace | undefined };
  }

  /** Reads due rows in their order, each with its message where that still waits for this time. */
  async *#inOrder(connectionId: ConnectionId, after: ScheduledPlace | undefined): AsyncGenerator<Item> {
    let place = after;
    for (;;) {
      const rows = await firstOf(this.due.list('SEND', connectionId, { after: place, pageSize: CHUNK }), CHUNK);
      const found = await this.#findAll(connectionId, rows);
      for (const { messageId, atMs } of rows) {
        const message = found.get(messageId);
        const isThere = message?.state === 'scheduled' && message.notBeforeMs === atMs;
        yield { messageId, atMs, message: isThere ? message : undefined };
      }
      place = rows.at(-1);
      if (rows.length < CHUNK) return;
    }
  }

  async #findAll(
    connectionId: ConnectionId,
    rows: readonly Pick<DueRow, 'messageId'>[],
  ): Promise<ReadonlyMap<MessageId, SentMessage>> {
    if (rows.length === 0) return new Map();
    const Keys = rows.map(({ messageId }) => ({ ...messageKey(connectionId, messageId) }));
    const answer = await this.#table.send(
      new BatchGetCommand({ RequestItems: { [this.#TableName]: { Keys, ConsistentRead: true } } }),
    );
    if ((answer.UnprocessedKeys?.[this.#TableName]?.Keys ?? []).length > 0) throw new AppError('store_unavailable');
    const found = (answer.Responses?.[this.#TableName] ?? []).map(toMessage);
    return new Map(found.flatMap((message) => (message.direction === 'out' ? [[message.messageId, message]] : [])));
  }
}
