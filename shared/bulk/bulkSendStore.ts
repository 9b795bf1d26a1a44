import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  GetCommand,
  TransactWriteCommand,
  UpdateCommand,
  type DynamoDBDocumentClient,
} from '@aws-sdk/lib-dynamodb';
import type { BulkSendId, ConnectionId } from '../kernel/id.ts';
import type { CallerKey } from '../message/newMessages.ts';
import { windowNote, windowOf } from '../message/windowNotes.ts';
import { expiryOf, isExpired } from '../platform/expiry.ts';
import {
  BULK_PREFIX,
  bulkSendKey,
  duePartition,
  idempotencyKey,
  OPEN_BULK_PREFIX,
  openBulkKey,
} from '../platform/keys.ts';
import { queryItems, readPage } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import { isStopped, type BulkSend, type BulkSendState } from './bulkSend.ts';

/** `repeated`: the key was used before, for the same request: this is its bulk send. `conflict`: for another one. */
export type BulkCreation =
  | { readonly outcome: 'created' }
  | { readonly outcome: 'conflict' }
  | { readonly outcome: 'repeated'; readonly bulkSendId: BulkSendId };

/** What a run writes down after a batch of lines. */
export type BulkStep = Pick<BulkSend, 'released' | 'endedBefore' | 'pacedAtMs'>;

/** The rows of bulk sends, each write with its condition. That one is open is a row of its own, which dispatch finds it by. */
export class BulkSendStore {
  readonly #table: DynamoDBDocumentClient;
  readonly #stage: string;
  readonly #TableName: string;

  constructor({ table, stage }: { readonly table: DynamoDBDocumentClient; readonly stage: string }) {
    this.#table = table;
    this.#stage = stage;
    this.#TableName = tableName(stage, 'core');
  }

