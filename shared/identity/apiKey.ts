import { createHash } from 'node:crypto';
import { GetCommand, PutCommand, TransactWriteCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { makeId, type ApiKeyId, type TenantId } from '../kernel/id.ts';
import { Secret } from '../kernel/secret.ts';
import { apiKeyKey, tenantApiKeyKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';
import type { Principal } from './principal.ts';
import type { Surroundings } from '../platform/surroundings.ts';

/**
 * API keys: `hf_<role>_<43 characters>`, 256 random bits. Only the SHA-256 of a key is stored: a key of that much
 * chance needs no slow hash. The secret is shown once, when it is made.
 */
const SECRET_BYTES = 32;
const API_KEY = /^hf_(tenant|operator)_[A-Za-z0-9_-]{43}$/;

export interface IdentityDependencies extends Pick<Surroundings, 'clock' | 'random'> {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

export interface NewApiKey {
  readonly keyId: ApiKeyId;
  readonly secret: Secret;
  readonly createdAtMs: number;
}

/**
 * Makes a key for a tenant that the caller has read. Two rows are written in one transaction: one to find the key by,
 * one to list it by.
 */
export async function createTenantKey(
  dependencies: IdentityDependencies,
  tenantId: TenantId,
  label: string | undefined,
): Promise<NewApiKey> {
  const key = makeKey(dependencies, 'tenant');
  const TableName = tableName(dependencies.stage, 'core');
  const facts = { keyId: key.keyId, role: 'tenant', tenantId, label, createdAtMs: key.createdAtMs };
  await dependencies.table.send(
    new TransactWriteCommand({
      TransactItems: [
        { Put: { TableName, Item: { ...apiKeyKey(hashOf(key.secret.reveal())), ...facts } } },
        { Put: { TableName, Item: { ...tenantApiKeyKey(tenantId, key.keyId), ...facts } } },
      ],
    }),
  );
  return key;
}

/** Makes an operator key. Called on the command line and by the embedded stack, never over HTTP. */
export async function createOperatorKey(dependencies: IdentityDependencies): Promise<NewApiKey> {
  const key = makeKey(dependencies, 'operator');
  await dependencies.table.send(
    new PutCommand({
      TableName: tableName(dependencies.stage, 'core'),
      Item: {
        ...apiKeyKey(hashOf(key.secret.reveal())),
        keyId: key.keyId,
        role: 'operator',
        createdAtMs: key.createdAtMs,
      },
    }),
  );
  return key;
}

/** Finds the holder of a key, with one read. Returns undefined for any text that is no key of ours. */
export async function findPrincipal(
  dependencies: Pick<IdentityDependencies, 'table' | 'stage'>,
  apiKey: string,
): Promise<Principal | undefined> {
  if (!API_KEY.test(apiKey)) return undefined;
  const answer = await dependencies.table.send(
    new GetCommand({
      TableName: tableName(dependencies.stage, 'core'),
      Key: apiKeyKey(hashOf(apiKey)),
      // A key that was made a moment ago is there: callers remember the ones that are not.
      ConsistentRead: true,
    }),
  );
  const item = answer.Item;
  if (item === undefined) return undefined;
  if (item['role'] === 'operator') return { role: 'operator', keyId: item['keyId'] as ApiKeyId };
  return { role: 'tenant', keyId: item['keyId'] as ApiKeyId, tenantId: item['tenantId'] as TenantId };
}

/**
 * The SHA-256 of a key in hex, which identifies the key without being it. It is also the key of any cache of
 * principals.
 */
export function hashOf(apiKey: string): string {
  return createHash('sha256').update(apiKey).digest('hex');
}

function makeKey({ clock, random }: IdentityDependencies, role: Principal['role']): NewApiKey {
  const createdAtMs = clock.nowMs();
  const secret = Buffer.from(random.bytes(SECRET_BYTES)).toString('base64url');
  return { keyId: makeId('key', createdAtMs, random), secret: new Secret(`hf_${role}_${secret}`), createdAtMs };
}
