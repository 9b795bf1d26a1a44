import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeAuthenticate } from '../../../functions/http/authentication.ts';
import { makeId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { revokeTenantKey } from '../../../shared/identity/tenantKeys.ts';
import { ApiStack, type Answered, type CallOptions } from '../api/apiStack.ts';

const YEAR_MS = 365 * 86_400_000;

describe('tenants and their API keys, for operators', () => {
  let stack: ApiStack;
  beforeAll(async () => {
    stack = await ApiStack.start();
  });
  afterAll(() => stack.stop());

  const ask = (method: string, path: string, options: CallOptions = {}): Promise<Answered> =>
    stack.call(method, `/v1/admin/tenants${path}`, { key: stack.operatorKey, ...options });
  const aTenant = async (name = 'Acme 🌻'): Promise<string> =>
    String((await ask('POST', '', { body: { name } })).body['id']);
  const aKey = async (tenantId: string, body: object = {}): Promise<Readonly<Record<string, unknown>>> => {
    const made = await ask('POST', `/${tenantId}/api-keys`, { body });
    expect(made.status).toBe(201);
    return made.body;
  };
  const keysOf = async (tenantId: string): Promise<readonly Record<string, unknown>[]> =>
    (await ask('GET', `/${tenantId}/api-keys`)).body['data'] as Record<string, unknown>[];
  /** A request of a function that has never seen the key. */
  const opens = async (secret: unknown): Promise<number> => {
    const { dependencies } = stack;
    const fresh = stack.with({ authenticate: makeAuthenticate(dependencies) });
    return (await fresh.call('GET', '/v1/connections', { key: String(secret) })).status;
  };

  it('lists tenants page by page, oldest first, and reads one', async () => {
    const made = [await aTenant('one'), await aTenant('two'), await aTenant('three')];
    const found: string[] = [];
    let after = '';
    for (let isMore = true; isMore;) {
      const { body } = await ask('GET', `?limit=2${after === '' ? '' : `&after=${after}`}`);
      found.push(...(body['data'] as { id: string }[]).map(({ id }) => id));
      isMore = body['hasMore'] === true;
      after = String(body['next']);
    }

    expect(found.filter((id) => made.includes(id))).toEqual(made);
    expect((await ask('GET', `/${made[1]}`)).body).toMatchObject({ id: made[1], name: 'two' });
    expect((await ask('GET', '?after=con_1')).body['code']).toBe('invalid_cursor');
    expect((await ask('GET', '/tnt_nobody')).body['code']).toBe('tenant_not_found');
  });

  it('shows on which day a key was used last, and nothing for one that never was', async () => {
    const tenantId = await aTenant();
    const [used, unused] = [await aKey(tenantId), await aKey(tenantId)];
    const earliest = new Date().toISOString().slice(0, 10);

    await stack.call('GET', '/v1/connections', { key: String(used['secret']) });
    await opens(used['secret']);
    const listed = await keysOf(tenantId);
    const latest = new Date().toISOString().slice(0, 10);

    const { lastUsedOn } = listed.find(({ id }) => id === used['id']) ?? {};
    expect([earliest, latest]).toContain(lastUsedOn);
    expect(listed.find(({ id }) => id === unused['id'])).not.toHaveProperty('lastUsedOn');
  });

  it('shows a key whole this once, and from then on its last four characters', async () => {
    const tenantId = await aTenant();

    const key = await aKey(tenantId, { label: 'till 3 ☕' });
    const [listed] = await keysOf(tenantId);

    const secret = String(key['secret']);
    expect(listed).toEqual({
      id: key['id'],
      tenantId,
      label: 'till 3 ☕',
      lastFour: secret.slice(-4),
      state: 'active',
      createdAt: key['createdAt'],
    });
    const { table } = stack.dependencies;
    const { Items = [] } = await table.send(new ScanCommand({ TableName: 'test-core', ConsistentRead: true }));
    expect(JSON.stringify(Items)).not.toContain(secret.slice('hf_tenant_'.length));
  });

  it('lists the keys of one tenant alone, page by page', async () => {
    const [tenantId, other] = [await aTenant(), await aTenant()];
    await aKey(other);
    const made = [];
    for (let count = 0; count < 3; count += 1) made.push((await aKey(tenantId))['id']);

    const first = (await ask('GET', `/${tenantId}/api-keys?limit=2`)).body;
    const second = (await ask('GET', `/${tenantId}/api-keys?limit=2&after=${String(first['next'])}`)).body;

    const ids = [first, second].flatMap(({ data }) => (data as { id: string }[]).map(({ id }) => id));
    expect(ids).toEqual(made);
    expect([first['hasMore'], second['hasMore']]).toEqual([true, false]);
  });

  it('revokes a key: it opens nothing, its neighbour does, and it is listed as revoked; twice is once', async () => {
    const tenantId = await aTenant();
    const [old, next] = [await aKey(tenantId), await aKey(tenantId)];
    expect([await opens(old['secret']), await opens(next['secret'])]).toEqual([200, 200]);

    const answers = [
      await ask('DELETE', `/${tenantId}/api-keys/${String(old['id'])}`),
      await ask('DELETE', `/${tenantId}/api-keys/${String(old['id'])}`),
    ];

    expect(answers.map(({ status }) => status)).toEqual([204, 204]);
    expect([await opens(old['secret']), await opens(next['secret'])]).toEqual([401, 200]);
    const [first, second] = await keysOf(tenantId);
    expect(first).toMatchObject({ id: old['id'], state: 'revoked', revokedAt: expect.any(String) });
    expect(second).toMatchObject({ id: next['id'], state: 'active' });
  });

  it('revokes a key once where two operators do at the same moment', async () => {
    const tenantId = await aTenant();
    const key = await aKey(tenantId);
    const path = `/${tenantId}/api-keys/${String(key['id'])}`;

    const answers = await Promise.all([ask('DELETE', path), ask('DELETE', path), ask('DELETE', path)]);

    for (const { status } of answers) expect([204, 503]).toContain(status);
    expect(answers.map(({ status }) => status)).toContain(204);
    expect(await opens(key['secret'])).toBe(401);
  });

  it('forgets a revoked key after thirty days', async () => {
    const tenantId = await aTenant();
    const key = await aKey(tenantId);
    const longAgo = { ...stack.dependencies.clock, nowMs: () => Date.now() - YEAR_MS };
    const identity = { ...stack.dependencies, clock: longAgo };
    await revokeTenantKey(identity, tenantId as never, key['id'] as never);

    expect(await keysOf(tenantId)).toEqual([]);
    expect((await ask('DELETE', `/${tenantId}/api-keys/${String(key['id'])}`)).body['code']).toBe('api_key_not_found');
  });

  it('makes keys that expire, and none that has already', async () => {
    const tenantId = await aTenant();
    const expiresAt = new Date(Date.now() + YEAR_MS).toISOString();

    const key = await aKey(tenantId, { expiresAt });
    const refused = await ask('POST', `/${tenantId}/api-keys`, { body: { expiresAt: '2001-01-01T00:00:00Z' } });

    expect(key).toMatchObject({ expiresAt, state: 'active' });
    expect(refused).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(JSON.stringify(refused.body)).toContain('has passed; name a time to come');
  });

  it('finds no key of another tenant, and none that never was', async () => {
    const [tenantId, other] = [await aTenant(), await aTenant()];
    const key = await aKey(other);
    const never = makeId('key', Date.now(), systemRandom);

    for (const id of [String(key['id']), never, 'key_x', 'hello']) {
      expect((await ask('DELETE', `/${tenantId}/api-keys/${id}`)).body['code']).toBe('api_key_not_found');
    }
    expect((await ask('DELETE', `/tnt_x/api-keys/${never}`)).body['code']).toBe('tenant_not_found');
    expect(await opens(key['secret'])).toBe(200);
  });

  it('is for operators alone', async () => {
    const tenantId = await aTenant();
    const { secret } = await aKey(tenantId);

    for (const [method, path] of [
      ['GET', ''],
      ['GET', `/${tenantId}`],
      ['GET', `/${tenantId}/api-keys`],
      ['DELETE', `/${tenantId}/api-keys/key_x`],
    ] as const) {
      expect((await ask(method, path, { key: String(secret) })).status).toBe(403);
    }
  });
});
