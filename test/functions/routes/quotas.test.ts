import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ConnectionId } from '../../../shared/kernel/id.ts';
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

  it.each([
    [
      'openActions',
      'too_many_actions',
      async (id: ConnectionId) => {
        await stack.change(tenant, id, { status: 'online', statusCode: 'open' });
        const body = { contacts: ['+4915100000009'] };
        return stack.call('POST', `/v1/connections/${id}/contacts/check`, { key: tenant.key, body });
      },
    ],
    [
      'openBulkSends',
      'too_many_bulk_sends',
      (id: ConnectionId) =>
        stack.call('POST', `/v1/connections/${id}/bulk-sends`, {
          key: tenant.key,
          raw: JSON.stringify(message),
          headers: { 'content-type': 'application/x-ndjson' },
        }),
    ],
  ] as const)('name no time to come again where %s is 0', async (quota, code, ask) => {
    await choose({ [quota]: 0 });

    const refused = await ask(await connection());

    expect([refused.status, refused.body['code'], refused.headers['retry-after']]).toEqual([429, code, undefined]);
    expect(refused.body['detail']).toContain('none');
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

  it('count nothing that was refused: messages and actions of a connection without an account', async () => {
    await choose({ messagesPerMinute: 2, actions: 2 });
    const unpaired = await stack.connection(tenant);
    const act = () =>
      stack.call('POST', `/v1/connections/${unpaired}/contacts/check`, {
        key: tenant.key,
        body: { contacts: ['+4915100000009'] },
      });

    const refused = [];
    for (let time = 0; time < 4; time += 1) refused.push(await send(unpaired), await act());
    const id = await connection();
    const passed = [await send(id), await send(id), await send(id)];

    expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([409]));
    expect(passed.map(({ status }) => status)).toEqual([202, 202, 429]);
  });

  it('take the parts of an album one by one', async () => {
    await choose({ messagesPerMinute: 4 });
    const id = await connection();
    const part = { type: 'image', image: { id: 'med_01K3C5F7XQ4T6V8X0Z2B4D6F8H' } };
    const album = (parts: number) =>
      send(id, { to: message.to, type: 'album', album: { parts: Array.from({ length: parts }, () => part) } });

    const tooMany = await album(4);
    // An album of files that are nobody's is refused, and counts nothing.
    const unknown = await album(3);
    const passed = [await send(id), await send(id), await send(id), await send(id)];

    expect([tooMany.status, tooMany.headers['retry-after']]).toEqual([429, undefined]);
    expect(unknown.body['code']).toBe('media_not_found');
    expect(passed.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
  });

  it('answer what was accepted under its key before, however much is used up', async () => {
    await choose({ messagesPerMinute: 1, messagesPerDay: 3, actions: 1 });
    const id = await connection();
    await stack.change(tenant, id, { status: 'online', statusCode: 'open' });
    const headers = { 'idempotency-key': 'once', prefer: 'wait=0' };
    const ask = (path: string, body: object, key: string) =>
      stack.call('POST', `/v1/connections/${id}/${path}`, {
        key: tenant.key,
        body,
        headers: { ...headers, 'idempotency-key': key },
      });
    const bulk = (key: string) =>
      stack.call('POST', `/v1/connections/${id}/bulk-sends`, {
        key: tenant.key,
        raw: [message, message].map((line) => JSON.stringify(line)).join('\n'),
        headers: { 'content-type': 'application/x-ndjson', 'idempotency-key': key },
      });
    const askAll = async (key: string) => [
      await ask('messages', message, `message-${key}`),
      await bulk(`bulk-${key}`),
      await ask('contacts/check', { contacts: ['+4915100000009'] }, `action-${key}`),
    ];

    const first = await askAll('one');
    const again = await askAll('one');
    const others = await askAll('two');
    const conflict = await ask('messages', { ...message, text: { body: 'other' } }, 'message-one');

    expect(first.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(again.map(({ status, body }) => [status, body['id']])).toEqual(first.map(({ body }) => [202, body['id']]));
    expect(others.map(({ status }) => status)).toEqual([429, 429, 429]);
    expect([conflict.status, conflict.body['code']]).toEqual([409, 'idempotency_conflict']);
  });

  it('are changed by several at once, each of whom learns the ETag of its own change', async () => {
    const changes = await Promise.all(
      Array.from({ length: 8 }, (_, place) => choose(place % 2 === 0 ? { pairings: place } : { actions: place })),
    );

    expect(changes.map(({ status }) => status)).toEqual(changes.map(() => 200));
    expect(new Set(changes.map(({ headers }) => headers['etag'])).size).toBe(changes.length);
    const now = await read();
    expect(Object.keys(now.body['own'] as object).toSorted()).toEqual(['actions', 'pairings']);
  });

  it('say of what a tenant may not do at all whom to ask, and of another refusal nothing about rates', async () => {
    await choose({ actions: 0, waitingRequests: 0, openBulkSends: 0 });
    const id = await connection();
    const act = await stack.call('POST', `/v1/connections/${id}/contacts/check`, {
      key: tenant.key,
      body: { contacts: ['+4915100000009'] },
    });
    const wait = await stack.call('GET', '/v1/events?wait=5', { key: tenant.key });

    expect([act.status, act.headers['retry-after']]).toEqual([429, undefined]);
    expect(act.body['detail']).toContain('Ask the operator for more.');
    expect([wait.status, wait.headers['retry-after']]).toEqual([429, undefined]);
  });
});
