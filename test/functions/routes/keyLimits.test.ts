import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operationsOf } from '../../hostile/openApiStrings.ts';
import { anAccount, ApiStack, type Answered } from '../api/apiStack.ts';

type Owner = Awaited<ReturnType<ApiStack['tenant']>>;

describe('a key that is for less than everything', () => {
  let stack: ApiStack;
  let owner: Owner;
  let [own, other] = ['', ''];
  beforeAll(async () => {
    stack = await ApiStack.start();
    owner = await stack.tenant();
    own = await stack.connection(owner, anAccount);
    other = await stack.connection(owner, anAccount);
  });
  afterAll(() => stack.stop());

  const make = (body: object, tenantId: string = owner.tenantId): Promise<Answered> =>
    stack.call('POST', `/v1/admin/tenants/${tenantId}/api-keys`, { key: stack.operatorKey, body });
  const keyWith = async (
    body: object,
  ): Promise<(method: string, path: string, body?: unknown) => Promise<Answered>> => {
    const { body: made } = await make(body);
    return (method, path, given) =>
      stack.call(method, path, { key: String(made['secret']), ...(given === undefined ? {} : { body: given }) });
  };
  const aText = { type: 'text', to: '+4915100000002', text: { body: 'hello 👋🏽' } };
  const impression = ({ status, body }: Answered): string =>
    'code' in body ? `${status} ${String(body['code'])}` : `${status}`;

  it('says what it is for when it is made, and in the list', async () => {
    const limits = { scopes: ['messages:write'], connectionIds: [own], networks: ['203.0.113.0/24', '::/0'] };

    const made = await make(limits);
    const { body } = await stack.call('GET', `/v1/admin/tenants/${owner.tenantId}/api-keys?limit=100`, {
      key: stack.operatorKey,
    });

    const { secret: _secret, ...view } = made.body;
    expect(made.status).toBe(201);
    expect(view).toMatchObject(limits);
    expect(body['data']).toContainEqual(view);
  });

  it.each<[string, object, string]>([
    ['an unknown scope', { scopes: ['messages:send'] }, '400 invalid_request'],
    ['no scope', { scopes: [] }, '400 invalid_request'],
    ['what is no network', { networks: ['203.0.113.9'] }, '400 invalid_request'],
    ['what is no connection', { connectionIds: ['till 3'] }, '404 connection_not_found'],
  ])('is not made for %s', async (_name, body, answer) => {
    expect(impression(await make(body))).toBe(answer);
  });

  it('is not made for a connection of another tenant', async () => {
    const stranger = await stack.tenant();

    expect(impression(await make({ connectionIds: [own] }, stranger.tenantId))).toBe('404 connection_not_found');
  });

  it('opens what its scopes open, and says which one is missing', async () => {
    const call = await keyWith({ scopes: ['messages:write', 'connections:read'] });

    const sent = await call('POST', `/v1/connections/${own}/messages`, aText);
    const refused = await call('GET', `/v1/connections/${own}/messages`);

    expect([sent.status, (await call('GET', '/v1/connections')).status]).toEqual([202, 200]);
    expect(impression(refused)).toBe('403 forbidden');
    expect(refused.body['detail']).toBe('This API key has not the scope that this request needs: messages:read.');
    expect(impression(await call('POST', '/v1/connections', {}))).toBe('403 forbidden');
    expect(impression(await call('GET', '/v1/admin/tenants'))).toBe('403 forbidden');
  });

  it('finds its connections and no others, and opens nothing that is about no single one', async () => {
    const call = await keyWith({ connectionIds: [own] });

    const answers = await Promise.all([
      call('GET', `/v1/connections/${own}`),
      call('POST', `/v1/connections/${own}/messages`, aText),
      call('GET', `/v1/events?connectionId=${own}`),
      call('GET', `/v1/connections/${other}`),
      call('POST', `/v1/connections/${other}/messages`, aText),
      call('GET', `/v1/events?connectionId=${other}`),
      call('GET', '/v1/events'),
      call('GET', '/v1/connections'),
      call('POST', '/v1/events/stream-tickets', { connectionId: own }),
      call('GET', '/v1/webhooks'),
    ]);

    expect(answers.map(impression)).toEqual([
      '200',
      '202',
      '200',
      ...Array.from({ length: 3 }, () => '404 connection_not_found'),
      ...Array.from({ length: 4 }, () => '403 forbidden'),
    ]);
  });

  it('with one scope opens no route of another one, of all that there are', async () => {
    const call = await keyWith({ scopes: ['calls:write'] });
    const operations = operationsOf((await stack.call('GET', '/v1/openapi.json')).body, {}).filter(
      ({ isPublic, path }) => !isPublic && !path.includes('/calls/'),
    );

    const opened: string[] = [];
    for (const { method, path, body } of operations) {
      const answer = await call(method, path.replaceAll(/\{\w+\}/g, own), body);
      if (impression(answer) !== '403 forbidden') opened.push(`${method} ${path}: ${impression(answer)}`);
    }

    expect(opened).toEqual([]);
    expect(operations.length).toBeGreaterThan(80);
  });

  it.each([
    ['127.0.0.0/8', '200'],
    ['203.0.113.0/24', '403 forbidden'],
  ])('of the network %s answers a request from this machine with %s', async (network, answer) => {
    const call = await keyWith({ networks: [network] });

    expect(impression(await call('GET', `/v1/connections/${own}`))).toBe(answer);
  });
});
