import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, UpdateCommand, type DynamoDBDocumentClient, type UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import type { ConnectionId, MessageId, StanzaId, TenantId } from '../kernel/id.ts';
import { messageIdOf } from '../kernel/sentIds.ts';
import { fencedBy } from '../platform/fence.ts';
import { isExpired } from '../platform/expiry.ts';
import { firstMessageKey, MESSAGE_PREFIX, messageKey } from '../platform/keys.ts';
import { queryItems, readPage } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import { beginTry } from './beginTry.ts';
import { isChange, toMessage } from './messageItem.ts';
import { sendStates, type Message, type SendState, type SentMessage } from './message.ts';
import { AudienceStore } from './audienceStore.ts';
import type { ParkReason } from './messageWait.ts';
import { NewMessages, type CallerKey, type Creation, type NewMessage } from './newMessages.ts';
import type { PastMessages } from './pastMessages.ts';
import { ParkedRows, type ParkedMessage, type ParkingMessage } from './parkedRows.ts';
import type { SendError } from './sendError.ts';

export interface MessageStoreDependencies {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
  /** The messages that histories brought; left out where none is looked for. */
  readonly past?: Pick<PastMessages, 'find'>;
}

/** The connection whose owner writes, and the epoch under which the owner does. */
export interface MessageOwner {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly token: number;
}

/** The end of a message that was not sent, for the row. */
export interface SendFailure {
  readonly state: 'failed' | 'expired';
  readonly atMs: number;
  readonly error: SendError;
}

/** Reads and writes of message rows, each with its condition. */
export class MessageStore {
  readonly #table: DynamoDBDocumentClient;
  readonly #TableName: string;
  readonly #parked: ParkedRows;
  readonly #new: NewMessages;
  readonly #past: MessageStoreDependencies['past'];
  /** The people whom statuses are for. */
  readonly audiences: AudienceStore;

