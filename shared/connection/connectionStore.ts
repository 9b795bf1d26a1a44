import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { GetCommand, TransactWriteCommand, UpdateCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ConnectionId, TenantId } from '../kernel/id.ts';
import { fencedBy } from '../platform/fence.ts';
import { CONNECTION_PREFIX, connectionKey, shardIndexKey, shardKey, tenantKey } from '../platform/keys.ts';
import { allOf, queryItems, readPage } from '../platform/pages.ts';
import { SHARD_INDEX, tableName } from '../platform/tables.ts';
import type { Connection, ConnectionAccount, WantedLogout, WantedPairing, WantedState } from './connection.ts';
import { toConnection } from './connectionItem.ts';
import type { PasskeyAnswer } from './passkey.ts';
import type { OwnedRecord } from './ownedItem.ts';
import { placingWrites, removingWrites, type Placement } from './placeWrites.ts';
import type { Changeable } from './settings.ts';
import type { ConnectionStatus, StatusCode } from './status.ts';

export interface ConnectionStoreDependencies {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

/** Reads and writes of connection records, each with its condition. All reads of one record are strongly consistent. */
export class ConnectionStore {
  readonly #table: DynamoDBDocumentClient;
  readonly #TableName: string;

  constructor({ table, stage }: ConnectionStoreDependencies) {
    this.#table = table;
    this.#TableName = tableName(stage, 'core');
  }

  /**
   * Creates the record, and takes a place on its shard, among the tenant's connections and, where it names one, among those without an
   * account, in one transaction. Conditions: the id is new, the shard holds fewer than `shardCap` connections, the tenant has fewer than
   * `most`, and the place is free. Returns which one is not met; `busy` where others write there at the same instant.
   */
  async create(connection: Connection, shardCap: number, most = Number.MAX_SAFE_INTEGER): Promise<Placement> {
    const writes = placingWrites(this.#TableName, connection, { shardCap, most });
    try {
      await this.#table.send(new TransactWriteCommand({ TransactItems: writes.map(({ write }) => write) }));
      return 'created';
    } catch (error) {
      const reasons = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : [];
      const refused = reasons.findIndex(({ Code }) => Code === 'ConditionalCheckFailed');
      const refusal = writes[refused]?.refusal;
      if (refusal !== undefined) return refusal;
      if (reasons.some(({ Code }) => Code === 'TransactionConflict')) return 'busy';
      throw error;
    }
  }

  /** The number of connections that are placed on a shard. */
  async occupancy(shard: number): Promise<number> {
    const answer = await this.#table.send(new GetCommand({ TableName: this.#TableName, Key: shardKey(shard) }));
    return (answer.Item?.['n'] as number | undefined) ?? 0;
  }

  /**
   * Finds one connection of a tenant; another tenant's is not found. Records that wait to be removed are returned, too.
   */
  async find(tenantId: TenantId, connectionId: ConnectionId): Promise<Connection | undefined> {
    const answer = await this.#table.send(
      new GetCommand({ TableName: this.#TableName, Key: connectionKey(tenantId, connectionId), ConsistentRead: true }),
    );
    return answer.Item === undefined ? undefined : toConnection(answer.Item);
  }

  /** A page of a tenant's connections, in the order in which they were made. */
  async list(
    tenantId: TenantId,
    page: { readonly after: ConnectionId | undefined; readonly limit: number },
  ): Promise<{ readonly connections: readonly Connection[]; readonly next: ConnectionId | undefined }> {
    const { pk } = tenantKey(tenantId);
    const input = {
      TableName: this.#TableName,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': pk, ':prefix': CONNECTION_PREFIX },
    };
    const after = page.after === undefined ? undefined : { ...connectionKey(tenantId, page.after) };
    const { shown, last } = await readPage(queryItems(this.#table, input, { after, pageSize: page.limit + 1 }), {
      limit: page.limit,
      show: (item) => {
        const connection = toConnection(item);
        return connection.wanted === 'deleted' ? undefined : connection;
      },
    });
    return { connections: shown, next: last?.['connectionId'] as ConnectionId | undefined };
  }

  /** All connections of a shard that its owner has work with: wanted online, or waiting to be removed. */
  async listOfShard(shard: number): Promise<readonly Connection[]> {
    const items = queryItems(this.#table, {
      TableName: this.#TableName,
      IndexName: SHARD_INDEX.name,
      KeyConditionExpression: '#shard = :shard',
      ExpressionAttributeNames: { '#shard': SHARD_INDEX.partitionKey },
      ExpressionAttributeValues: { ':shard': shardIndexKey(shard) },
    });
    return (await allOf(items)).map(toConnection);
  }

  /** Stores the wanted state. Condition: the record exists and does not wait to be removed. */
  async setWanted(tenantId: TenantId, connectionId: ConnectionId, wanted: WantedState): Promise<'set' | 'missing'> {
    const connection = await this.find(tenantId, connectionId);
    if (connection === undefined) return 'missing';
    // A tenant that switches a connection off asks for no pairing any more.
    const listed = wanted === 'off' ? ' REMOVE #shardKey, pairing' : ', #shardKey = :shardKey';
    return this.#update(tenantId, connectionId, {
      update: `SET wanted = :wanted${listed}`,
      condition: 'attribute_exists(pk) AND wanted IN (:online, :off)',
      names: { '#shardKey': SHARD_INDEX.partitionKey },
      values: {
        ':wanted': wanted,
        ':online': 'online',
        ':off': 'off',
        ...(wanted === 'off' ? {} : { ':shardKey': shardIndexKey(connection.shard) }),
      },
    });
  }

