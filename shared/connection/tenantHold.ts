import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  TransactWriteCommand,
  type DynamoDBDocumentClient,
  type TransactWriteCommandInput,
} from '@aws-sdk/lib-dynamodb';
import type { TenantStanding } from '../identity/standing.ts';
import type { TenantId } from '../kernel/id.ts';
import { CONNECTION_PREFIX, connectionKey, shardIndexKey, tenantKey } from '../platform/keys.ts';
import { endedConnectionKey } from '../platform/tenantKeys.ts';
import { queryItems } from '../platform/pages.ts';
import { SHARD_INDEX, tableName } from '../platform/tables.ts';
import type { Connection } from './connection.ts';
import { toConnection } from './connectionItem.ts';

/** A connection of a tenant, and whether it is off because its tenant is suspended. */
export interface HoldableConnection {
  readonly connection: Connection;
  readonly isHeld: boolean;
}

/**
 * The connections of a tenant that is suspended. One that is wanted online is switched off, and its record remembers that: so exactly those
 * come online again that were wanted so. Each write goes only with how the tenant stands at that moment, so that a run that was
 * overtaken changes nothing any more.
 */
export class TenantHold {
  readonly #table: DynamoDBDocumentClient;
  readonly #TableName: string;

  constructor({ table, stage }: { readonly table: DynamoDBDocumentClient; readonly stage: string }) {
    this.#table = table;
    this.#TableName = tableName(stage, 'core');
  }

  /** All connections of a tenant, read strongly and as they are needed. */
  async *list(tenantId: TenantId): AsyncGenerator<HoldableConnection> {
    const items = queryItems(this.#table, {
      TableName: this.#TableName,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': tenantKey(tenantId).pk, ':prefix': CONNECTION_PREFIX },
      ConsistentRead: true,
    });
    for await (const item of items) yield { connection: toConnection(item), isHeld: item['isHeld'] === true };
  }

  /** Switches a connection off for as long as its tenant is suspended. Condition: it is wanted online, and the tenant is suspended. */
  hold(connection: Connection): Promise<'written' | 'overtaken'> {
    return this.#write(connection, 'suspended', {
      UpdateExpression: 'SET wanted = :off, isHeld = :held REMOVE #shardKey, pairing',
      ConditionExpression: 'wanted = :online',
      ExpressionAttributeNames: { '#shardKey': SHARD_INDEX.partitionKey },
      ExpressionAttributeValues: { ':off': 'off', ':held': true, ':online': 'online' },
    });
  }

  /** Switches a connection on again that was held. Condition: it is held and not to be deleted, and the tenant is active. */
  letGo(connection: Connection): Promise<'written' | 'overtaken'> {
    return this.#write(connection, 'active', {
      UpdateExpression: 'SET wanted = :online, #shardKey = :shardKey REMOVE isHeld',
      ConditionExpression: 'isHeld = :held AND wanted = :off',
      ExpressionAttributeNames: { '#shardKey': SHARD_INDEX.partitionKey },
      ExpressionAttributeValues: {
        ':off': 'off',
        ':held': true,
        ':online': 'online',
        ':shardKey': shardIndexKey(connection.shard),
      },
    });
  }

  /**
   * Has a connection of a tenant end that is being deleted, and notes it: its rows are found by that note when its record is gone. Condition: its record is there,
   * and the tenant is being deleted.
   */
  end(connection: Connection): Promise<'written' | 'overtaken'> {
    const { tenantId, connectionId, shard } = connection;
    const Item = { ...endedConnectionKey(tenantId, connectionId), connectionId };
    const update = {
      UpdateExpression: 'SET wanted = :deleted, #shardKey = :shardKey REMOVE isHeld',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeNames: { '#shardKey': SHARD_INDEX.partitionKey },
      ExpressionAttributeValues: { ':deleted': 'deleted', ':shardKey': shardIndexKey(shard) },
    };
    return this.#write(connection, 'deleting', update, [{ Put: { TableName: this.#TableName, Item } }]);
  }

  async #write(
    { tenantId, connectionId }: Connection,
    state: TenantStanding['state'],
    update: {
      readonly UpdateExpression: string;
      readonly ConditionExpression: string;
      readonly ExpressionAttributeNames: Record<string, string>;
      readonly ExpressionAttributeValues: Record<string, unknown>;
    },
    beside: NonNullable<TransactWriteCommandInput['TransactItems']> = [],
  ): Promise<'written' | 'overtaken'> {
    const TableName = this.#TableName;
    try {
      await this.#table.send(
        new TransactWriteCommand({
          TransactItems: [
            { ConditionCheck: { TableName, Key: tenantKey(tenantId), ...whileTenantIs(state) } },
            { Update: { TableName, Key: connectionKey(tenantId, connectionId), ...update } },
            ...beside,
          ],
        }),
      );
      return 'written';
    } catch (error) {
      if (wasOvertaken(error)) return 'overtaken';
      throw error;
    }
  }
}

/** The condition on the row of a tenant under which something follows how it stands. */
export function whileTenantIs(state: TenantStanding['state']) {
  return state === 'active'
    ? { ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(standing)' }
    : { ConditionExpression: 'standing.#state = :state', ...named(state) };
}

function named(state: TenantStanding['state']) {
  return { ExpressionAttributeNames: { '#state': 'state' }, ExpressionAttributeValues: { ':state': state } };
}

/** Whether a transaction was refused by one of its conditions. */
export function wasOvertaken(error: unknown): boolean {
  const reasons = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : [];
  return reasons.some(({ Code }) => Code === 'ConditionalCheckFailed');
}
