import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { AppError } from '../kernel/appError.ts';
import type { MessageId } from '../kernel/id.ts';
import { sendStates, type SendState, type SentMessage } from '../message/message.ts';
import { toMessage, toSentItem } from '../message/messageItem.ts';
import { expiryOf } from '../platform/expiry.ts';
import { bulkLinesKey, bulkLinesPartition, firstMessageKey, messageKey } from '../platform/keys.ts';
import { firstOf, queryItems, type Item } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import { idsOfLine, timeOfLine, type BulkCounts, type BulkSend } from './bulkSend.ts';
import { unpackLines, type BulkLine, type PackedLines } from './bulkLines.ts';

/** A line that has a message, as its row says. */
export interface ReleasedLine {
  readonly line: number;
  readonly messageId: MessageId;
  readonly state: SendState;
  /** When it became a message. */
  readonly notBeforeMs?: number | undefined;
  /** The place of the message among the parked ones, once it was parked. */
  readonly parkedAs?: string | undefined;
}

/** How often a line draws other ids because another message has them: twice in a row is beyond all chance. */
const ID_ATTEMPTS = 4;

/** The lines of bulk sends, and the messages that they have become. */
export class BulkLineStore {
  readonly #table: DynamoDBDocumentClient;
  readonly #TableName: string;

  constructor({ table, stage }: { readonly table: DynamoDBDocumentClient; readonly stage: string }) {
    this.#table = table;
    this.#TableName = tableName(stage, 'core');
  }

  /** Keeps the lines of a bulk send that is not written yet. They expire; those of one that is never written are of no use. */
  async keep({ bulkSendId, createdAtMs, notBeforeMs = createdAtMs }: BulkSend, { firstLine, bytes }: PackedLines) {
    const Item = { ...bulkLinesKey(bulkSendId, firstLine), firstLine, bytes, ttl: expiryOf('bulkSend', notBeforeMs) };
    await this.#table.send(new PutCommand({ TableName: this.#TableName, Item }));
  }

  /** Reads lines from `from` up to before `until`, strongly consistent. */
  async read({ bulkSendId }: BulkSend, from: number, until: number): Promise<readonly BulkLine[]> {
    const lines: BulkLine[] = [];
    while (from + lines.length < until) {
      const next = from + lines.length;
      const items = queryItems(
        this.#table,
        {
          TableName: this.#TableName,
          KeyConditionExpression: 'pk = :pk AND sk <= :line',
          ExpressionAttributeValues: {
            ':pk': bulkLinesPartition(bulkSendId),
            ':line': bulkLinesKey(bulkSendId, next).sk,
          },
          ScanIndexForward: false,
          ConsistentRead: true,
        },
        { pageSize: 1 },
      );
      const [item] = await firstOf(items, 1);
      const found = item === undefined ? [] : unpackLines(item['bytes'] as Uint8Array);
      const rest = found.slice(next - ((item?.['firstLine'] as number | undefined) ?? 0));
      if (rest.length === 0) throw new Error('a line of a bulk send is missing: all are kept before it is');
      lines.push(...rest);
    }
    return lines.slice(0, until - from);
  }

  /**
   * Makes the message of a line. Condition: nothing is there under its ids; what an earlier run made of this line stays as it is.
   * Returns its state.
   */
  async put(bulk: BulkSend, line: number, message: Omit<SentMessage, 'messageId' | 'stanzaId'>): Promise<ReleasedLine> {
    for (let attempt = 0; attempt < ID_ATTEMPTS; attempt++) {
      const ids = idsOfLine(bulk, line, attempt);
      const found = await this.#put({ ...message, ...ids });
      if (found === undefined) return { line, messageId: ids.messageId, state: message.state };
      const isOurs = found['bulkSendId']?.S === bulk.bulkSendId && found['line']?.N === String(line);
      if (isOurs) return { line, messageId: ids.messageId, state: found['state']?.S as SendState };
    }
    throw new AppError('internal_error', { cause: new Error('no ids are free for a line') });
  }

  async #put(message: SentMessage): Promise<Readonly<Record<string, AttributeValue>> | undefined> {
    try {
      await this.#table.send(
        new PutCommand({
          TableName: this.#TableName,
          Item: toSentItem(message),
          ConditionExpression: 'attribute_not_exists(pk)',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      );
      return undefined;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException && error.Item !== undefined) return error.Item;
      throw error;
    }
  }

  /** The messages of lines from `from` up to before `until`, in the order of the lines. */
  async *messages(bulk: BulkSend, from: number, until: number): AsyncGenerator<SentMessage> {
    for await (const item of this.#rows(bulk, from, until)) yield toMessage(item) as SentMessage;
  }

  /** The states of lines from `from` up to before `until` that have a message, strongly consistent, in the order of the lines. */
  async states(bulk: BulkSend, from: number, until: number): Promise<readonly ReleasedLine[]> {
    const rows = this.#rows(bulk, from, until, { isConsistent: true });
    return (await Array.fromAsync(rows)) as unknown as readonly ReleasedLine[];
  }

  /** Counts all lines by what has become of them. */
  async count(bulk: BulkSend): Promise<BulkCounts> {
    const counts = { ...Object.fromEntries(Object.keys(sendStates).map((state) => [state, 0])), waiting: bulk.total };
    const byState = counts as Record<SendState | 'waiting', number>;
    for await (const item of this.#rows(bulk, 0, bulk.total, { isConsistent: false })) {
      byState[item['state'] as SendState] += 1;
      byState.waiting -= 1;
    }
    const rest = bulk.state === 'cancelled' || bulk.state === 'expired' ? bulk.state : 'waiting';
    const { waiting } = byState;
    return { ...byState, waiting: 0, [rest]: (rest === 'waiting' ? 0 : byState[rest]) + waiting };
  }

  /** The rows of messages of a range of lines: their ids sort as the lines do. Others that came in those milliseconds are left out. */
  async *#rows(
    bulk: BulkSend,
    from: number,
    until: number,
    brief?: { readonly isConsistent: boolean },
  ): AsyncGenerator<Item> {
    if (until <= from) return;
    yield* queryItems(this.#table, {
      TableName: this.#TableName,
      KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :until',
      FilterExpression: 'bulkSendId = :bulk',
      ExpressionAttributeValues: {
        ':pk': messageKey(bulk.connectionId, '' as MessageId).pk,
        ':from': firstMessageKey(timeOfLine(bulk, from)),
        ':until': firstMessageKey(timeOfLine(bulk, until)),
        ':bulk': bulk.bulkSendId,
      },
      ...(brief === undefined
        ? {}
        : {
            ProjectionExpression: '#line, messageId, #state, notBeforeMs, parkedAs',
            ExpressionAttributeNames: { '#line': 'line', '#state': 'state' },
            ConsistentRead: brief.isConsistent,
          }),
    });
  }
}