  /** Stores the pairing that the tenant asks for. Condition: the record exists, is wanted, and has no account. */
  async setPairing(tenantId: TenantId, connectionId: ConnectionId, pairing: WantedPairing): Promise<'set' | 'missing'> {
    return this.#update(tenantId, connectionId, {
      update: 'SET pairing = :pairing',
      condition: 'attribute_exists(pk) AND wanted = :online AND attribute_not_exists(account)',
      values: { ':pairing': pairing, ':online': 'online' },
    });
  }

  /**
   * Stores the tenant's answer to a request for a passkey. Condition: the pairing is asked for, and no assertion was stored for this
   * challenge, or, with a code that was compared, one was.
   */
  async setPasskey(
    { tenantId, connectionId }: Pick<Connection, 'tenantId' | 'connectionId'>,
    requestId: string,
    { challenge, assertion, confirmedCode }: PasskeyAnswer,
  ): Promise<'set' | 'missing'> {
    const isFirst = confirmedCode === undefined;
    const order = isFirst
      ? '(attribute_not_exists(pairing.passkey) OR pairing.passkey.challenge <> :challenge)'
      : 'pairing.passkey.challenge = :challenge';
    return this.#update(tenantId, connectionId, {
      update: isFirst ? 'SET pairing.passkey = :passkey' : 'SET pairing.passkey.confirmedCode = :code',
      condition: `pairing.requestId = :requestId AND wanted = :online AND attribute_not_exists(account) AND ${order}`,
      values: {
        ...(isFirst ? { ':passkey': { challenge, assertion } } : { ':code': confirmedCode }),
        ':requestId': requestId,
        ':challenge': challenge,
        ':online': 'online',
      },
    });
  }

  /** Asks for a log-out. Condition: the record exists, is wanted online, and has an account. */
  async setLogout(tenantId: TenantId, connectionId: ConnectionId, logout: WantedLogout): Promise<'set' | 'missing'> {
    return this.#update(tenantId, connectionId, {
      update: 'SET logout = :logout REMOVE pairing',
      condition: 'attribute_exists(pk) AND wanted = :online AND attribute_exists(account)',
      values: { ':logout': logout, ':online': 'online' },
    });
  }

  /** Removes a log-out that is done. Condition: the record asks for this very one, and no newer owner has written. */
  async clearLogout(connection: OwnedRecord, requestId: string): Promise<'set' | 'missing'> {
    return this.#updateAsOwner(connection, {
      change: 'REMOVE logout',
      condition: 'logout.requestId = :requestId',
      values: { ':requestId': requestId },
    });
  }

  /**
   * Stores label, metadata and settings. Condition: the record exists, does not wait to be removed, and nobody has changed
   * these since it was read.
   */
  async setChangeable(connection: Connection, next: Changeable): Promise<'set' | 'missing'> {
    const { tenantId, connectionId, changes = 0 } = connection;
    const fields = Object.entries({ label: next.label, metadata: next.metadata, settings: next.settings });
    const kept = fields.filter(([, value]) => value !== undefined);
    const gone = fields.filter(([, value]) => value === undefined).map(([name]) => `#${name}`);
    return this.#update(tenantId, connectionId, {
      update:
        `SET changes = :next${kept.map(([name]) => `, #${name} = :${name}`).join('')}` +
        (gone.length === 0 ? '' : ` REMOVE ${gone.join(', ')}`),
      condition:
        'attribute_exists(pk) AND wanted IN (:online, :off) AND (attribute_not_exists(changes) OR changes = :seen)',
      names: Object.fromEntries(fields.map(([name]) => [`#${name}`, name])),
      values: {
        ...Object.fromEntries(kept.map(([name, value]) => [`:${name}`, value])),
        ':next': changes + 1,
        ':seen': changes,
        ':online': 'online',
        ':off': 'off',
      },
    });
  }

  /**
   * Stores the status under the shard's epoch. Condition: no newer owner has stored one ({@link fencedBy}).
   * Returns `missing` when the record is gone or a newer owner has written.
   */
  async recordStatus(
    connection: OwnedRecord,
    status: {
      readonly status: ConnectionStatus;
      readonly code: StatusCode;
      readonly sinceMs: number;
      readonly transitions: number;
      readonly nextAttemptAtMs: number | undefined;
      /** The linked account, where it changes with the status; see {@link recordAccount}. */
      readonly account?: { readonly now: ConnectionAccount | undefined };
    },
  ): Promise<'set' | 'missing'> {
    const { nextAttemptAtMs, account } = status;
    const changes = [', #status = :status, statusCode = :code, statusSinceMs = :since, transitions = :transitions'];
    const removed: string[] = [];
    if (nextAttemptAtMs === undefined) removed.push('nextAttemptAtMs');
    else changes.push('nextAttemptAtMs = :next');
    if (account?.now !== undefined) changes.push('account = :account');
    if (account !== undefined) removed.push(account.now === undefined ? 'account' : 'pairing');
    return this.#updateAsOwner(connection, {
      change: `${changes.join(', ')}${removed.length === 0 ? '' : ` REMOVE ${removed.join(', ')}`}`,
      names: { '#status': 'status' },
      values: {
        ...(nextAttemptAtMs === undefined ? {} : { ':next': nextAttemptAtMs }),
        ...(account?.now === undefined ? {} : { ':account': account.now }),
        ':transitions': status.transitions,
        ':status': status.status,
        ':code': status.code,
        ':since': status.sinceMs,
      },
    });
  }

  /**
   * Stores or removes the linked account under the shard's epoch. Condition as for the status. An account spends the
   * pairing request in the same write, so that no later owner acts on it again.
   */
  async recordAccount(connection: OwnedRecord, account: ConnectionAccount | undefined): Promise<'set' | 'missing'> {
    return this.#updateAsOwner(connection, {
      change: account === undefined ? 'REMOVE account' : ', account = :account REMOVE pairing',
      values: account === undefined ? {} : { ':account': account },
    });
  }

  /** Removes a pairing request that has ended. Condition: the record asks for it, and no newer owner has written. */
  async spendPairing(connection: OwnedRecord, requestId: string): Promise<'set' | 'missing'> {
    return this.#updateAsOwner(connection, {
      change: 'REMOVE pairing',
      condition: 'pairing.requestId = :requestId',
      values: { ':requestId': requestId },
    });
  }

  /** Removes the record and gives its places back, in one transaction. Condition: it waits to be removed. */
  async remove(
    connection: Pick<Connection, 'tenantId' | 'connectionId' | 'shard' | 'unpairedPlace'>,
  ): Promise<'removed' | 'missing'> {
    try {
      await this.#table.send(new TransactWriteCommand({ TransactItems: removingWrites(this.#TableName, connection) }));
      return 'removed';
    } catch (error) {
      const reasons = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : [];
      if (reasons[0]?.Code === 'ConditionalCheckFailed') return 'missing';
      // The place of the connection among those without an account is another's by now, which keeps it.
      const isPlaceGone = connection.unpairedPlace !== undefined && reasons.at(-1)?.Code === 'ConditionalCheckFailed';
      if (isPlaceGone) return this.remove({ ...connection, unpairedPlace: undefined });
      throw error;
    }
  }

  /**
   * Makes a write of the shard's owner, which the record remembers. Condition: the record exists, no newer owner has
   * written, and the caller's own.
   */
  async #updateAsOwner(
    { tenantId, connectionId, token }: OwnedRecord,
    write: {
      /** The part of the update that follows on the `SET` of the owner's epoch. */
      readonly change: string;
      readonly condition?: string;
      readonly names?: Record<string, string>;
      readonly values: Record<string, unknown>;
    },
  ): Promise<'set' | 'missing'> {
    const fence = fencedBy('statusToken', token);
    const conditions = [
      'attribute_exists(pk)',
      fence.condition,
      ...(write.condition === undefined ? [] : [write.condition]),
    ];
    return this.#update(tenantId, connectionId, {
      update: `SET ${fence.set} ${write.change}`,
      condition: conditions.join(' AND '),
      names: { ...fence.names, ...write.names },
      values: { ...fence.values, ...write.values },
    });
  }

  async #update(
    tenantId: TenantId,
    connectionId: ConnectionId,
    write: {
      readonly update: string;
      readonly condition: string;
      readonly names?: Record<string, string>;
      readonly values: Record<string, unknown>;
    },
  ): Promise<'set' | 'missing'> {
    try {
      await this.#table.send(
        new UpdateCommand({
          TableName: this.#TableName,
          Key: connectionKey(tenantId, connectionId),
          UpdateExpression: write.update,
          ConditionExpression: write.condition,
          ExpressionAttributeValues: write.values,
          ...(write.names === undefined ? {} : { ExpressionAttributeNames: write.names }),
        }),
      );
      return 'set';
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return 'missing';
      throw error;
    }
  }
}
