import { createHash } from 'node:crypto';
import { GetCommand, TransactWriteCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { toAskedItem, toEndedItem, type AskedEntry } from '../audit/auditEntry.ts';
import { makeId, type ApiKeyId, type TenantId } from '../kernel/id.ts';
import { Secret } from '../kernel/secret.ts';
import { apiKeyKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';
import type { KeyLimits } from './keyLimits.ts';
import type { OperatorRole, Principal } from './principal.ts';
import { findStanding, type TenantStanding } from './standing.ts';
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
  /** The last characters of the secret, by which a person tells keys apart. */
  readonly lastFour: string;
  readonly createdAtMs: number;
}

/**
 * Makes an operator key, and its entry of audit in the same transaction. Called on the command line and by the embedded stack, never
 * over HTTP.
 * @param by who makes it, for the entry
 */
export async function createOperatorKey(
  dependencies: IdentityDependencies,
  { operatorRole, by }: { readonly operatorRole: OperatorRole; readonly by: string },
): Promise<NewApiKey> {
  const { clock, random, stage, table } = dependencies;
  const key = makeKey(dependencies, 'operator');
  const { keyId, lastFour, createdAtMs } = key;
  const TableName = tableName(stage, 'core');
  const facts = { keyId, role: 'operator', operatorRole, lastFour, createdAtMs };
  const asked: AskedEntry = {
    auditId: makeId('aud', createdAtMs, random),
    atMs: createdAtMs,
    actor: { role: 'command_line', by },
    action: 'create-operator-key',
    correlationId: makeId('cor', createdAtMs, random),
    asked: { keyId, operatorRole, lastFour },
  };
  const ended = { outcome: 'done', endedAtMs: clock.nowMs() } as const;
  await table.send(
    new TransactWriteCommand({
      TransactItems: [
        { Put: { TableName, Item: { ...apiKeyKey(hashOf(key.secret.reveal())), ...facts } } },
        { Put: { TableName, Item: toAskedItem('OPERATORS', asked) } },
        { Put: { TableName, Item: toEndedItem('OPERATORS', asked, ended) } },
      ],
    }),
  );
  return key;
}

/** The holder of a key, and the time from which it is nobody's. */
export interface KeyHolder {
  readonly principal: Principal;
  readonly expiresAtMs: number | undefined;
  /** How its tenant stands; undefined where there is no such tenant, or for an operator. */
  readonly standing: TenantStanding | undefined;
}

/** Finds the holder of a key, with one read, and one more of its tenant. Returns undefined for any text that is no key of ours. */
export async function findHolder(
  dependencies: Pick<IdentityDependencies, 'table' | 'stage'>,
  apiKey: string,
): Promise<KeyHolder | undefined> {
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
  const keyId = item['keyId'] as ApiKeyId;
  const expiresAtMs = item['expiresAtMs'] as number | undefined;
  if (item['role'] === 'operator') {
    // A row without a role is of a key that was made before there were roles: it kept what it could do.
    const operatorRole = (item['operatorRole'] as OperatorRole | undefined) ?? 'admin';
    return { principal: { role: 'operator', keyId, operatorRole }, expiresAtMs, standing: undefined };
  }
  const tenantId = item['tenantId'] as TenantId;
  const standing = await findStanding(dependencies, tenantId);
  return { principal: { role: 'tenant', keyId, tenantId, limits: limitsIn(item) }, expiresAtMs, standing };
}

/** The limits of a key, as its row has them. */
export function limitsIn(item: Readonly<Record<string, unknown>>): KeyLimits {
  const { scopes, connectionIds, networks } = item as KeyLimits;
  return {
    ...(scopes === undefined ? {} : { scopes }),
    ...(connectionIds === undefined ? {} : { connectionIds }),
    ...(networks === undefined ? {} : { networks }),
  };
}

/**
 * The SHA-256 of a key in hex, which identifies the key without being it. It is also the key of any cache of
 * principals.
 */
export function hashOf(apiKey: string): string {
  return createHash('sha256').update(apiKey).digest('hex');
}

/** Makes a secret that nobody has, and what is known of it. */
export function makeKey({ clock, random }: IdentityDependencies, role: Principal['role']): NewApiKey {
  const createdAtMs = clock.nowMs();
  const secret = Buffer.from(random.bytes(SECRET_BYTES)).toString('base64url');
  return {
    keyId: makeId('key', createdAtMs, random),
    secret: new Secret(`hf_${role}_${secret}`),
    lastFour: secret.slice(-4),
    createdAtMs,
  };
}
