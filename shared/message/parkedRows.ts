import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  TransactWriteCommand,
  UpdateCommand,
  type DynamoDBDocumentClient,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import type { ConnectionId, MessageId, TenantId } from '../kernel/id.ts';
import { connectionKey, messageKey, parkedKey, parkedPartition, type ItemKey } from '../platform/keys.ts';
import { firstOf, queryItems } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import { dueWrites, END_SLACK_MS } from './dueRows.ts';
import type { SentMessage } from './message.ts';
import type { ParkReason } from './messageWait.ts';

/** The greatest backlog of one connection; more is refused. */
export const PARKED_LIMIT = 1_000;

/** One parked message, in the order in which SQS accepted its command. */
export interface ParkedMessage {
  readonly messageId: MessageId;
  readonly sequenceNumber: string;
  /** The address that was asked for; undefined in a row of an earlier version. */
  readonly to: string | undefined;
  /** Since when it might have left, where that is later than the time at which it was accepted. */
  readonly notBeforeMs?: number | undefined;
  /** Why it was parked; undefined in a row of an earlier version. */
  readonly reason?: ParkReason | undefined;
}

/** The parts of a message that its row among the parked ones is made of. */
export type ParkingMessage = Pick<
  SentMessage,
  'messageId' | 'to' | 'correlationId' | 'notBeforeMs' | 'expiresAtMs' | 'tenantId' | 'connectionId'
>;

interface Owner {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
}

/** The rows of messages that wait on a connection, and their number on the connection's record. */
export class ParkedRows {
  readonly #table: DynamoDBDocumentClient;
  readonly #stage: string;
  readonly #TableName: string;

  constructor(table: DynamoDBDocumentClient, stage: string) {
    this.#table = table;
    this.#stage = stage;
    this.#TableName = tableName(stage, 'core');
  }

  /**
   * Writes a row. Condition: the row is not there; else the message is parked already. With it goes the row that has a
   * message looked after when it expires: nothing else comes to it while its connection is away.
   */
  async put(
    owner: Owner & { readonly token: number; readonly shard: number },
    message: ParkingMessage,
    { sequenceNumber, reason }: { readonly sequenceNumber: string; readonly reason: ParkReason },
  ): Promise<'parked' | 'already_parked'> {
    const { messageId, to, notBeforeMs, expiresAtMs } = message;
    const end = expiresAtMs === undefined ? undefined : { atMs: expiresAtMs + END_SLACK_MS, shard: owner.shard };
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
                  to,
                  sequenceNumber,
                  notBeforeMs,
                  reason,
                  token: owner.token,
                },
                ConditionExpression: 'attribute_not_exists(pk)',
              },
            },
            this.#count(owner, 1),
            ...(end === undefined ? [] : dueWrites(this.#stage, 'END', { ...message, ...end })),
          ],
        }),
      );
      return 'parked';
    } catch (error) {
      const [parkedReason] = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : [];
      if (parkedReason?.Code === 'ConditionalCheckFailed') return 'already_parked';
      throw error;
    }
  }

  /**
   * Lists rows in order, strongly consistent; at most `limit`.
   * @param after the place behind which to begin
   */
  async list(connectionId: ConnectionId, limit: number, after: string | undefined): Promise<readonly ParkedMessage[]> {
    const input = {
      TableName: this.#TableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': parkedPartition(connectionId) },
      ConsistentRead: true,
    };
    const start = after === undefined ? {} : { after: { ...parkedKey(connectionId, after) } };
    return (await firstOf(queryItems(this.#table, input, { pageSize: limit, ...start }), limit)).map(toParkedMessage);
  }

  /**
   * Notes why a message stays parked, where its parking did not know: it came while nothing could leave. Condition: it is still
   * parked; else nothing. Its row here comes last, so that whoever reads it there need not note it again.
   */
  async noteReason({ connectionId }: Owner, row: ParkedMessage, reason: ParkReason): Promise<void> {
    const { messageId, sequenceNumber } = row;
    await this.#set(messageKey(connectionId, messageId), 'SET parkedFor = :reason', {
      ConditionExpression: 'attribute_exists(pk) AND #state = :parked',
      ExpressionAttributeNames: { '#state': 'state' },
      ExpressionAttributeValues: { ':reason': reason, ':parked': 'parked' },
    });
    await this.#set(parkedKey(connectionId, sequenceNumber), 'SET reason = :reason', {
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeValues: { ':reason': reason },
    });
  }

  /** Removes a row and counts it off. Condition: it is there; else nothing. */
  async remove(owner: Owner, sequenceNumber: string): Promise<void> {
    const row = { TableName: this.#TableName, Key: parkedKey(owner.connectionId, sequenceNumber) };
    try {
      await this.#table.send(
        new TransactWriteCommand({
          TransactItems: [{ Delete: { ...row, ConditionExpression: 'attribute_exists(pk)' } }, this.#count(owner, -1)],
        }),
      );
    } catch (error) {
      const reasons = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : [];
      if (!reasons.some((reason) => reason.Code === 'ConditionalCheckFailed')) throw error;
      // The row is gone already, or the connection is: then only the parked row is left to remove.
      await this.#table.send(new DeleteCommand(row));
    }
  }

  async #set(
    Key: ItemKey,
    UpdateExpression: string,
    condition: Omit<UpdateCommandInput, 'TableName' | 'Key' | 'UpdateExpression'>,
  ): Promise<void> {
    try {
      await this.#table.send(
        new UpdateCommand({ TableName: this.#TableName, Key: { ...Key }, UpdateExpression, ...condition }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }

  #count({ tenantId, connectionId }: Owner, by: 1 | -1) {
    return {
      Update: {
        TableName: this.#TableName,
        Key: connectionKey(tenantId, connectionId),
        UpdateExpression: 'ADD parkedCount :by',
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeValues: { ':by': by },
      },
    };
  }
}

function toParkedMessage(item: Record<string, unknown>): ParkedMessage {
  return {
    messageId: item['messageId'] as MessageId,
    sequenceNumber: item['sequenceNumber'] as string,
    to: item['to'] as string | undefined,
    notBeforeMs: item['notBeforeMs'] as number | undefined,
    reason: item['reason'] as ParkReason | undefined,
  };
}
