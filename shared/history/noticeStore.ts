import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand, UpdateCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ConnectionId } from '../kernel/id.ts';
import { expiryOf, isExpired } from '../platform/expiry.ts';
import { historyNoticeKey, historyPartition, NOTICE_PREFIX } from '../platform/historyKeys.ts';
import { queryItems, type Item } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import {
  NO_COUNTS,
  type HistoryCounts,
  type HistoryFault,
  type NoticeInHand,
  type RecordedNotice,
} from './historyNotice.ts';

/** The most notices of a connection that are looked at: a phone with ten years of messages sends some hundred. */
const MOST_NOTICES = 2_000;

/** A notice without the history itself, as it is listed. */
export type ListedNotice = Pick<
  NoticeInHand,
  | 'noticeId'
  | 'type'
  | 'chunk'
  | 'progress'
  | 'policy'
  | 'recordedAtMs'
  | 'state'
  | 'fault'
  | 'counts'
  | 'endedAtMs'
  | 'requestId'
>;

interface NoticeStoreParts {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

/** The rows of what phones told of histories. A row is written before the receipt of its notice leaves. */
export class NoticeStore {
  readonly #table: DynamoDBDocumentClient;
  readonly #TableName: string;

  constructor({ table, stage }: NoticeStoreParts) {
    this.#table = table;
    this.#TableName = tableName(stage, 'core');
  }

  /** Records a notice. Condition: it is not there; `known` says that it was recorded before. */
  async record(notice: RecordedNotice): Promise<'recorded' | 'known'> {
    const { noticeId, place, connectionId, ...rest } = notice;
    const Item = {
      ...historyNoticeKey(connectionId, noticeId),
      ...rest,
      ...place,
      noticeId,
      connectionId,
      state: 'waiting',
      doneChats: 0,
      counts: NO_COUNTS,
      ttl: expiryOf('history', notice.recordedAtMs),
    };
    const put = new PutCommand({
      TableName: this.#TableName,
      Item,
      ConditionExpression: 'attribute_not_exists(pk)',
    });
    return (await held(this.#table.send(put))) ? 'recorded' : 'known';
  }

  /** Finds a notice, strongly consistent. */
  async find(connectionId: ConnectionId, noticeId: string, nowMs: number): Promise<NoticeInHand | undefined> {
    const { Item } = await this.#table.send(
      new GetCommand({
        TableName: this.#TableName,
        Key: { ...historyNoticeKey(connectionId, noticeId) },
        ConsistentRead: true,
      }),
    );
    return Item === undefined || isExpired(Item, nowMs) ? undefined : toNotice(Item);
  }

  /** Lists the notices of a connection, in no order, without the histories themselves. */
  async list(connectionId: ConnectionId, nowMs: number): Promise<readonly ListedNotice[]> {
    const names = [
      'noticeId',
      'type',
      'chunk',
      'progress',
      'policy',
      'recordedAtMs',
      'state',
      'fault',
      'counts',
      'endedAtMs',
      'requestId',
      'ttl',
    ];
    const items = queryItems(this.#table, {
      TableName: this.#TableName,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ProjectionExpression: names.map((name) => `#${name}`).join(', '),
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: { ':pk': historyPartition(connectionId), ':prefix': NOTICE_PREFIX },
      ConsistentRead: true,
    });
    const found: ListedNotice[] = [];
    for await (const item of items) {
      if (!isExpired(item, nowMs)) found.push(item as unknown as ListedNotice);
      if (found.length === MOST_NOTICES) break;
    }
    return found;
  }

  /**
   * Writes down how many chats are done, and what became of their messages. Condition: nobody else has come further. Returns whether it
   * held: whoever is refused leaves the rest to the other.
   */
  advance(notice: NoticeInHand, doneChats: number, counts: HistoryCounts): Promise<boolean> {
    return this.#change(notice, 'SET doneChats = :done, counts = :counts', {
      ':done': doneChats,
      ':counts': counts,
    });
  }

  /** Ends a notice; the history itself is not kept any longer. Condition: as for {@link advance}. */
  end(notice: NoticeInHand, end: { readonly fault?: HistoryFault; readonly atMs: number }): Promise<boolean> {
    const { fault, atMs } = end;
    return this.#change(
      notice,
      `SET #state = :state, endedAtMs = :at${fault === undefined ? '' : ', fault = :fault'} REMOVE #inline, #file`,
      {
        ':state': fault === undefined ? 'done' : 'failed',
        ':at': atMs,
        ...(fault === undefined ? {} : { ':fault': fault }),
      },
      { '#inline': 'inline', '#file': 'file' },
    );
  }

  #change(
    { connectionId, noticeId, doneChats }: NoticeInHand,
    UpdateExpression: string,
    values: Record<string, unknown>,
    names: Record<string, string> = {},
  ): Promise<boolean> {
    return held(
      this.#table.send(
        new UpdateCommand({
          TableName: this.#TableName,
          Key: { ...historyNoticeKey(connectionId, noticeId) },
          UpdateExpression,
          ConditionExpression: 'attribute_exists(pk) AND #state = :waiting AND doneChats = :was',
          ExpressionAttributeNames: { '#state': 'state', ...names },
          ExpressionAttributeValues: { ':waiting': 'waiting', ':was': doneChats, ...values },
        }),
      ),
    );
  }
}

function toNotice({ pk: _pk, sk: _sk, ttl: _ttl, inline, file, lost, ...rest }: Item): NoticeInHand {
  const place =
    inline === undefined
      ? file === undefined
        ? { lost: lost ?? 'no_place' }
        : { file }
      : { inline: inline as Uint8Array };
  return { ...rest, place } as unknown as NoticeInHand;
}

async function held(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
