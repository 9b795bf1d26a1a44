import type { ConnectionId } from '../kernel/id.ts';
import { expiryOf, isExpired } from '../platform/expiry.ts';
import { TRANSITION_PREFIX, transitionKey } from '../platform/keys.ts';
import { allOf, queryItems } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import { putOwned, type CoreTable } from './ownedItem.ts';
import type { ConnectionStatus, StatusCode } from './status.ts';

/**
 * The last changes of a connection's status, also the ones that are too short to become events. Each change has a
 * number that goes on under the next owner, and its place is the number modulo the length: one small item is written
 * for each change, nothing is read before, and nothing grows.
 */
export const HISTORY_LENGTH = 50;

/** One change of status. */
export interface StatusTransition {
  /** The number of the change, counted for the connection from 1. */
  readonly number: number;
  readonly atMs: number;
  readonly status: ConnectionStatus;
  readonly code: StatusCode;
  /** The number with which WhatsApp or the library closed the socket; undefined where no close led to the change. */
  readonly closeCode: number | undefined;
}

/** Writes a change into its place. Condition: no newer owner has written there (`token <= mine`). */
export async function putTransition(
  core: CoreTable,
  connection: { readonly connectionId: ConnectionId; readonly token: number },
  { number, closeCode, ...moment }: StatusTransition,
): Promise<'stored' | 'lost'> {
  const key = transitionKey(connection.connectionId, number % HISTORY_LENGTH);
  const shown = closeCode === undefined ? {} : { closeCode };
  return putOwned(core, key, connection.token, {
    ...moment,
    number,
    ...shown,
    ttl: expiryOf('transition', moment.atMs),
  });
}

/** Reads the last changes, newest first, at most {@link HISTORY_LENGTH}. Strongly consistent. */
export async function readHistory(
  { table, stage }: CoreTable,
  connectionId: ConnectionId,
  nowMs: number,
): Promise<readonly StatusTransition[]> {
  const { pk } = transitionKey(connectionId, 0);
  const items = queryItems(table, {
    TableName: tableName(stage, 'core'),
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
    ExpressionAttributeValues: { ':pk': pk, ':prefix': TRANSITION_PREFIX },
    ConsistentRead: true,
  });
  const found = (await allOf(items))
    .filter((item) => !isExpired(item, nowMs))
    .map(toTransition)
    .sort((left, right) => right.number - left.number);
  const newest = found[0]?.number ?? 0;
  // A place whose own change was lost still holds the change of a round before.
  return found.filter(({ number }) => number > newest - HISTORY_LENGTH);
}

function toTransition(item: Readonly<Record<string, unknown>>): StatusTransition {
  return {
    number: item['number'] as number,
    atMs: item['atMs'] as number,
    status: item['status'] as ConnectionStatus,
    code: item['code'] as StatusCode,
    closeCode: item['closeCode'] as number | undefined,
  };
}
