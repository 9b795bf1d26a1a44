import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { putPairingOffer } from '../../../shared/connection/pairingOffer.ts';
import type { ConnectionId } from '../../../shared/kernel/id.ts';
import { anAccount, ApiStack, type Answered } from '../api/apiStack.ts';

describe('links to the pairing page', () => {
  let stack: ApiStack;
  let tenant: Awaited<ReturnType<ApiStack['tenant']>>;
  beforeAll(async () => {
    stack = await ApiStack.start();
    tenant = await stack.tenant();
  });
  afterAll(() => stack.stop());

  const make = (id: string, body: object = {}, key = tenant.key): Promise<Answered> =>
    stack.call('POST', `/v1/connections/${id}/pairing-links`, { key, body });
  const tokenOf = ({ body }: Answered): string => String(body['url']).split('#')[1] ?? '';
  const session = (token: string, body?: object): Promise<Answered> =>
    stack.call(body === undefined ? 'GET' : 'POST', '/v1/pairing-session', {
      headers: { authorization: `Pairing ${token}` },
      ...(body === undefined ? {} : { body }),
    });
  const aLink = async (
    body: object = {},
  ): Promise<{ readonly id: ConnectionId; readonly token: string; readonly linkId: string }> => {
    const id = await stack.connection(tenant);
    const made = await make(id, body);
    return { id, token: tokenOf(made), linkId: String(made.body['id']) };
  };
  const link = (id: ConnectionId): Promise<unknown> =>
    stack.dependencies.connections.recordAccount({ tenantId: tenant.tenantId, connectionId: id, token: 1 }, anAccount);

  it('are made with a token that is shown once, and stand behind # in an address of the API', async () => {
    const id = await stack.connection(tenant);

    const made = await stack.call('POST', `/v1/connections/${id}/pairing-links`, {
      key: tenant.key,
      body: { returnUrl: 'https://shop.example.com/done', origin: 'https://shop.example.com', language: 'pt' },
      headers: { host: 'api.example.com', 'x-forwarded-proto': 'https' },
    });
    const listed = await stack.call('GET', `/v1/connections/${id}/pairing-links`, { key: tenant.key });

    expect(made.status).toBe(201);
    expect(made.body['url']).toMatch(
      /^https:\/\/api\.example\.com\/pair\?origin=https%3A%2F%2Fshop\.example\.com#pair_[0-9A-Z]{52}[\w-]{43}$/,
    );
    expect(listed.body['data']).toMatchObject([
      { id: made.body['id'], state: 'open', returnUrl: 'https://shop.example.com/done', language: 'pt' },
    ]);
    expect(listed.bytes.toString()).not.toContain(tokenOf(made));
  });

  it('show for whom the page is, by name and colour', async () => {
    const brand = { name: 'Bäckerei 👩🏽‍🚀 & Söhne', color: '#0A6b52' };
    const { id, token } = await aLink({ brand });

    const shown = await session(token);
    const listed = await stack.call('GET', `/v1/connections/${id}/pairing-links`, { key: tenant.key });

    expect(shown.body['brand']).toEqual(brand);
    expect(listed.body['data']).toMatchObject([{ brand }]);
  });

  it.each([
    ['an address without https', { returnUrl: 'http://shop.example.com/' }],
    ['a script', { returnUrl: 'javascript:alert(1)' }],
    ['a name and a password', { returnUrl: 'https://user:word@shop.example.com/' }],
    ['an origin with a path', { origin: 'https://shop.example.com/' }],
    ['an origin that is a pattern', { origin: 'https://*.example.com' }],
    ['an origin that says more', { origin: 'https://shop.example.com;script-src' }],
    ['a language that the page does not speak', { language: 'fr' }],
    ['a name that turns around', { brand: { name: 'Acme \u202egro.knab' } }],
    ['a name of two lines', { brand: { name: 'Acme\nWhatsApp' } }],
    ['a name of nothing', { brand: { name: '\u200d' } }],
    ['a name that is too long', { brand: { name: 'A'.repeat(61) } }],
    ['a colour that is a style', { brand: { color: 'red;background:url(//x)' } }],
    ['a picture', { brand: { logo: 'https://shop.example.com/logo.png' } }],
    ['a minute that is too short', { expiresIn: 59 }],
    ['more than a day', { expiresIn: 86_401 }],
    ['a field that is none', { brand: 'Acme' }],
  ])('are refused with %s', async (_what, body) => {
    const id = await stack.connection(tenant);

    const made = await make(id, body);

    expect([made.status, made.body['code']]).toEqual([400, 'invalid_request']);
  });

  it('are not made for a connection that has an account, nor for that of another tenant', async () => {
    const linked = await stack.connection(tenant, anAccount);
    const other = await stack.tenant();

    const answers = [await make(linked), await make(await stack.connection(other))];

    expect(answers.map(({ body }) => body['code'])).toEqual(['connection_already_paired', 'connection_not_found']);
  });

  it('ask for an offer and show it as squares, as a code, and as what came of it', async () => {
    const { id, token } = await aLink();
    await stack.takeCommands();

    const before = await session(token);
    const asked = await session(token, { method: 'qr' });
    const commands = await stack.takeCommands();
    const expiresAtMs = Date.now() + 20_000;
    await putPairingOffer(
      stack.dependencies,
      { connectionId: id, token: 1 },
      { method: 'qr', qr: '2@a,b', expiresAtMs },
    );
    const offered = await session(token);
    const code = { method: 'code', code: 'ABCD1234', phoneNumber: '4915100000001', expiresAtMs } as const;
    await session(token, { method: 'code', phoneNumber: '+49 151 00000001' });
    const stillQr = await session(token);
    await putPairingOffer(stack.dependencies, { connectionId: id, token: 1 }, code);
    const withCode = await session(token);

    expect(before.body).toMatchObject({ state: 'ready', connectionId: id });
    expect([asked.status, asked.body['state']]).toEqual([202, 'preparing']);
    expect(commands).toMatchObject([{ kind: 'control', control: 'pair', connectionId: id }]);
    expect(offered.body).toMatchObject({
      state: 'offered',
      method: 'qr',
      qr: { size: expect.any(Number), path: expect.stringMatching(/^(?:M\d+ \d+h\d+v1h-\d+z)+$/) },
    });
    expect(stillQr.body['state']).toBe('preparing');
    expect(withCode.body).toMatchObject({
      state: 'offered',
      method: 'code',
      code: 'ABCD-1234',
      phoneNumber: '+4915100000001',
    });
  });

  it('say how a pairing ended', async () => {
    const { id, token } = await aLink();
    await stack.change(tenant, id, { status: 'unpaired', statusCode: 'code_refused' });

    const { body } = await session(token);

    expect(body).toMatchObject({
      state: 'ended',
      reason: 'code_refused',
      sentence: expect.stringContaining('refused'),
    });
  });

  it('are used up by an account: that is shown with the end of its number, and nothing is asked for any more', async () => {
    const { id, token } = await aLink({ returnUrl: 'https://shop.example.com/done?order=7' });
    await link(id);

    const linked = await session(token);
    const again = await session(token, { method: 'qr' });
    await stack.change(tenant, id, { account: undefined });
    const after = await session(token);
    const listed = await stack.call('GET', `/v1/connections/${id}/pairing-links`, { key: tenant.key });

    expect(linked.body).toMatchObject({
      state: 'linked',
      account: expect.stringMatching(/^•••• \d{4}$/),
      returnUrl: `https://shop.example.com/done?order=7&connectionId=${id}&pairing=linked`,
    });
    expect(linked.bytes.toString()).not.toContain(anAccount.phoneJid.slice(0, 8));
    expect([again, after].map(({ body }) => body['code'])).toEqual(Array(2).fill('pairing_link_ended'));
    expect(listed.body['data']).toMatchObject([{ state: 'used' }]);
  });

  it('are revoked at once, and only by their tenant', async () => {
    const { id, token, linkId } = await aLink();
    const other = await stack.tenant();
    const path = `/v1/connections/${id}/pairing-links/${linkId}`;

    const foreign = await stack.call('DELETE', path, { key: other.key });
    const open = await session(token);
    const revoked = await stack.call('DELETE', path, { key: tenant.key });
    const closed = await session(token);
    const unknown = await stack.call('DELETE', `${path.slice(0, -4)}0000`, { key: tenant.key });

    expect([foreign.status, open.status, revoked.status]).toEqual([404, 200, 204]);
    expect([closed.status, closed.body['code']]).toEqual([410, 'pairing_link_ended']);
    expect(unknown.body['code']).toBe('pairing_link_not_found');
  });

  it('end with their time, their key, their connection and their tenant', async () => {
    const late = await aLink({ expiresIn: 60 });
    const clock = { ...stack.dependencies.clock, nowMs: () => Date.now() + 61_000 };
    const ofKey = await stack.tenant();
    const id = await stack.connection(ofKey);
    const withKey = tokenOf(await make(id, {}, ofKey.key));
    const keys = await stack.call('GET', `/v1/admin/tenants/${ofKey.tenantId}/api-keys`, { key: stack.operatorKey });
    const [key] = keys.body['data'] as readonly { readonly id: string }[];
    const deleted = await aLink();
    const suspended = await stack.tenant();
    const ofSuspended = tokenOf(await make(await stack.connection(suspended), {}, suspended.key));

    const headers = { authorization: `Pairing ${late.token}` };
    const expired = await stack.with({ clock }).call('GET', '/v1/pairing-session', { headers });
    await stack.call('DELETE', `/v1/admin/tenants/${ofKey.tenantId}/api-keys/${key?.id}`, { key: stack.operatorKey });
    await stack.call('DELETE', `/v1/connections/${deleted.id}`, { key: tenant.key });
    await stack.call('POST', `/v1/admin/tenants/${suspended.tenantId}/suspend`, {
      key: stack.operatorKey,
      body: { reason: 'a test' },
    });
    const answers = [expired, await session(withKey), await session(deleted.token), await session(ofSuspended)];

    expect(answers.map(({ body }) => body['code'])).toEqual([
      'pairing_link_ended',
      'pairing_link_ended',
      'pairing_link_ended',
      'tenant_suspended',
    ]);
  });

  it('open nothing with another secret, a key, or nothing', async () => {
    const { token } = await aLink();
    const bare = await stack.call('GET', '/v1/pairing-session');
    const withKey = await stack.call('GET', '/v1/pairing-session', { key: tenant.key });

    const guessed = await session(`${token.slice(0, -43)}${'A'.repeat(43)}`);
    const elsewhere = await stack.call('GET', '/v1/connections', { headers: { authorization: `Pairing ${token}` } });

    expect([bare, withKey, guessed].map(({ body }) => body['code'])).toEqual(Array(3).fill('pairing_link_invalid'));
    expect(elsewhere.body['code']).toBe('unauthorized');
  });

  it('take from the quotas of pairings, and bring a bounded number of requests', async () => {
    const owner = await stack.tenant();
    const quotas = `/v1/admin/tenants/${owner.tenantId}/quotas`;
    await stack.call('PATCH', quotas, { key: stack.operatorKey, body: { pairingsOfConnection: 2 } });
    const token = tokenOf(await make(await stack.connection(owner), {}, owner.key));
    const codes: unknown[] = [];

    for (let request = 0; request < 3; request += 1) codes.push((await session(token, { method: 'qr' })).body['code']);
    let last: Answered | undefined;
    for (let request = 0; request < 120; request += 1) last = await session(token);

    expect(codes).toEqual([undefined, undefined, 'too_many_pairings']);
    expect([last?.status, last?.body['code']]).toEqual([429, 'too_many_requests']);
    expect(Number(last?.headers['retry-after'])).toBeGreaterThan(0);
  });
});
