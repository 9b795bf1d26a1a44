import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  GetCommand,
  PutCommand,
  TransactWriteCommand,
  UpdateCommand,
  type DynamoDBDocumentClient,
} from '@aws-sdk/lib-dynamodb';
import type { ConnectionId, MessageId, StanzaId, TenantId } from '../kernel/id.ts';
import { expiryOf, isExpired } from '../platform/expiry.ts';
import {
  connectionKey,
  MESSAGE_PREFIX,
  messageKey,
  parkedKey,
  parkedPartition,
  sentStanzaKey,
} from '../platform/keys.ts';
import { firstOf, queryItems, readPage } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import { toMessage } from './messageItem.ts';
import { sendStates, type Message, type SendErrorCode, type SendState, type SentMessage } from './message.ts';

export interface MessageStoreDependencies {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

/** The connection whose owner writes, and the epoch under which it does. */
export interface MessageOwner {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly token: number;
}

/** One parked message, in the order in which SQS took its command. */
export interface ParkedMessage {
  readonly messageId: MessageId;
  readonly sequenceNumber: string;
}

/** Reads and writes of message rows, each with its condition. */
export class MessageStore {
  readonly #table: DynamoDBDocumentClient;
  readonly #TableName: string;

  constructor({ table, stage }: MessageStoreDependencies) {
    this.#table = table;
    this.#TableName = tableName(stage, 'core');
  }

  /** Writes a new message and the way from its stanza id to it. Condition: the message is new; an old one is kept. */
  async create(message: SentMessage): Promise<void> {
    const ttl = expiryOf('message', message.createdAtMs);
    await this.#table.send(
      new PutCommand({
        TableName: this.#TableName,
        Item: { ...sentStanzaKey(message.connectionId, message.stanzaId), messageId: message.messageId, ttl },
      }),
    );
    try {
      await this.#table.send(
        new PutCommand({
          TableName: this.#TableName,
          Item: {
            ...messageKey(message.connectionId, message.messageId),
            ...message,
            rank: sendStates[message.state],
            ttl,
          },
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }

  /** One message, strongly consistent. The caller has read the connection under its tenant. */
  async find(connectionId: ConnectionId, messageId: MessageId): Promise<Message | undefined> {
    const answer = await this.#table.send(
      new GetCommand({ TableName: this.#TableName, Key: messageKey(connectionId, messageId), ConsistentRead: true }),
    );
    return answer.Item === undefined ? undefined : toMessage(answer.Item);
  }

  /** The message we sent under a stanza id: what a receipt or a retry request refers to. */
  async findByStanza(connectionId: ConnectionId, stanzaId: StanzaId): Promise<SentMessage | undefined> {
    const pointer = await this.#table.send(
      new GetCommand({ TableName: this.#TableName, Key: sentStanzaKey(connectionId, stanzaId), ConsistentRead: true }),
    );
    if (pointer.Item === undefined) return undefined;
    const message = await this.find(connectionId, pointer.Item['messageId'] as MessageId);
    return message?.direction === 'out' ? message : undefined;
  }

  /** A page of a connection's messages, newest first. `next` is where the page after it begins; undefined: it was the last. */
  async list(
    connectionId: ConnectionId,
    page: { readonly before: MessageId | undefined; readonly limit: number; readonly nowMs: number },
  ): Promise<{ readonly messages: readonly Message[]; readonly next: MessageId | undefined }> {
    const { pk } = messageKey(connectionId, '' as MessageId);
    const input = {
      TableName: this.#TableName,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': pk, ':prefix': MESSAGE_PREFIX },
      ScanIndexForward: false,
    };
    const after = page.before === undefined ? undefined : { ...messageKey(connectionId, page.before) };
    const { shown, last } = await readPage(queryItems(this.#table, input, { after, pageSize: page.limit + 1 }), {
      limit: page.limit,
      show: (item) => (isExpired(item, page.nowMs) ? undefined : toMessage(item)),
    });
    return { messages: shown, next: last?.['messageId'] as MessageId | undefined };
  }

  /** `accepting` becomes `queued`: the queue has the command. Condition: still `accepting`; else nothing to do. */
  async markQueued(connectionId: ConnectionId, messageId: MessageId): Promise<void> {
    await this.#advance(connectionId, messageId, 'queued', 'SET #state = :state, #rank = :rank', {});
  }

  /**
   * The owner is about to try the message on a socket; counts the attempt. Condition: not done yet, and no newer owner
   * has tried it (`token`). Returns `refused` otherwise: read the row to learn which.
   */
  async beginSending(owner: MessageOwner, messageId: MessageId): Promise<'sending' | 'refused'> {
    try {
      await this.#table.send(
        new UpdateCommand({
          TableName: this.#TableName,
          Key: messageKey(owner.connectionId, messageId),
          UpdateExpression: 'SET #state = :sending, #rank = :rank, #token = :token ADD attempts :one',
          ConditionExpression: `attribute_exists(pk) AND #rank < :sent AND ${FENCED}`,
          ExpressionAttributeNames: { '#state': 'state', '#rank': 'rank', '#token': 'token' },
          ExpressionAttributeValues: {
            ':sending': 'sending',
            ':rank': sendStates.sending,
            ':sent': sendStates.sent,
            ':token': owner.token,
            ':one': 1,
          },
        }),
      );
      return 'sending';
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return 'refused';
      throw error;
    }
  }

  /**
   * The result of a send. Condition: it moves the state forward and no newer owner has tried the message.
   * Returns `refused` when the row already says more, for example `delivered`.
   */
  async recordResult(
    owner: MessageOwner,
    messageId: MessageId,
    result: { readonly state: 'sent' | 'failed' | 'expired'; readonly atMs: number; readonly error?: SendErrorCode },
  ): Promise<'recorded' | 'refused'> {
    const error = result.error === undefined ? '' : ', #error = :error';
    const sentAt = result.state === 'sent' ? ', sentAtMs = :at' : ', endedAtMs = :at';
    const outcome = await this.#advance(
      owner.connectionId,
      messageId,
      result.state,
      `SET #state = :state, #rank = :rank${sentAt}${error}`,
      {
        names: result.error === undefined ? {} : { '#error': 'error' },
        values: { ':at': result.atMs, ...(result.error === undefined ? {} : { ':error': result.error }) },
        token: owner.token,
      },
    );
    return outcome === 'advanced' ? 'recorded' : 'refused';
  }

  /**
   * Parks a message that cannot be sent now, in the order of its SQS sequence number, and counts it on the connection.
   * Condition: it is not parked already, and no newer owner has parked it. Afterwards its command may be deleted.
   */
  async park(owner: MessageOwner, messageId: MessageId, sequenceNumber: string): Promise<'parked' | 'already_parked'> {
    try {
      await this.#table.send(
        new TransactWriteCommand({
          TransactItems: [
            {
              Put: {
                TableName: this.#TableName,
                Item: {
                  ...parkedKey(owner.connectionId, sequenceNumber),
                  messageId,
                  sequenceNumber,
                  token: owner.token,
                },
                ConditionExpression: 'attribute_not_exists(pk)',
              },
            },
            {
              Update: {
                TableName: this.#TableName,
                Key: connectionKey(owner.tenantId, owner.connectionId),
                UpdateExpression: 'ADD parkedCount :one',
                ConditionExpression: 'attribute_exists(pk)',
                ExpressionAttributeValues: { ':one': 1 },
              },
            },
          ],
        }),
      );
    } catch (error) {
      const [parkedReason] = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : [];
      if (parkedReason?.Code === 'ConditionalCheckFailed') return 'already_parked';
      throw error;
    }
    await this.#advance(owner.connectionId, messageId, 'parked', 'SET #state = :state, #rank = :rank', {
      token: owner.token,
    });
    return 'parked';
  }