  /**
   * Writes a bulk send, whose lines are there already, with the row that says that it is open, notes of the windows in which it
   * begins and ends, and the caller's key: all or nothing. Condition: the key is new.
   */
  async create(bulk: BulkSend, key: CallerKey | undefined): Promise<BulkCreation> {
    const { connectionId, bulkSendId, createdAtMs, notBeforeMs = createdAtMs, untilMs } = bulk;
    const ttl = expiryOf('bulkSend', notBeforeMs);
    const write = (Item: Record<string, unknown>) => ({ Put: { TableName: this.#TableName, Item } });
    const { tenantId, shard, correlationId } = bulk;
    const open = { ...openBulkKey(connectionId, bulkSendId), tenantId, connectionId, shard, bulkSendId, correlationId };
    const parts = [
      write({ ...bulkSendKey(connectionId, bulkSendId), ...bulk, ttl }),
      write(open),
      this.#note(bulk, notBeforeMs),
      // One that is paused then is ended all the same.
      ...(windowOf(untilMs) === windowOf(notBeforeMs) ? [] : [this.#note(bulk, untilMs)]),
    ];
    try {
      await this.#table.send(
        new TransactWriteCommand({ TransactItems: [...(key === undefined ? [] : [this.#key(bulk, key)]), ...parts] }),
      );
      return { outcome: 'created' };
    } catch (error) {
      const [reason] = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : [];
      if (key === undefined || reason?.Code !== 'ConditionalCheckFailed') throw error;
      const found = reason.Item?.['bulkSendId']?.S as BulkSendId | undefined;
      // The transaction took effect before, and its answer was lost.
      if (found === bulkSendId) return { outcome: 'created' };
      const isSame = found !== undefined && reason.Item?.['bodyHash']?.S === key.bodyHash;
      return isSame ? { outcome: 'repeated', bulkSendId: found } : { outcome: 'conflict' };
    }
  }

  /** Finds one, strongly consistent. The caller has read the connection under its tenant. */
  async find(connectionId: ConnectionId, bulkSendId: BulkSendId): Promise<BulkSend | undefined> {
    const Key = { ...bulkSendKey(connectionId, bulkSendId) };
    const { Item } = await this.#table.send(new GetCommand({ TableName: this.#TableName, Key, ConsistentRead: true }));
    return Item === undefined ? undefined : (Item as unknown as BulkSend);
  }

  /** Lists those of a connection, newest first. */
  async list(
    connectionId: ConnectionId,
    page: { readonly before: BulkSendId | undefined; readonly limit: number; readonly nowMs: number },
  ): Promise<{ readonly bulkSends: readonly BulkSend[]; readonly next: BulkSendId | undefined }> {
    const input = {
      TableName: this.#TableName,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': bulkSendKey(connectionId, '' as BulkSendId).pk, ':prefix': BULK_PREFIX },
      ScanIndexForward: false,
    };
    const after = page.before === undefined ? undefined : { ...bulkSendKey(connectionId, page.before) };
    const { shown, last } = await readPage(queryItems(this.#table, input, { after, pageSize: page.limit + 1 }), {
      limit: page.limit,
      show: (item) => (isExpired(item, page.nowMs) ? undefined : (item as unknown as BulkSend)),
    });
    return { bulkSends: shown, next: last?.['bulkSendId'] as BulkSendId | undefined };
  }

  /** The ids of those of a connection that are open, in the order of their acceptance, strongly consistent. */
  async listOpen(connectionId: ConnectionId): Promise<readonly BulkSendId[]> {
    const items = queryItems(this.#table, {
      TableName: this.#TableName,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': duePartition(connectionId), ':prefix': OPEN_BULK_PREFIX },
      ConsistentRead: true,
    });
    return (await Array.fromAsync(items)).map((item) => item['bulkSendId'] as BulkSendId);
  }

  /** Writes down how far it is. Condition: it is running and stands where the caller saw it. */
  async advance(bulk: BulkSend, step: BulkStep, nowMs: number): Promise<'advanced' | 'refused'> {
    return this.#updateIf(bulk, {
      sets: { ...step, startedAtMs: bulk.startedAtMs ?? nowMs },
      condition: '#state = :running AND released = :from',
      values: { ':running': 'running', ':from': bulk.released },
    });
  }

  /**
   * Changes its state on behalf of a caller or of the time. Condition: it is in the state in which the caller saw it. Who makes
   * it something that dispatch has to act on notes the present window in the same transaction.
   */
  async change(bulk: BulkSend, state: BulkSendState, nowMs: number): Promise<'changed' | 'refused'> {
    const sets = { state, changes: bulk.changes + 1, changedAtMs: nowMs };
    try {
      await this.#table.send(
        new TransactWriteCommand({
          TransactItems: [
            { Update: this.#update(bulk, sets, '#state = :seen AND changes = :changes', seen(bulk)) },
            this.#note(bulk, nowMs),
          ],
        }),
      );
      return 'changed';
    } catch (error) {
      const reasons = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : [];
      if (reasons.some(({ Code }) => Code === 'ConditionalCheckFailed' || Code === 'TransactionConflict'))
        return 'refused';
      throw error;
    }
  }

  /** Writes down that it is over. Condition: it is in the state in which the caller saw it, and was not over. */
  async end(bulk: BulkSend, nowMs: number): Promise<'ended' | 'refused'> {
    const state = isStopped(bulk) ? bulk.state : 'finished';
    const sets = { state, changes: bulk.changes + 1, changedAtMs: nowMs, endedAtMs: nowMs, endedBefore: bulk.total };
    const condition = '#state = :seen AND changes = :changes AND attribute_not_exists(endedAtMs)';
    const outcome = await this.#updateIf(bulk, { sets, condition, values: seen(bulk) });
    return outcome === 'advanced' ? 'ended' : 'refused';
  }

  /** Writes down that there is an event of its present state. Condition: none of a later one. */
  async recordTold(bulk: BulkSend): Promise<void> {
    await this.#updateIf(bulk, {
      sets: { told: bulk.changes },
      condition: 'told < :now',
      values: { ':now': bulk.changes },
    });
  }

  /** Removes the row that says that it is open, once it is over and told. A row that is not there needs no removal. */
  async close({ connectionId, bulkSendId }: BulkSend): Promise<void> {
    const Key = { ...openBulkKey(connectionId, bulkSendId) };
    await this.#table.send(new DeleteCommand({ TableName: this.#TableName, Key }));
  }

  #note(bulk: BulkSend, atMs: number) {
    return windowNote(this.#stage, 'DUE', { ...bulk, cause: bulk.bulkSendId, window: windowOf(atMs) });
  }

  #key({ connectionId, bulkSendId, createdAtMs }: BulkSend, { callerKey, bodyHash }: CallerKey) {
    const ttl = expiryOf('idempotency', createdAtMs);
    return {
      Put: {
        TableName: this.#TableName,
        Item: { ...idempotencyKey(connectionId, callerKey), bulkSendId, bodyHash, ttl },
        ConditionExpression: 'attribute_not_exists(pk) OR #ttl <= :now',
        ExpressionAttributeNames: { '#ttl': 'ttl' },
        ExpressionAttributeValues: { ':now': Math.floor(createdAtMs / 1_000) },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
      },
    };
  }

  #update(bulk: BulkSend, sets: Sets, condition: string, values: Sets) {
    const given = Object.entries(sets).filter(([, value]) => value !== undefined);
    const names = given.map(([name]) => `#${name} = :to_${name}`);
    return {
      TableName: this.#TableName,
      Key: { ...bulkSendKey(bulk.connectionId, bulk.bulkSendId) },
      UpdateExpression: `SET ${names.join(', ')}`,
      ConditionExpression: condition,
      ExpressionAttributeNames: {
        ...(condition.includes('#state') ? { '#state': 'state' } : {}),
        ...Object.fromEntries(given.map(([name]) => [`#${name}`, name])),
      },
      ExpressionAttributeValues: {
        ...values,
        ...Object.fromEntries(given.map(([name, value]) => [`:to_${name}`, value])),
      },
    };
  }

  async #updateIf(
    bulk: BulkSend,
    { sets, condition, values }: { readonly sets: Sets; readonly condition: string; readonly values: Sets },
  ): Promise<'advanced' | 'refused'> {
    try {
      await this.#table.send(new UpdateCommand(this.#update(bulk, sets, condition, values)));
      return 'advanced';
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return 'refused';
      throw error;
    }
  }
}

type Sets = Readonly<Record<string, unknown>>;

function seen({ state, changes }: BulkSend): Sets {
  return { ':seen': state, ':changes': changes };
}
