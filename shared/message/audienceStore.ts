import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, UpdateCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ConnectionId, MessageId } from '../kernel/id.ts';
import { expiryOf } from '../platform/expiry.ts';
import { receiptsKey } from '../platform/keys.ts';
import { namedViewer, toAudience, toPeople, type Audience, type Viewer } from './audience.ts';
import { toMemberReceipts } from './memberReceipts.ts';
import type { SentMessage } from './message.ts';
import type { TransactionWrite } from './messageWrites.ts';

/**
 * The people whom a status is for. They stand in the row of its receipts, beside the row of the message: that is written
 * with every step, and would cost as many units as it has kilobytes.
 *
 * - The audience is written with the message, in one transaction.
 * - It is settled once, by whoever comes first, before anything of the status leaves: two owners who try at once, and
 *   every later try, send to the same people. A receipt of somebody else counts for nothing.
 * - The process dies between the two: the next owner finds it unsettled, and asks again.
 */
export class AudienceStore {
  readonly #table: DynamoDBDocumentClient;
  readonly #TableName: string;

  constructor(table: DynamoDBDocumentClient, TableName: string) {
    this.#table = table;
    this.#TableName = TableName;
  }

  /** Reads the audience of a status, strongly consistent; undefined where there is none, as of any other message. */
  async find(connectionId: ConnectionId, messageId: MessageId): Promise<Audience | undefined> {
    const Key = receiptsKey(connectionId, messageId);
    const { Item } = await this.#table.send(new GetCommand({ TableName: this.#TableName, Key, ConsistentRead: true }));
    return Item === undefined ? undefined : toAudience(toMemberReceipts(Item));
  }

  /**
   * Settles the audience of a status, or gives one to what is said about a status. Condition: it is not settled. Returns
   * the audience that counts.
   */
  async settle(
    connectionId: ConnectionId,
    messageId: MessageId,
    viewers: readonly Viewer[],
    nowMs: number,
  ): Promise<readonly Viewer[]> {
    try {
      await this.#table.send(
        new UpdateCommand({
          TableName: this.#TableName,
          Key: receiptsKey(connectionId, messageId),
          UpdateExpression:
            'SET people = :people, isAudience = :yes, isSettled = :yes, delivered = :none, #read = :none, ' +
            'played = :none, #version = if_not_exists(#version, :none) + :one, #ttl = if_not_exists(#ttl, :ttl)',
          ConditionExpression: 'attribute_not_exists(isSettled)',
          ExpressionAttributeNames: { '#read': 'read', '#version': 'version', '#ttl': 'ttl' },
          ExpressionAttributeValues: {
            ':people': toPeople(viewers),
            ':yes': true,
            ':none': 0,
            ':one': 1,
            ':ttl': expiryOf('message', nowMs),
          },
        }),
      );
      return viewers;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      return (await this.find(connectionId, messageId))?.viewers ?? [];
    }
  }
}

/** The write by which the audience of a status that is moved is kept for longer. */
export function audienceKept(
  TableName: string,
  { connectionId, messageId }: Pick<SentMessage, 'connectionId' | 'messageId'>,
  ttl: number,
): TransactionWrite {
  return {
    Update: {
      TableName,
      Key: receiptsKey(connectionId, messageId),
      UpdateExpression: 'SET #ttl = :ttl',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeNames: { '#ttl': 'ttl' },
      ExpressionAttributeValues: { ':ttl': ttl },
    },
  };
}

/** The row of the audience of a new status, as its request names it. */
export function toAudienceItem(
  { connectionId, messageId, notBeforeMs, createdAtMs }: SentMessage,
  addresses: readonly string[],
): Readonly<Record<string, unknown>> {
  return {
    ...receiptsKey(connectionId, messageId),
    people: toPeople(addresses.map(namedViewer)),
    isAudience: true,
    delivered: 0,
    read: 0,
    played: 0,
    version: 1,
    ttl: expiryOf('message', notBeforeMs ?? createdAtMs),
  };
}
