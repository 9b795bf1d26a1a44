import { z } from 'zod';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import type { IdentityDependencies } from '../../shared/identity/apiKey.ts';
import { isNetwork, scopes, type KeyLimits } from '../../shared/identity/keyLimits.ts';
import { createTenantKey, listTenantKeys, revokeTenantKey, type TenantKey } from '../../shared/identity/tenantKeys.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import { parseId, type TenantId } from '../../shared/kernel/id.ts';
import { createTenant, listTenants } from '../../shared/tenant/tenant.ts';
import { route, type Route } from '../http/route.ts';
import { changeableTenantOf, tenantOf, tenantViewSchema, toTenantView } from './tenantView.ts';
import { limitSchema, pageOf, toPage } from './views.ts';

/** The most connections, and the most networks, that one key names: its row is read with each request that nobody remembers it for. */
const MOST_OF_KEY = 100;

export interface TenantKeyDependencies extends IdentityDependencies {
  readonly connections: Pick<ConnectionStore, 'find'>;
}

const name = z.string().trim().min(1).max(100);
const states = ['active', 'expired', 'revoked'] as const;
const keyLimitsShape = {
  scopes: z
    .array(z.enum(scopes))
    .min(1)
    .max(scopes.length)
    .optional()
    .meta({
      description: 'What it may do: `read` is GET and what opens streams, `write` everything else. All when left out.',
      example: ['messages:write', 'contacts:read'],
    }),
  connectionIds: z.array(z.string().max(64)).min(1).max(MOST_OF_KEY).optional().meta({
    description:
      'The connections that it is for: it finds no others, and opens only what is about one of them. All when left out.',
  }),
  networks: z
    .array(
      z.string().max(64).refine(isNetwork, { error: 'must be a network, such as 203.0.113.0/24 or 2001:db8::/32' }),
    )
    .min(1)
    .max(MOST_OF_KEY)
    .optional()
    .meta({
      description: 'The networks that it may be used from. Everywhere when left out.',
      example: ['203.0.113.0/24'],
    }),
};
const keyViewSchema = z
  .object({
    id: z.string(),
    tenantId: z.string(),
    label: z.string().optional(),
    lastFour: z.string().optional().meta({ description: 'The last characters of the key, to tell keys apart.' }),
    state: z.enum(states).meta({ description: 'What is not `active` opens nothing.' }),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().optional().meta({ description: 'The time from which the key opens nothing.' }),
    revokedAt: z.iso.datetime().optional(),
    lastUsedOn: z.iso.date().optional().meta({
      description: 'The last day on which a request came with it, in UTC. Missing while none has.',
    }),
    ...keyLimitsShape,
  })
  .meta({ id: 'ApiKey' });
const newKeyViewSchema = keyViewSchema
  .extend({ secret: z.string().meta({ description: 'The API key itself. Shown this once; only its hash is stored.' }) })
  .meta({ id: 'ApiKeyWithSecret' });
const newKeySchema = z
  .strictObject({
    label: name.optional(),
    expiresAt: z.iso
      .datetime({ offset: true })
      .optional()
      .meta({ description: 'A time to come; never when left out.' }),
    ...keyLimitsShape,
  })
  .meta({ id: 'NewApiKey' });

const timeOf = (atMs: number): string => new Date(atMs).toISOString();

function toKeyView(key: TenantKey, nowMs: number): z.infer<typeof keyViewSchema> {
  const { keyId, tenantId, label, lastFour, createdAtMs, expiresAtMs, revokedAtMs, usedOn, limits } = key;
  return {
    id: keyId,
    tenantId,
    ...(label === undefined ? {} : { label }),
    ...(lastFour === undefined ? {} : { lastFour }),
    state:
      revokedAtMs !== undefined ? 'revoked' : expiresAtMs !== undefined && expiresAtMs <= nowMs ? 'expired' : 'active',
    createdAt: timeOf(createdAtMs),
    ...(expiresAtMs === undefined ? {} : { expiresAt: timeOf(expiresAtMs) }),
    ...(revokedAtMs === undefined ? {} : { revokedAt: timeOf(revokedAtMs) }),
    ...(usedOn === undefined ? {} : { lastUsedOn: usedOn }),
    ...(limits.scopes === undefined ? {} : { scopes: [...limits.scopes] }),
    ...(limits.connectionIds === undefined ? {} : { connectionIds: [...limits.connectionIds] }),
    ...(limits.networks === undefined ? {} : { networks: [...limits.networks] }),
  };
}

/** The limits of a new key. Throws `connection_not_found` for a connection that the tenant has not. */
async function limitsAskedFor(
  { connections }: TenantKeyDependencies,
  tenantId: TenantId,
  { scopes: own, connectionIds, networks }: z.infer<typeof newKeySchema>,
): Promise<KeyLimits> {
  const found = await Promise.all(
    (connectionIds ?? []).map(async (text) => {
      const connectionId = parseId('con', text);
      const connection = connectionId && (await connections.find(tenantId, connectionId));
      if (connection === undefined)
        throw new AppError('connection_not_found', { detail: `The tenant has no ${text}.` });
      return connection.connectionId;
    }),
  );
  return {
    ...(own === undefined ? {} : { scopes: [...new Set(own)] }),
    ...(connectionIds === undefined ? {} : { connectionIds: [...new Set(found)] }),
    ...(networks === undefined ? {} : { networks: [...new Set(networks)] }),
  };
}

