import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, GetCommand, PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ConnectionId } from '../kernel/id.ts';
import { pairingOfferKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';

/** What the tenant shows to link an account. It is a secret for as long as it lives: never in events, never in logs. */
export type StoredOffer =
  | { readonly method: 'qr'; readonly qr: string; readonly expiresAtMs: number }
  | { readonly method: 'code'; readonly code: string; readonly phoneNumber: string; readonly expiresAtMs: number };

interface OfferDependencies {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

/** Stores the offer under the shard's epoch. Condition: no newer owner has stored one. */
export async function putPairingOffer(
  { table, stage }: OfferDependencies,
  connection: { readonly connectionId: ConnectionId; readonly token: number },
  offer: StoredOffer,
): Promise<'stored' | 'lost'> {
  try {
    await table.send(
      new PutCommand({
        TableName: tableName(stage, 'core'),
        Item: {
          ...pairingOfferKey(connection.connectionId),
          ...offer,
          token: connection.token,
          ttl: Math.ceil(offer.expiresAtMs / 1_000),
        },
        ConditionExpression: 'attribute_not_exists(#token) OR #token <= :token',
        ExpressionAttributeNames: { '#token': 'token' },
        ExpressionAttributeValues: { ':token': connection.token },
      }),
    );
    return 'stored';
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return 'lost';
    throw error;
  }
}

/** The offer that is out now, or undefined when there is none or it has expired. Strongly consistent. */
export async function findPairingOffer(
  { table, stage }: OfferDependencies,
  connectionId: ConnectionId,
  nowMs: number,
): Promise<StoredOffer | undefined> {
  const answer = await table.send(
    new GetCommand({ TableName: tableName(stage, 'core'), Key: pairingOfferKey(connectionId), ConsistentRead: true }),
  );
  const item = answer.Item;
  if (item === undefined || (item['expiresAtMs'] as number) <= nowMs) return undefined;
  const expiresAtMs = item['expiresAtMs'] as number;
  return item['method'] === 'qr'
    ? { method: 'qr', qr: item['qr'] as string, expiresAtMs }
    : { method: 'code', code: item['code'] as string, phoneNumber: item['phoneNumber'] as string, expiresAtMs };
}

/** Removes the offer once it is used or void. Condition: it is not a newer owner's. */
export async function deletePairingOffer(
  { table, stage }: OfferDependencies,
  connection: { readonly connectionId: ConnectionId; readonly token: number },
): Promise<void> {
  try {
    await table.send(
      new DeleteCommand({
        TableName: tableName(stage, 'core'),
        Key: pairingOfferKey(connection.connectionId),
        ConditionExpression: 'attribute_not_exists(pk) OR #token <= :token',
        ExpressionAttributeNames: { '#token': 'token' },
        ExpressionAttributeValues: { ':token': connection.token },
      }),
    );
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}
