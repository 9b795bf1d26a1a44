import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { connectionKey, shardKey } from '../platform/keys.ts';
import { tenantCountsKey, unpairedPlaceKey } from '../platform/quotaKeys.ts';
import type { Connection } from './connection.ts';
import { toItem } from './connectionItem.ts';

type Write = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/** What becomes of the write that makes a connection. */
export type Placement = 'created' | PlacementRefusal | 'busy';
export type PlacementRefusal = 'full' | 'most' | 'place_taken';

/** A write, and what it means that its condition is not met; left out where that is no outcome. */
interface PlacingWrite {
  readonly write: Write;
  readonly refusal?: PlacementRefusal;
}

/** The writes that make a connection and take its places. */
export function placingWrites(
  TableName: string,
  connection: Connection,
  { shardCap, most }: { readonly shardCap: number; readonly most: number },
): readonly PlacingWrite[] {
  const { tenantId, connectionId, shard, unpairedPlace } = connection;
  const takeShard = {
    TableName,
    Key: shardKey(shard),
    UpdateExpression: 'SET #n = if_not_exists(#n, :zero) + :one, cap = :cap',
    ConditionExpression: 'attribute_not_exists(#n) OR #n < :cap',
    ExpressionAttributeNames: { '#n': 'n' },
    ExpressionAttributeValues: { ':zero': 0, ':one': 1, ':cap': shardCap },
  };
  const count = {
    TableName,
    Key: tenantCountsKey(tenantId),
    UpdateExpression: 'ADD connections :one',
    // Where none may be, a row that is not there is no exception.
    ConditionExpression: `${most > 0 ? 'attribute_not_exists(connections) OR ' : ''}connections < :most`,
    ExpressionAttributeValues: { ':one': 1, ':most': most },
  };
  const record = { TableName, Item: toItem(connection), ConditionExpression: 'attribute_not_exists(pk)' };
  return [
    // The first whose condition is not met says why: the tenant's own number before the room of a shard.
    { write: { Update: count }, refusal: 'most' },
    { write: { Update: takeShard }, refusal: 'full' },
    { write: { Put: record } },
    ...(unpairedPlace === undefined
      ? []
      : [
          {
            write: {
              Put: {
                TableName,
                Item: { ...unpairedPlaceKey(tenantId, unpairedPlace), place: unpairedPlace, connectionId },
                ConditionExpression: 'attribute_not_exists(pk)',
              },
            },
            refusal: 'place_taken' as const,
          },
        ]),
  ];
}

/**
 * The writes that remove a connection and give its places back. The first one has the condition that it waits to be removed, and the
 * last, of its place among those without an account, that the place is not another's by now.
 */
export function removingWrites(
  TableName: string,
  {
    tenantId,
    connectionId,
    shard,
    unpairedPlace,
  }: Pick<Connection, 'tenantId' | 'connectionId' | 'shard' | 'unpairedPlace'>,
): Write[] {
  return [
    {
      Delete: {
        TableName,
        Key: connectionKey(tenantId, connectionId),
        ConditionExpression: 'wanted = :deleted',
        ExpressionAttributeValues: { ':deleted': 'deleted' },
      },
    },
    {
      Update: {
        TableName,
        Key: shardKey(shard),
        UpdateExpression: 'SET #n = #n - :one',
        ConditionExpression: '#n > :zero',
        ExpressionAttributeNames: { '#n': 'n' },
        ExpressionAttributeValues: { ':one': 1, ':zero': 0 },
      },
    },
    {
      Update: {
        TableName,
        Key: tenantCountsKey(tenantId),
        UpdateExpression: 'ADD connections :less',
        ExpressionAttributeValues: { ':less': -1 },
      },
    },
    ...(unpairedPlace === undefined
      ? []
      : [
          {
            Delete: {
              TableName,
              Key: unpairedPlaceKey(tenantId, unpairedPlace),
              ConditionExpression: 'attribute_not_exists(pk) OR connectionId = :connection',
              ExpressionAttributeValues: { ':connection': connectionId },
            },
          } satisfies Write,
        ]),
  ];
}