  /** The first parked messages of a connection, in order, strongly consistent. */
  async listParked(connectionId: ConnectionId, limit: number): Promise<readonly ParkedMessage[]> {
    const input = {
      TableName: this.#TableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': parkedPartition(connectionId) },
      ConsistentRead: true,
    };
    return (await firstOf(queryItems(this.#table, input, { pageSize: limit }), limit)).map((item) => ({
      messageId: item['messageId'] as MessageId,
      sequenceNumber: item['sequenceNumber'] as string,
    }));
  }

  /** Removes a message from the parked ones once it is done, and counts it off. Condition: it is there; else nothing. */
  async unpark(owner: Omit<MessageOwner, 'token'>, sequenceNumber: string): Promise<void> {
    try {
      await this.#table.send(
        new TransactWriteCommand({
          TransactItems: [
            {
              Delete: {
                TableName: this.#TableName,
                Key: parkedKey(owner.connectionId, sequenceNumber),
                ConditionExpression: 'attribute_exists(pk)',
              },
            },
            {
              Update: {
                TableName: this.#TableName,
                Key: connectionKey(owner.tenantId, owner.connectionId),
                UpdateExpression: 'ADD parkedCount :minusOne',
                ConditionExpression: 'attribute_exists(pk)',
                ExpressionAttributeValues: { ':minusOne': -1 },
              },
            },
          ],
        }),
      );
    } catch (error) {
      const reasons = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : [];
      if (!reasons.some((reason) => reason.Code === 'ConditionalCheckFailed')) throw error;
      // Already gone, or the connection is: then only the parked row is left to remove.
      await this.#table.send(
        new DeleteCommand({ TableName: this.#TableName, Key: parkedKey(owner.connectionId, sequenceNumber) }),
      );
    }
  }

  async #advance(
    connectionId: ConnectionId,
    messageId: MessageId,
    state: SendState,
    update: string,
    more: {
      readonly names?: Record<string, string>;
      readonly values?: Record<string, unknown>;
      readonly token?: number;
    },
  ): Promise<'advanced' | 'unchanged'> {
    try {
      await this.#table.send(
        new UpdateCommand({
          TableName: this.#TableName,
          Key: messageKey(connectionId, messageId),
          UpdateExpression: more.token === undefined ? update : `${update}, #token = :token`,
          ConditionExpression:
            // A failure never overtakes a message that WhatsApp has: only what is not sent yet can fail.
            sendStates[state] >= sendStates.failed
              ? `attribute_exists(pk) AND #rank < :sentRank AND ${FENCED_IF(more.token)}`
              : `attribute_exists(pk) AND #rank < :rank AND ${FENCED_IF(more.token)}`,
          ExpressionAttributeNames: {
            '#state': 'state',
            '#rank': 'rank',
            ...(more.token === undefined ? {} : { '#token': 'token' }),
            ...more.names,
          },
          ExpressionAttributeValues: {
            ':state': state,
            ':rank': sendStates[state],
            ...(sendStates[state] >= sendStates.failed ? { ':sentRank': sendStates.sent } : {}),
            ...(more.token === undefined ? {} : { ':token': more.token }),
            ...more.values,
          },
        }),
      );
      return 'advanced';
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return 'unchanged';
      throw error;
    }
  }
}

const FENCED = '(attribute_not_exists(#token) OR #token <= :token)';
const FENCED_IF = (token: number | undefined): string => (token === undefined ? 'attribute_exists(sk)' : FENCED);
