import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, UpdateCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Random } from '../kernel/random.ts';
import type { TenantId } from '../kernel/id.ts';
import { connectionKey } from '../platform/keys.ts';
import { allOf, queryItems } from '../platform/pages.ts';
import { unpairedPartition, unpairedPlaceKey } from '../platform/quotaKeys.ts';
import { tableName } from '../platform/tables.ts';
import type { Connection } from './connection.ts';

/** A connection to which no account was ever linked: it has one of the tenant's places for such connections. */
type Unpaired = Pick<Connection, 'tenantId' | 'connectionId' | 'unpairedPlace'>;

/** How long a connection is kept to which nobody links an account, in milliseconds since it was made. */
export const UNPAIRED_KEPT_MS = 7 * 24 * 60 * 60_000;
/** How long it is kept after a pairing was asked for last, in milliseconds. */
const PAIRING_KEPT_MS = 24 * 60 * 60_000;

/** Whether a connection has stood for so long without an account that it is to be deleted. The function is pure. */
export function isUnpairedTooLong(
  {
    account,
    unpairedPlace,
    createdAtMs,
    pairing,
  }: Pick<Connection, 'account' | 'unpairedPlace' | 'createdAtMs' | 'pairing'>,
  nowMs: number,
): boolean {
  if (account !== undefined || unpairedPlace === undefined) return false;
  const askedAtMs = pairing?.requestedAtMs ?? 0;
  return nowMs - createdAtMs > UNPAIRED_KEPT_MS && nowMs - askedAtMs > PAIRING_KEPT_MS;
}

/**
 * The places of a tenant's connections to which no account was ever linked. A connection takes a numbered place with the write that makes
 * it, so that there are never more than places; its owner gives it back once an account is linked. A place that a dead owner left is given
 * back by the next one, since the record of the connection names it until then.
 */
export class UnpairedPlaces {
  readonly #table: DynamoDBDocumentClient;
  readonly #TableName: string;

  constructor({ table, stage }: { readonly table: DynamoDBDocumentClient; readonly stage: string }) {
    this.#table = table;
    this.#TableName = tableName(stage, 'core');
  }

  /** A free place, drawn by chance so that two that look at once seldom find the same; undefined where all are taken. */
  async findFree(tenantId: TenantId, most: number, random: Random): Promise<number | undefined> {
    const rows = queryItems(this.#table, {
      TableName: this.#TableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': unpairedPartition(tenantId) },
      ConsistentRead: true,
    });
    const taken = new Set((await allOf(rows)).map(({ place }) => Number(place)));
    if (taken.size >= most) return undefined;
    const free = Array.from({ length: most }, (_, place) => place).filter((place) => !taken.has(place));
    return free[Math.floor(random.unit() * free.length)];
  }

  /** Gives the place of a connection back: first the place, then the word of it on the record. Conditions: both are this connection's. */
  async free({ tenantId, connectionId, unpairedPlace }: Unpaired): Promise<void> {
    if (unpairedPlace === undefined) return;
    await unlessRefused(
      this.#table.send(
        new DeleteCommand({
          TableName: this.#TableName,
          Key: unpairedPlaceKey(tenantId, unpairedPlace),
          ConditionExpression: 'connectionId = :connectionId',
          ExpressionAttributeValues: { ':connectionId': connectionId },
        }),
      ),
    );
    await unlessRefused(
      this.#table.send(
        new UpdateCommand({
          TableName: this.#TableName,
          Key: connectionKey(tenantId, connectionId),
          UpdateExpression: 'REMOVE unpairedPlace',
          ConditionExpression: 'unpairedPlace = :place',
          ExpressionAttributeValues: { ':place': unpairedPlace },
        }),
      ),
    );
  }

  /** Has a connection deleted that nobody links an account to. Condition: none was linked meanwhile, and it is not deleted already. */
  async expire({ tenantId, connectionId }: Unpaired): Promise<'expired' | 'missing'> {
    const outcome = await unlessRefused(
      this.#table.send(
        new UpdateCommand({
          TableName: this.#TableName,
          Key: connectionKey(tenantId, connectionId),
          UpdateExpression: 'SET wanted = :deleted',
          ConditionExpression:
            'attribute_exists(unpairedPlace) AND attribute_not_exists(account) AND wanted IN (:online, :off)',
          ExpressionAttributeValues: { ':deleted': 'deleted', ':online': 'online', ':off': 'off' },
        }),
      ),
    );
    return outcome === 'written' ? 'expired' : 'missing';
  }
}

async function unlessRefused(write: Promise<unknown>): Promise<'written' | 'refused'> {
  try {
    await write;
    return 'written';
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return 'refused';
    throw error;
  }
}
