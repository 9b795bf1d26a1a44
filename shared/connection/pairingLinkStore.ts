import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { makeId, type ConnectionId, type PairingLinkId } from '../kernel/id.ts';
import { Secret } from '../kernel/secret.ts';
import { isExpired } from '../platform/expiry.ts';
import { PAIRING_LINK_PREFIX, pairingLinkKey, pairingLinkPartition } from '../platform/pairingKeys.ts';
import { queryItems, readPage, type Item } from '../platform/pages.ts';
import type { Surroundings } from '../platform/surroundings.ts';
import { tableName } from '../platform/tables.ts';
import type { CoreTable } from './ownedItem.ts';
import { hashOfToken, makeToken, USED_SHOWN_MS, type PairingLink } from './pairingLink.ts';

export interface PairingLinkDependencies extends CoreTable, Pick<Surroundings, 'clock' | 'random'> {}

const SECRET_BYTES = 32;
/** The row of a link is kept for an hour after its time, so that its bearer reads what has become of it. */
const KEPT_SECONDS = 3_600;

/** What is known of a link before it is made. */
export type NewPairingLink = Omit<
  PairingLink,
  'linkId' | 'hash' | 'createdAtMs' | 'usedAtMs' | 'revokedAtMs' | 'expiresAtMs'
> & { readonly lastsMs: number };

/** Makes a link. Returns it with its token, which is shown once. */
export async function createPairingLink(
  { table, stage, clock, random }: PairingLinkDependencies,
  { lastsMs, ...given }: NewPairingLink,
): Promise<{ readonly link: PairingLink; readonly token: Secret }> {
  const createdAtMs = clock.nowMs();
  const linkId = makeId('plk', createdAtMs, random);
  const token = makeToken(given.connectionId, linkId, random.bytes(SECRET_BYTES));
  const link = {
    ...given,
    linkId,
    hash: hashOfToken(token),
    createdAtMs,
    expiresAtMs: createdAtMs + lastsMs,
    usedAtMs: undefined,
    revokedAtMs: undefined,
  };
  const ttl = Math.ceil((link.expiresAtMs + USED_SHOWN_MS) / 1_000) + KEPT_SECONDS;
  const Item = { ...pairingLinkKey(link.connectionId, linkId), ...link, ttl };
  await table.send(new PutCommand({ TableName: tableName(stage, 'core'), Item }));
  return { link, token: new Secret(token) };
}

/** Finds a link, strongly; undefined when there is none. */
export async function findPairingLink(
  { table, stage }: CoreTable,
  connectionId: ConnectionId,
  linkId: PairingLinkId,
): Promise<PairingLink | undefined> {
  const Key = pairingLinkKey(connectionId, linkId);
  const { Item } = await table.send(new GetCommand({ TableName: tableName(stage, 'core'), Key, ConsistentRead: true }));
  return Item === undefined ? undefined : toLink(Item);
}

/** The links of a connection that were not revoked and are still kept, oldest first. */
export async function listPairingLinks(
  { table, stage, clock }: PairingLinkDependencies,
  connectionId: ConnectionId,
  page: { readonly after: PairingLinkId | undefined; readonly limit: number },
): Promise<{ readonly links: readonly PairingLink[]; readonly next: PairingLinkId | undefined }> {
  const nowMs = clock.nowMs();
  const rows = queryItems(
    table,
    {
      TableName: tableName(stage, 'core'),
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': pairingLinkPartition(connectionId), ':prefix': PAIRING_LINK_PREFIX },
      ConsistentRead: true,
    },
    { after: page.after && { ...pairingLinkKey(connectionId, page.after) }, pageSize: page.limit + 1 },
  );
  const { shown, last } = await readPage(rows, {
    limit: page.limit,
    show: (item) => (isExpired(item, nowMs) || item['revokedAtMs'] !== undefined ? undefined : toLink(item)),
  });
  return { links: shown, next: last === undefined ? undefined : toLink(last).linkId };
}

/** Revokes a link for good. Condition: it is there. */
export function revokePairingLink(
  dependencies: PairingLinkDependencies,
  connectionId: ConnectionId,
  linkId: PairingLinkId,
): Promise<'set' | 'missing'> {
  return noteOnce(dependencies, { connectionId, linkId }, 'revokedAtMs');
}

/** Notes that an account is linked, so that nothing can be asked for by the link any more. Condition: it is there. */
export function usePairingLink(
  dependencies: PairingLinkDependencies,
  link: Pick<PairingLink, 'connectionId' | 'linkId'>,
): Promise<'set' | 'missing'> {
  return noteOnce(dependencies, link, 'usedAtMs');
}

async function noteOnce(
  { table, stage, clock }: PairingLinkDependencies,
  { connectionId, linkId }: Pick<PairingLink, 'connectionId' | 'linkId'>,
  field: 'revokedAtMs' | 'usedAtMs',
): Promise<'set' | 'missing'> {
  const note = new UpdateCommand({
    TableName: tableName(stage, 'core'),
    Key: pairingLinkKey(connectionId, linkId),
    // The first time stays.
    UpdateExpression: 'SET #field = if_not_exists(#field, :now)',
    ConditionExpression: 'attribute_exists(pk)',
    ExpressionAttributeNames: { '#field': field },
    ExpressionAttributeValues: { ':now': clock.nowMs() },
  });
  try {
    await table.send(note);
    return 'set';
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return 'missing';
    throw error;
  }
}

function toLink(item: Item): PairingLink {
  return {
    linkId: item['linkId'] as PairingLink['linkId'],
    tenantId: item['tenantId'] as PairingLink['tenantId'],
    connectionId: item['connectionId'] as ConnectionId,
    keyId: item['keyId'] as PairingLink['keyId'],
    hash: item['hash'] as string,
    createdAtMs: item['createdAtMs'] as number,
    expiresAtMs: item['expiresAtMs'] as number,
    usedAtMs: item['usedAtMs'] as number | undefined,
    revokedAtMs: item['revokedAtMs'] as number | undefined,
    returnUrl: item['returnUrl'] as string | undefined,
    origin: item['origin'] as string | undefined,
    language: item['language'] as PairingLink['language'],
    brand: item['brand'] as PairingLink['brand'],
  };
}
