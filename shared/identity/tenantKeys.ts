import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { ApiKeyId, TenantId } from '../kernel/id.ts';
import { expiryOf, isExpired } from '../platform/expiry.ts';
import { API_KEY_PREFIX, apiKeyKey, tenantApiKeyKey, tenantKey } from '../platform/keys.ts';
import { queryItems, readPage, type Item } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import { hashOf, limitsIn, makeKey, type IdentityDependencies, type NewApiKey } from './apiKey.ts';
import type { KeyLimits } from './keyLimits.ts';

/**
 * The API keys of a tenant. Each has two rows, which are written together: one to find it by the hash of its secret, and
 * one to list it by. When a key is revoked, the first one is deleted, so that nothing can be found by it; the second one
 * tells of it for a while.
 */
export interface TenantKey {
  readonly keyId: ApiKeyId;
  readonly tenantId: TenantId;
  readonly label: string | undefined;
  readonly lastFour: string | undefined;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | undefined;
  readonly revokedAtMs: number | undefined;
  /** The last day on which it was used, such as `2026-08-01`, in UTC; undefined for one that never was. */
  readonly usedOn: string | undefined;
  readonly limits: KeyLimits;
}

export interface KeyTerms {
  readonly label?: string | undefined;
  /** The time from which the key opens nothing, in milliseconds since 1970; never when left out. */
  readonly expiresAtMs?: number | undefined;
  /** Everything of the tenant's when left out. */
  readonly limits?: KeyLimits;
}

/** Makes a key for a tenant that the caller has read. */
export async function createTenantKey(
  dependencies: IdentityDependencies,
  tenantId: TenantId,
  { label, expiresAtMs, limits = {} }: KeyTerms,
): Promise<NewApiKey> {
  const key = makeKey(dependencies, 'tenant');
  const TableName = tableName(dependencies.stage, 'core');
  const { keyId, lastFour, createdAtMs } = key;
  const hash = hashOf(key.secret.reveal());
  const facts = { keyId, role: 'tenant', tenantId, label, lastFour, createdAtMs, expiresAtMs, ...limits };
  await dependencies.table.send(
    new TransactWriteCommand({
      TransactItems: [
        { Put: { TableName, Item: { ...apiKeyKey(hash), ...facts } } },
        { Put: { TableName, Item: { ...tenantApiKeyKey(tenantId, keyId), ...facts, hash } } },
      ],
    }),
  );
  return key;
}

/** The keys of a tenant, oldest first: those that open something, have expired, or were revoked in the last 30 days. */
export async function listTenantKeys(
  { table, stage, clock }: IdentityDependencies,
  tenantId: TenantId,
  page: { readonly after: ApiKeyId | undefined; readonly limit: number },
): Promise<{ readonly keys: readonly TenantKey[]; readonly next: ApiKeyId | undefined }> {
  const nowMs = clock.nowMs();
  const rows = queryItems(
    table,
    {
      TableName: tableName(stage, 'core'),
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': tenantKey(tenantId).pk, ':prefix': API_KEY_PREFIX },
      ConsistentRead: true,
    },
    { after: page.after && { ...tenantApiKeyKey(tenantId, page.after) }, pageSize: page.limit + 1 },
  );
  const { shown, last } = await readPage(rows, {
    limit: page.limit,
    show: (item) => (isExpired(item, nowMs) ? undefined : toTenantKey(item)),
  });
  return { keys: shown, next: last === undefined ? undefined : toTenantKey(last).keyId };
}

/**
 * Revokes a key. Nothing finds it from here on; a function that has found it before remembers it for up to half a minute
 * (`functions/http/authentication.ts`). A key that was revoked before stays so.
 */
export async function revokeTenantKey(
  { table, stage, clock }: IdentityDependencies,
  tenantId: TenantId,
  keyId: ApiKeyId,
): Promise<'revoked' | 'missing'> {
  const TableName = tableName(stage, 'core');
  const Key = tenantApiKeyKey(tenantId, keyId);
  const nowMs = clock.nowMs();
  const read = async () => (await table.send(new GetCommand({ TableName, Key, ConsistentRead: true }))).Item;
  const item = await read();
  if (item === undefined || isExpired(item, nowMs)) return 'missing';
  if (item['revokedAtMs'] !== undefined) return 'revoked';
  try {
    await table.send(
      new TransactWriteCommand({
        TransactItems: [
          { Delete: { TableName, Key: apiKeyKey(item['hash'] as string) } },
          {
            Update: {
              TableName,
              Key,
              UpdateExpression: 'SET revokedAtMs = :now, #ttl = :ttl',
              ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(revokedAtMs)',
              ExpressionAttributeNames: { '#ttl': 'ttl' },
              ExpressionAttributeValues: { ':now': nowMs, ':ttl': expiryOf('revokedKey', nowMs) },
            },
          },
        ],
      }),
    );
  } catch (error) {
    // Another operator may have done the same at the same moment.
    if ((await read())?.['revokedAtMs'] === undefined) throw error;
  }
  return 'revoked';
}

/** Whether a key of a tenant opens anything now, with one read: it was neither revoked, nor is its time over. */
export async function isTenantKeyOpen(
  { table, stage, clock }: Pick<IdentityDependencies, 'table' | 'stage' | 'clock'>,
  { tenantId, keyId }: Pick<TenantKey, 'tenantId' | 'keyId'>,
): Promise<boolean> {
  const { Item } = await table.send(
    new GetCommand({
      TableName: tableName(stage, 'core'),
      Key: tenantApiKeyKey(tenantId, keyId),
      ConsistentRead: true,
    }),
  );
  if (Item === undefined || Item['revokedAtMs'] !== undefined) return false;
  const expiresAtMs = Item['expiresAtMs'] as number | undefined;
  return expiresAtMs === undefined || expiresAtMs > clock.nowMs();
}

/** Notes the day on which a key is used, once a day. The row that lists a key has it, which nothing is found by. */
export async function noteKeyUse(
  { table, stage }: Pick<IdentityDependencies, 'table' | 'stage'>,
  { tenantId, keyId }: Pick<TenantKey, 'tenantId' | 'keyId'>,
  day: string,
): Promise<void> {
  const note = new UpdateCommand({
    TableName: tableName(stage, 'core'),
    Key: tenantApiKeyKey(tenantId, keyId),
    UpdateExpression: 'SET usedOn = :day',
    ConditionExpression: 'attribute_exists(pk) AND (attribute_not_exists(usedOn) OR usedOn < :day)',
    ExpressionAttributeValues: { ':day': day },
  });
  try {
    await table.send(note);
  } catch (error) {
    // Another process was first.
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}

function toTenantKey(item: Item): TenantKey {
  return {
    keyId: item['keyId'] as ApiKeyId,
    tenantId: item['tenantId'] as TenantId,
    label: item['label'] as string | undefined,
    lastFour: item['lastFour'] as string | undefined,
    createdAtMs: item['createdAtMs'] as number,
    expiresAtMs: item['expiresAtMs'] as number | undefined,
    revokedAtMs: item['revokedAtMs'] as number | undefined,
    usedOn: item['usedOn'] as string | undefined,
    limits: limitsIn(item),
  };
}
