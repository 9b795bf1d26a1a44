import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, GetCommand } from '@aws-sdk/lib-dynamodb';
import type { ConnectionId } from '../kernel/id.ts';
import { fencedBy } from '../platform/fence.ts';
import { pairingOfferKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';
import { putOwned, type CoreTable } from './ownedItem.ts';

/**
 * The offer that the tenant shows to link an account, or the step of a passkey that it waits for. It is a secret for as long as it lives: never in events, never in
 * logs.
 */
export type StoredOffer =
  | { readonly method: 'qr'; readonly qr: string; readonly expiresAtMs: number }
  | { readonly method: 'code'; readonly code: string; readonly phoneNumber: string; readonly expiresAtMs: number }
  | StoredPasskeyStep;

/** The request for a passkey as JSON, the wait for WhatsApp and the phone, and the code to be compared with the phone's. */
export type StoredPasskeyStep =
  | {
      readonly method: 'passkey_required';
      readonly options: string;
      readonly challenge: string;
      readonly expiresAtMs: number;
    }
  | { readonly method: 'passkey_checking'; readonly expiresAtMs: number }
  | {
      readonly method: 'passkey_confirm';
      readonly code: string;
      readonly challenge: string;
      readonly expiresAtMs: number;
    };

/** Stores the offer under the shard's epoch. Condition: no newer owner has stored one. */
export async function putPairingOffer(
  core: CoreTable,
  connection: { readonly connectionId: ConnectionId; readonly token: number },
  offer: StoredOffer,
): Promise<'stored' | 'lost'> {
  const ttl = Math.ceil(offer.expiresAtMs / 1_000);
  return putOwned(core, pairingOfferKey(connection.connectionId), connection.token, { ...offer, ttl });
}

/** Finds the offer that is out now; undefined when there is none or it has expired. Strongly consistent. */
export async function findPairingOffer(
  { table, stage }: CoreTable,
  connectionId: ConnectionId,
  nowMs: number,
): Promise<StoredOffer | undefined> {
  const answer = await table.send(
    new GetCommand({ TableName: tableName(stage, 'core'), Key: pairingOfferKey(connectionId), ConsistentRead: true }),
  );
  const item = answer.Item;
  if (item === undefined || (item['expiresAtMs'] as number) <= nowMs) return undefined;
  return readers[item['method'] as StoredOffer['method']](item, item['expiresAtMs'] as number);
}

type Reader = (item: Record<string, unknown>, expiresAtMs: number) => StoredOffer;

const readers: Readonly<Record<StoredOffer['method'], Reader>> = {
  qr: (item, expiresAtMs) => ({ method: 'qr', qr: item['qr'] as string, expiresAtMs }),
  code: (item, expiresAtMs) => ({
    method: 'code',
    code: item['code'] as string,
    phoneNumber: item['phoneNumber'] as string,
    expiresAtMs,
  }),
  passkey_required: (item, expiresAtMs) => ({
    method: 'passkey_required',
    options: item['options'] as string,
    challenge: item['challenge'] as string,
    expiresAtMs,
  }),
  passkey_checking: (_item, expiresAtMs) => ({ method: 'passkey_checking', expiresAtMs }),
  passkey_confirm: (item, expiresAtMs) => ({
    method: 'passkey_confirm',
    code: item['code'] as string,
    challenge: item['challenge'] as string,
    expiresAtMs,
  }),
};

/** Removes the offer once it is used or void. Condition: it is not a newer owner's. */
export async function deletePairingOffer(
  { table, stage }: CoreTable,
  connection: { readonly connectionId: ConnectionId; readonly token: number },
): Promise<void> {
  const fence = fencedBy('token', connection.token);
  try {
    await table.send(
      new DeleteCommand({
        TableName: tableName(stage, 'core'),
        Key: pairingOfferKey(connection.connectionId),
        ConditionExpression: fence.condition,
        ExpressionAttributeNames: fence.names,
        ExpressionAttributeValues: fence.values,
      }),
    );
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}
