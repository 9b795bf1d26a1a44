import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, UpdateCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ConnectionId, MessageId } from '../kernel/id.ts';
import { MESSAGE_PREFIX, messageKey } from '../platform/keys.ts';
import { queryItems } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import type { ReceivedMessage } from './message.ts';
import { toMessage } from './messageItem.ts';

/** The number of rows of a connection that are looked through for earlier messages of a chat, and how many at a time. */
const MOST_LOOKED_AT = 500;
const PAGE = 50;

export interface ReceivedMessagesDependencies {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

/** Received messages of one connection, as they are marked as read. */
export class ReceivedMessages {
  readonly #table: DynamoDBDocumentClient;
  readonly #TableName: string;
  readonly #connectionId: ConnectionId;

  constructor({ table, stage }: ReceivedMessagesDependencies, connectionId: ConnectionId) {
    this.#table = table;
    this.#TableName = tableName(stage, 'core');
    this.#connectionId = connectionId;
  }

  /**
   * A received message and those before it in its chat, newest first: at most `most`, and back to the last one that was
   * marked. Messages of all chats of a connection lie in one row after the other, so only so many of them are looked at.
   */
  async listUpTo(messageId: MessageId, most: number): Promise<readonly ReceivedMessage[] | 'missing' | 'not_received'> {
    const Key = messageKey(this.#connectionId, messageId);
    const { Item } = await this.#table.send(new GetCommand({ TableName: this.#TableName, Key, ConsistentRead: true }));
    if (Item === undefined) return 'missing';
    const newest = toMessage(Item);
    if (newest.direction !== 'in') return 'not_received';
    if (most === 1) return [newest];
    return [newest, ...(await this.#unmarkedBefore(newest, most - 1))];
  }

  /** Notes that a message was marked as read. Condition: it is there; else nothing to do. */
  async noteMarked(messageId: MessageId, atMs: number): Promise<void> {
    try {
      await this.#table.send(
        new UpdateCommand({
          TableName: this.#TableName,
          Key: messageKey(this.#connectionId, messageId),
          UpdateExpression: 'SET markedReadAtMs = :at',
          ConditionExpression: 'attribute_exists(pk)',
          ExpressionAttributeValues: { ':at': atMs },
        }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }

  /** Reads no further than it needs to: where each message is marked as it comes, that is one page. */
  async #unmarkedBefore(newest: ReceivedMessage, most: number): Promise<readonly ReceivedMessage[]> {
    const Key = messageKey(this.#connectionId, newest.messageId);
    const input = {
      TableName: this.#TableName,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': Key.pk, ':prefix': MESSAGE_PREFIX },
      ScanIndexForward: false,
    };
    const found: ReceivedMessage[] = [];
    let looked = 0;
    for await (const item of queryItems(this.#table, input, { after: { ...Key }, pageSize: PAGE })) {
      const message = toMessage(item);
      if (message.direction === 'in' && isOfChat(message, newest)) {
        if (message.markedReadAtMs !== undefined) break;
        found.push(message);
      }
      looked += 1;
      if (found.length === most || looked === MOST_LOOKED_AT) break;
    }
    return found;
  }
}

function isOfChat(message: ReceivedMessage, { chat, chatAlias }: ReceivedMessage): boolean {
  return [message.chat, message.chatAlias].some((name) => name !== undefined && (name === chat || name === chatAlias));
}
