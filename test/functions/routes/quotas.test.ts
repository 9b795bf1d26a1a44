import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { usualQuotas } from '../../../shared/platform/quotaRows.ts';
import { anAccount, ApiStack } from '../api/apiStack.ts';

const message = { to: '+49 151 00000002', type: 'text', text: { body: 'hello' } };

describe('the quotas of a tenant', { timeout: 120_000 }, () => {
  let stack: ApiStack;
  let tenant: Awaited<ReturnType<ApiStack['tenant']>>;
  beforeAll(async () => {
    stack = await ApiStack.start(() =>
      Promise.resolve({ plans: { standard: { pairings: 50 }, trial: { messagesPerDay: 2, actions: 1 } } }),
    );
  });
  beforeEach(async () => {
    tenant = await stack.tenant();
  });
  afterAll(() => stack.stop());

  const path = (): string => `/v1/admin/tenants/${tenant.tenantId}/quotas`;
  const choose = (body: object, headers: Record<string, string> = {}) =>
    stack.call('PATCH', path(), { key: stack.operatorKey, body, headers });
  const read = () => stack.call('GET', path(), { key: stack.operatorKey });
  const own = () => stack.call('GET', '/v1/quotas', { key: tenant.key });

  it('are those of its plan, and numbers of its own, for operators and for itself', async () => {
    const before = await read();
    await choose({ plan: 'trial', pairings: 7 });
    const after = await read();
    const seen = await own();

    expect(before.body).toEqual({ plan: 'standard', own: {}, quotas: { ...usualQuotas, pairings: 50 } });
    expect(after.body).toEqual({
      plan: 'trial',
      own: { pairings: 7 },
      quotas: { ...usualQuotas, messagesPerDay: 2, actions: 1, pairings: 7 },
    });
    expect(seen.body).toEqual(after.body['quotas']);
  });

  it('are changed as a merge patch, and only while they are what If-Match names', async () => {
    const first = await choose({ pairings: 7, actions: 9 });
    const second = await choose({ actions: null }, { 'if-match': String(first.headers['etag']) });
    const late = await choose({ actions: 1 }, { 'if-match': String(first.headers['etag']) });

    expect(second.body['own']).toEqual({ pairings: 7 });
    expect([late.status, late.body['code']]).toEqual([412, 'quotas_changed']);
    expect((await read()).body['own']).toEqual({ pairings: 7 });
  });

  it.each([
    [{ plan: 'gold' }, 'plan'],
    [{ pairings: -1 }, 'pairings'],
    [{ pairings: 1.5 }, 'pairings'],
    [{ pairings: '7' }, 'pairings'],
    [{ pairings: 1e12 }, 'pairings'],
    [{ parings: 7 }, 'parings'],
    [{}, ''],
  ])('refuse a change such as %j', async (body, field) => {
    const refused = await choose(body);

    expect(refused.status).toBe(400);
    expect(JSON.stringify(refused.body['fields'])).toContain(field);
  });

  it('are no business of a tenant to change', async () => {
    const refused = await stack.call('PATCH', path(), { key: tenant.key, body: { pairings: 100 } });

    expect(refused.status).toBe(403);
  });

  const connection = () => stack.connection(tenant, anAccount);
  const send = (id: string, body: object = message) =>
    stack.call('POST', `/v1/connections/${id}/messages`, { key: tenant.key, body });
  const pair = (id: string, body: object = { method: 'qr' }) =>
    stack.call('POST', `/v1/connections/${id}/pairing`, { key: tenant.key, body });
  const number = { method: 'code', phoneNumber: '+4915100000009' };

  it.each([
    ['messagesPerMinute', 'too_many_messages', async () => send(await connection())],
    ['messagesPerDay', 'too_many_messages', async () => send(await connection())],
    ['pairings', 'too_many_pairings', async () => pair(await stack.connection(tenant))],
    ['pairingsOfNumber', 'too_many_pairings', async () => pair(await stack.connection(tenant), number)],
    [
      'mediaBytesPerDay',
      'too_many_bytes',
      () => stack.call('POST', '/v1/media', { key: tenant.key, body: { bytes: 1, filename: 'a.bin' } }),
    ],
    [
      'actions',
      'too_many_actions',
      async () => {
        const id = await connection();
        await stack.change(tenant, id, { status: 'online', statusCode: 'open' });
        const options = { key: tenant.key, body: { contacts: ['+4915100000009'] }, headers: { prefer: 'wait=0' } };
        return stack.call('POST', `/v1/connections/${id}/contacts/check`, options);
      },
    ],
  ] as const)('end with %s: its problem, when to come again, and nothing written', async (quota, code, ask) => {
    await choose({ [quota]: 2 });

    const passed = [await ask(), await ask()];
    await stack.takeCommands();
    const refused = await ask();

    expect(passed.map(({ status }) => status < 300)).toEqual([true, true]);
    expect([refused.status, refused.body['code']]).toEqual([429, code]);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(refused.headers['ratelimit-policy']).toMatch(new RegExp(`^"${quota}";q=2;w=\\d+$`));
    expect(refused.headers['ratelimit']).toMatch(new RegExp(`^"${quota}";r=0;t=\\d+$`));
    expect(refused.body['detail']).toContain(`The quota ${quota} is 2`);
    expect(await stack.takeCommands()).toEqual([]);
  });

  it('end with pairings of one connection', async () => {
    await choose({ pairingsOfConnection: 1 });
    const [one, other] = [await stack.connection(tenant), await stack.connection(tenant)];

    const outcomes = [await pair(one), await pair(one), await pair(other)];

    expect(outcomes.map(({ status }) => status)).toEqual([202, 429, 202]);
  });

  it('end with requests, of all keys and of one', async () => {
    await choose({ requests: 4, requestsOfKey: 2 });
    const another = async (): Promise<string> => {
      const options = { key: stack.operatorKey, body: {} };
      const made = await stack.call('POST', `/v1/admin/tenants/${tenant.tenantId}/api-keys`, options);
      return String(made.body['secret']);
    };
    const keys = [tenant.key, await another(), await another()];
    const ask = (key?: string) => stack.call('GET', '/v1/webhooks', { key });

    const ofFirst = [await ask(keys[0]), await ask(keys[0]), await ask(keys[0])];
    const ofSecond = [await ask(keys[1]), await ask(keys[1])];
    const ofThird = await ask(keys[2]);

    expect(ofFirst.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(ofFirst[0]?.headers['ratelimit-policy']).toBe('"requestsOfKey";q=2;w=10, "requests";q=4;w=10');
    expect(ofFirst[2]?.body['code']).toBe('too_many_requests');
    expect(ofSecond.map(({ status }) => status)).toEqual([200, 200]);
    expect([ofThird.status, ofThird.headers['ratelimit']]).toEqual([429, expect.stringContaining('"requests";r=0')]);
  });

  it('count the lines of a bulk send against the day, and give them back where it is not accepted', async () => {
    await choose({ messagesPerDay: 3 });
    const id = await connection();
    const bulk = (lines: readonly object[]) =>
      stack.call('POST', `/v1/connections/${id}/bulk-sends`, {
        key: tenant.key,
        raw: lines.map((line) => JSON.stringify(line)).join('\n'),
        headers: { 'content-type': 'application/x-ndjson' },
      });

    const tooLarge = await bulk([message, message, message, message]);
    const wrong = await bulk([message, { ...message, type: 'nothing' }]);
    const taken = await bulk([message, message, message]);
    const refused = await bulk([message]);

    expect([tooLarge.status, tooLarge.headers['retry-after']]).toEqual([429, undefined]);
    expect(tooLarge.body['detail']).toContain('more than there ever are');
    expect(wrong.status).toBe(400);
    expect(taken.status).toBe(202);
    expect(refused.status).toBe(429);
  });
});
