import { GetCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { KeyProvider } from '../../../shared/platform/keyProvider.ts';
import { ItemSeal } from '../../../worker/session/itemSeal.ts';
import { sortKeyOf } from '../../../worker/session/keptPlaintexts.ts';
import type { OwnedConnection } from '../../../worker/fleet/ownedConnection.ts';

/** What a later version does to show a message: the kept bytes, opened with the connection's own data key, and when they go. */
export async function openPlaintext(
  {
    table,
    keyProvider,
    connection,
  }: { table: DynamoDBDocumentClient; keyProvider: KeyProvider; connection: OwnedConnection },
  factKey: string,
): Promise<{ readonly bytes: Buffer; readonly sealed: Buffer; readonly ttl: number } | undefined> {
  const { tenantId, connectionId } = connection;
  const pk = `SESSION#${tenantId}#${connectionId}`;
  const read = async (sk: string) =>
    (await table.send(new GetCommand({ TableName: 'test-sessions', Key: { pk, sk }, ConsistentRead: true }))).Item;
  const sk = sortKeyOf(factKey);
  const [item, root] = [await read(sk), await read('CREDENTIALS')];
  if (item === undefined) return undefined;
  const { version, epoch, body, ttl } = item as { version: number; epoch: number; body: Uint8Array; ttl: number };
  const seal = new ItemSeal({ pk, epoch }, keyProvider, { tenantId, connectionId });
  await seal.use(root?.['wrappedKey'] as Uint8Array);
  const bytes = seal.open({ sk, version, epoch, body, attributes: {} }, (plain) => Buffer.from(plain));
  return { bytes, sealed: Buffer.from(body), ttl };
}