/** The time from which a new key opens nothing. Throws `invalid_request` for one that has passed. */
function expiryAskedFor(expiresAt: string | undefined, nowMs: number): number | undefined {
  if (expiresAt === undefined) return undefined;
  const expiresAtMs = Date.parse(expiresAt);
  if (expiresAtMs > nowMs) return expiresAtMs;
  throw new AppError('invalid_request', {
    fields: [{ field: 'expiresAt', problem: 'has passed; name a time to come' }],
  });
}

/** The id that a page begins after. Throws `invalid_cursor` for a text that is no such id. */
function placeOf<Prefix extends 'key' | 'tnt'>(prefix: Prefix, after: string | undefined) {
  const place = after === undefined ? undefined : parseId(prefix, after);
  if (after !== undefined && place === undefined) throw new AppError('invalid_cursor');
  return place;
}

/** The routes by which operators manage tenants. */
export function tenantRoutes(dependencies: IdentityDependencies): readonly Route[] {
  return [
    route('POST', '/v1/admin/tenants', {
      summary: 'Create a tenant',
      access: 'operator',
      body: z.strictObject({ name }).meta({ id: 'NewTenant' }),
      answers: { status: 201, schema: tenantViewSchema },
      handle: async ({ body }) => ({ status: 201, json: toTenantView(await createTenant(dependencies, body.name)) }),
    }),
    route('GET', '/v1/admin/tenants', {
      summary: 'List tenants, oldest first',
      access: 'operator',
      query: z.strictObject({
        after: z.string().optional(),
        limit: limitSchema,
        deleted: z.enum(['true', 'false']).default('false').meta({
          description: 'Whether those are listed, too, that were deleted in the last 400 days.',
        }),
      }),
      answers: { status: 200, schema: pageOf(tenantViewSchema) },
      handle: async ({ query }) => {
        const from = { after: placeOf('tnt', query.after), limit: query.limit };
        const page = await listTenants(dependencies, { ...from, withDeleted: query.deleted === 'true' });
        const data = page.tenants.map(toTenantView);
        return { status: 200, json: toPage(data, page.next) };
      },
    }),
  ];
}

/** The routes by which operators manage the API keys of tenants. */
export function tenantKeyRoutes(dependencies: TenantKeyDependencies): readonly Route[] {
  const { clock } = dependencies;
  return [
    route('POST', '/v1/admin/tenants/{tenantId}/api-keys', {
      summary: 'Create an API key of a tenant',
      description:
        'To rotate a key, create the next one, give it to the tenant, and revoke the old one when it is not used any more. What a key may do is said once, here: one that may do something else is another key.',
      access: 'operator',
      body: newKeySchema,
      problems: ['tenant_being_deleted', 'connection_not_found'],
      answers: { status: 201, schema: newKeyViewSchema },
      handle: async ({ parameters, body }) => {
        const { tenantId } = await changeableTenantOf(dependencies, parameters['tenantId']);
        const expiresAtMs = expiryAskedFor(body.expiresAt, clock.nowMs());
        const limits = await limitsAskedFor(dependencies, tenantId, body);
        const terms = { label: body.label, expiresAtMs, limits };
        const { secret, ...made } = await createTenantKey(dependencies, tenantId, terms);
        const key = { ...made, ...terms, tenantId, revokedAtMs: undefined, usedOn: undefined };
        return { status: 201, json: { ...toKeyView(key, clock.nowMs()), secret: secret.reveal() } };
      },
    }),
    route('GET', '/v1/admin/tenants/{tenantId}/api-keys', {
      summary: 'List the API keys of a tenant, oldest first',
      description: 'Revoked keys are listed for 30 days.',
      access: 'operator',
      query: z.strictObject({ after: z.string().optional(), limit: limitSchema }),
      answers: { status: 200, schema: pageOf(keyViewSchema) },
      handle: async ({ parameters, query }) => {
        const { tenantId } = await tenantOf(dependencies, parameters['tenantId']);
        const from = { after: placeOf('key', query.after), limit: query.limit };
        const page = await listTenantKeys(dependencies, tenantId, from);
        const data = page.keys.map((key) => toKeyView(key, clock.nowMs()));
        return { status: 200, json: toPage(data, page.next) };
      },
    }),
    route('DELETE', '/v1/admin/tenants/{tenantId}/api-keys/{keyId}', {
      summary: 'Revoke an API key of a tenant: within 30 seconds it opens nothing',
      access: 'operator',
      answers: { status: 204 },
      handle: async ({ parameters }) => {
        const { tenantId } = await tenantOf(dependencies, parameters['tenantId']);
        const keyId = parseId('key', parameters['keyId'] ?? '');
        const outcome = keyId === undefined ? 'missing' : await revokeTenantKey(dependencies, tenantId, keyId);
        if (outcome === 'missing') throw new AppError('api_key_not_found');
        return { status: 204 };
      },
    }),
  ];
}
