import { DeleteCommand, PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ActionId, ConnectionId, TenantId } from '../kernel/id.ts';
import { expiryOf } from '../platform/expiry.ts';
import { openActionKey, openActionPrefix, openActionsPartition } from '../platform/keys.ts';
import { firstOf, queryItems } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import type { ActionKind } from './actionKinds.ts';

/** An action that a worker has taken over and not brought to its end. */
export interface OpenAction {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly actionId: ActionId;
  readonly kind: ActionKind;
  readonly expiresAtMs: number;
}

interface Place {
  readonly connectionId: ConnectionId;
  readonly shard: number;
}

/**
 * The actions of a shard that are not over. The command of an action lives in the queue only until its row is here, so
 * that neither a connection that is offline nor a WhatsApp that does not answer holds up the queue; the next owner of
 * the shard finds here what is left to do.
 */
export class OpenActions {
  readonly #table: DynamoDBDocumentClient;
  readonly #TableName: string;

  constructor({ table, stage }: { readonly table: DynamoDBDocumentClient; readonly stage: string }) {
    this.#table = table;
    this.#TableName = tableName(stage, 'core');
  }

  /** Adds an open action. The write has no condition: the same action makes the same row. */
  async add(
    shard: number,
    { tenantId, connectionId, actionId, kind, expiresAtMs }: OpenAction,
    nowMs: number,
  ): Promise<void> {
    const Item = {
      ...openActionKey(shard, connectionId, actionId),
      tenantId,
      connectionId,
      actionId,
      kind,
      expiresAtMs,
      ttl: expiryOf('openAction', nowMs),
    };
    await this.#table.send(new PutCommand({ TableName: this.#TableName, Item }));
  }

  /** Removes an open action. The write has no condition: a row that is not there needs no removal. */
  async remove({ shard, connectionId }: Place, actionId: ActionId): Promise<void> {
    const Key = openActionKey(shard, connectionId, actionId);
    await this.#table.send(new DeleteCommand({ TableName: this.#TableName, Key }));
  }

  /** Lists the open actions of one connection, oldest first, at most `most`; strongly consistent. */
  async ofConnection({ shard, connectionId }: Place, most: number): Promise<readonly OpenAction[]> {
    const items = queryItems(
      this.#table,
      {
        TableName: this.#TableName,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: { ':pk': openActionsPartition(shard), ':prefix': openActionPrefix(connectionId) },
        ConsistentRead: true,
      },
      { pageSize: most },
    );
    return (await firstOf(items, most)).map(toOpenAction);
  }

  /** Lists the connections of a shard that have open actions; one query, eventually consistent. */
  async connectionsOf(shard: number): Promise<readonly Pick<OpenAction, 'tenantId' | 'connectionId'>[]> {
    const items = queryItems(this.#table, {
      TableName: this.#TableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': openActionsPartition(shard) },
    });
    const found = new Map<ConnectionId, Pick<OpenAction, 'tenantId' | 'connectionId'>>();
    for await (const item of items) {
      const { tenantId, connectionId } = toOpenAction(item);
      found.set(connectionId, { tenantId, connectionId });
    }
    return [...found.values()];
  }
}

function toOpenAction(item: Record<string, unknown>): OpenAction {
  return {
    tenantId: item['tenantId'] as TenantId,
    connectionId: item['connectionId'] as ConnectionId,
    actionId: item['actionId'] as ActionId,
    kind: item['kind'] as ActionKind,
    expiresAtMs: item['expiresAtMs'] as number,
  };
}