  constructor({ table, stage, past }: MessageStoreDependencies) {
    this.#table = table;
    this.#past = past;
    this.#parked = new ParkedRows(table, stage);
    this.#new = new NewMessages(table, stage);
    this.#TableName = tableName(stage, 'core');
    this.audiences = new AudienceStore(table, this.#TableName);
  }

  /** Writes a new message, with the caller's key where there is one. */
  create(message: NewMessage, shard: number, key?: CallerKey, writeId?: string): Promise<Creation> {
    return this.#new.create(message, shard, key, writeId);
  }

  /** Finds one message, strongly consistent. The caller has read the connection under its tenant. */
  async find(connectionId: ConnectionId, messageId: MessageId): Promise<Message | undefined> {
    const answer = await this.#table.send(
      new GetCommand({ TableName: this.#TableName, Key: messageKey(connectionId, messageId), ConsistentRead: true }),
    );
    if (answer.Item !== undefined) return toMessage(answer.Item);
    return this.#past?.find({ connectionId }, messageId);
  }

  /** Finds the message that we sent under a stanza id, which a receipt or a retry request names. */
  async findByStanza(connectionId: ConnectionId, stanzaId: StanzaId): Promise<SentMessage | undefined> {
    const messageId = messageIdOf(connectionId, stanzaId);
    const message = messageId && (await this.find(connectionId, messageId));
    return message?.direction === 'out' ? message : undefined;
  }

  /**
   * Reads a page of a connection's messages, newest first, without edits, deletions and parts of others: the messages that they belong to show those. `next` is where the page after it begins; undefined on the
   * last page.
   */
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
      show: (item) =>
        isExpired(item, page.nowMs) || isChange(item) || item['foldedInto'] !== undefined ? undefined : toMessage(item),
    });
    return { messages: shown, next: last?.['messageId'] as MessageId | undefined };
  }

  /**
   * Lists the messages of a span of time to which nothing but a command leads, oldest first, strongly consistent: those that nobody
   * has taken, and those that are being tried.
   */
  async *listUnsettled(connectionId: ConnectionId, fromMs: number, untilMs: number): AsyncGenerator<SentMessage> {
    const items = queryItems(this.#table, {
      TableName: this.#TableName,
      KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :until',
      FilterExpression:
        '#state IN (:queued, :parked, :sending) AND attribute_not_exists(parkedAs) AND direction = :out',
      ExpressionAttributeNames: { '#state': 'state' },
      ExpressionAttributeValues: {
        ':pk': messageKey(connectionId, '' as MessageId).pk,
        ':from': firstMessageKey(fromMs),
        ':until': firstMessageKey(untilMs),
        ':queued': 'queued',
        ':parked': 'parked',
        ':sending': 'sending',
        ':out': 'out',
      },
      ConsistentRead: true,
    });
    for await (const item of items) yield toMessage(item) as SentMessage;
  }

  /**
   * Begins a try of the owner on a socket, counts it, and reads the message, under the condition of {@link beginTry}.
   * Returns the message as it was before the try, or `refused`: read the row to learn why.
   */
  async beginSending(
    owner: MessageOwner,
    messageId: MessageId,
    acceptedFromMs: number | undefined,
    nowMs: number,
  ): Promise<SentMessage | 'refused'> {
    const row = { TableName: this.#TableName, Key: messageKey(owner.connectionId, messageId) };
    try {
      const begun = beginTry(owner.token, acceptedFromMs, nowMs);
      const answer = await this.#table.send(new UpdateCommand({ ...row, ...begun }));
      const message = toMessage(answer.Attributes ?? {}) as SentMessage;
      return { ...message, attempts: message.attempts - 1 };
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return 'refused';
      throw error;
    }
  }

  /**
   * Records that a message failed or expired. Condition: WhatsApp does not have it, and no newer owner has tried it. Returns `refused`
   * when the row already says more, for example `delivered`.
   */
  async recordFailure(
    owner: MessageOwner,
    messageId: MessageId,
    { state, atMs, error }: SendFailure,
  ): Promise<'recorded' | 'refused'> {
    const number = error.whatsappCode === undefined ? {} : { whatsappCode: error.whatsappCode };
    const sets = { endedAtMs: atMs, error: error.code, ...number };
    const names = Object.keys(sets);
    const outcome = await this.#advance(
      owner.connectionId,
      messageId,
      state,
      ['SET #state = :state, #rank = :rank', ...names.map((name) => `#${name} = :${name}`)].join(', '),
      {
        names: Object.fromEntries(names.map((name) => [`#${name}`, name])),
        values: Object.fromEntries(Object.entries(sets).map(([name, value]) => [`:${name}`, value])),
        token: owner.token,
      },
    );
    return outcome === 'advanced' ? 'recorded' : 'refused';
  }

  /**
   * Ends a try before anything left: the message waits again, and may be cancelled. Condition: this owner's try was the
   * last.
   * @param limitedAtMs the time at which a limit of WhatsApp ended the try; undefined for other reasons
   * @param reason why the message waits again
   * @param isCounted whether it counts as a try; one that was limited does not
   */
  async endTry(
    owner: MessageOwner,
    messageId: MessageId,
    limitedAtMs: number | undefined,
    reason: ParkReason,
    isCounted = limitedAtMs === undefined,
  ): Promise<void> {
    const uncounted = limitedAtMs === undefined ? '' : ', limitedSinceMs = if_not_exists(limitedSinceMs, :at)';
    await this.#updateIf(owner.connectionId, messageId, {
      UpdateExpression: `SET #state = :parked, #rank = :rank, parkedFor = :reason${uncounted}${isCounted ? '' : ' ADD attempts :minusOne'}`,
      ConditionExpression: 'attribute_exists(pk) AND #state = :sending AND #token = :token',
      ExpressionAttributeNames: { '#state': 'state', '#rank': 'rank', '#token': 'token' },
      ExpressionAttributeValues: {
        ':parked': 'parked',
        ':rank': sendStates.parked,
        ':reason': reason,
        ':sending': 'sending',
        ':token': owner.token,
        ...(limitedAtMs === undefined ? {} : { ':at': limitedAtMs }),
        ...(isCounted ? {} : { ':minusOne': -1 }),
      },
    });
  }

  /**
   * Notes the address that WhatsApp named instead of the one that was asked for: the message goes there. Condition: as
   * for a try.
   */
  async noteResolved(owner: MessageOwner, messageId: MessageId, resolvedTo: string): Promise<void> {
    const fence = fencedBy('token', owner.token);
    await this.#updateIf(owner.connectionId, messageId, {
      UpdateExpression: 'SET resolvedTo = :to',
      ConditionExpression: `attribute_exists(pk) AND ${fence.condition}`,
      ExpressionAttributeNames: fence.names,
      ExpressionAttributeValues: { ':to': resolvedTo, ...fence.values },
    });
  }

  /**
   * Cancels a message that has not been tried. Condition: it is `scheduled`, `queued` or `parked`; a worker's try begins with a
   * write under the opposite condition, so a cancelled message is never sent. Returns `refused` otherwise: read the row.
   */
  async cancel(connectionId: ConnectionId, messageId: MessageId, atMs: number): Promise<'cancelled' | 'refused'> {
    return this.#updateIf(connectionId, messageId, {
      UpdateExpression: 'SET #state = :cancelled, #rank = :rank, endedAtMs = :at',
      ConditionExpression: 'attribute_exists(pk) AND #rank < :sending',
      ExpressionAttributeNames: { '#state': 'state', '#rank': 'rank' },
      ExpressionAttributeValues: {
        ':cancelled': 'cancelled',
        ':rank': sendStates.cancelled,
        ':at': atMs,
        ':sending': sendStates.sending,
      },
    }).then((outcome) => (outcome === 'updated' ? 'cancelled' : 'refused'));
  }

  /**
   * Parks a message that cannot be sent now, in the order of its SQS sequence number, and counts it on the connection.
   * Condition: it is not parked already, and no newer owner has parked it. Afterwards its command may be deleted.
   */
  async park(
    owner: MessageOwner & { readonly shard: number },
    message: ParkingMessage,
    sequenceNumber: string,
    reason: ParkReason,
  ): Promise<'parked' | 'already_parked'> {
    // Also a row that was there before: whoever wrote it may have died before the message said so.
    const outcome = await this.#parked.put(owner, message, { sequenceNumber, reason });
    const { messageId } = message;
    const values = { ':place': sequenceNumber, ':reason': reason };
    const update = 'SET #state = :state, #rank = :rank, parkedAs = :place, parkedFor = :reason';
    if (
      (await this.#advance(owner.connectionId, messageId, 'parked', update, { values, token: owner.token })) ===
      'unchanged'
    ) {
      // The message was tried before it was parked. A caller that cancels it later has to find its row, too.
      await this.#updateIf(owner.connectionId, messageId, {
        UpdateExpression: 'SET parkedAs = :place, parkedFor = :reason',
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeValues: values,
      });
    }
    return outcome;
  }

  /**
   * Lists parked messages of a connection, in order, strongly consistent.
   * @param after the place behind which to begin
   */
  async listParked(connectionId: ConnectionId, limit: number, after?: string): Promise<readonly ParkedMessage[]> {
    return this.#parked.list(connectionId, limit, after);
  }

  /** Notes why a message stays parked, as {@link ParkedRows.noteReason} does. */
  noteParkReason(owner: Omit<MessageOwner, 'token'>, row: ParkedMessage, reason: ParkReason): Promise<void> {
    return this.#parked.noteReason(owner, row, reason);
  }

  /** Removes a message from the parked ones once it is done, and counts it off. Condition: it is there; else nothing. */
  async unpark(owner: Omit<MessageOwner, 'token'>, sequenceNumber: string): Promise<void> {
    await this.#parked.remove(owner, sequenceNumber);
  }

  async #updateIf(
    connectionId: ConnectionId,
    messageId: MessageId,
    update: Omit<UpdateCommandInput, 'TableName' | 'Key'>,
  ): Promise<'updated' | 'refused'> {
    try {
      const Key = messageKey(connectionId, messageId);
      await this.#table.send(new UpdateCommand({ TableName: this.#TableName, Key, ...update }));
      return 'updated';
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return 'refused';
      throw error;
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
    const fence = more.token === undefined ? undefined : fencedBy('token', more.token);
    const fenced = fence === undefined ? [] : [fence.condition];
    const isFailure = sendStates[state] >= sendStates.failed;
    try {
      await this.#table.send(
        new UpdateCommand({
          TableName: this.#TableName,
          Key: messageKey(connectionId, messageId),
          UpdateExpression: fence === undefined ? update : `${update}, ${fence.set}`,
          // A failure never overtakes a message that WhatsApp has: only a message that is not sent yet can fail.
          ConditionExpression: ['attribute_exists(pk)', `#rank < ${isFailure ? ':sentRank' : ':rank'}`, ...fenced].join(
            ' AND ',
          ),
          ExpressionAttributeNames: {
            '#state': 'state',
            '#rank': 'rank',
            ...fence?.names,
            ...more.names,
          },
          ExpressionAttributeValues: {
            ':state': state,
            ':rank': sendStates[state],
            ...(isFailure ? { ':sentRank': sendStates.sent } : {}),
            ...fence?.values,
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
