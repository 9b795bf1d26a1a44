import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeId, type ConnectionId, type CorrelationId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import type { BroughtFile } from '../../../shared/media/broughtFile.ts';
import type { Media } from '../../../shared/media/media.ts';
import { toMediaItem } from '../../../shared/media/mediaStore.ts';
import { tableName } from '../../../shared/platform/tables.ts';
import { operationsOf } from '../../hostile/openApiStrings.ts';
import { anAccount, ApiStack, type Answered } from '../api/apiStack.ts';

type Owner = Awaited<ReturnType<ApiStack['tenant']>>;

describe('a key that is for less than everything', () => {
  let stack: ApiStack;
  let owner: Owner;
  let own: ConnectionId;
  let other: ConnectionId;
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
  ): Promise<(method: string, path: string, body?: unknown, contentType?: string) => Promise<Answered>> => {
    const { body: made } = await make(body);
    return (method, path, given, contentType = 'application/json') =>
      stack.call(method, path, {
        key: String(made['secret']),
        ...(given === undefined ? {} : { body: given, headers: { 'content-type': contentType } }),
      });
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

  /** A file that came on a connection, as its row says it. */
  const aFileOf = async (connectionId: ConnectionId): Promise<string> => {
    const nowMs = Date.now();
    const media: Media = {
      mediaId: makeId('med', nowMs, systemRandom),
      tenantId: owner.tenantId,
      connectionId,
      messageId: makeId('msg', nowMs, systemRandom),
      correlationId: 'cor-of-test' as CorrelationId,
      createdAtMs: nowMs,
      type: 'image',
      file: { use: 'image', path: '/v/1', key: 'a2V5', sha256: 'c2hh', mime_type: 'image/jpeg' },
      told: {},
      state: 'ready',
      round: 1,
      bytes: 10,
      sha256: 'c2hh',
    };
    const Item = { ...toMediaItem(media, nowMs) };
    await stack.dependencies.table.send(new PutCommand({ TableName: tableName('test', 'core'), Item }));
    return media.mediaId;
  };
  /** A file that the tenant brought, or a picture that was looked up for it. */
  const aBroughtFile = async (broughtBy: BroughtFile['broughtBy']): Promise<string> => {
    const createdAtMs = Date.now();
    const mediaId = makeId('med', createdAtMs, systemRandom);
    const keptUntilMs = createdAtMs + 86_400_000;
    const file = { mediaId, tenantId: owner.tenantId, broughtBy, objectKey: mediaId, createdAtMs, keptUntilMs };
    await stack.dependencies.brought.create({ ...file, state: 'ready', bytes: 10, sha256: 'c2hh' });
    return mediaId;
  };
  const sends = (id: string): Record<string, (call: Awaited<ReturnType<typeof keyWith>>) => Promise<Answered>> => {
    const image = { type: 'image', to: '+4915100000002', image: { id } };
    const photo = { name: { formatted_name: 'Ada' }, photo: { id } };
    return {
      message: (call) => call('POST', `/v1/connections/${own}/messages`, image),
      card: (call) =>
        call('POST', `/v1/connections/${own}/messages`, {
          ...image,
          type: 'contacts',
          image: undefined,
          contacts: [photo],
        }),
      'bulk send': (call) => call('POST', `/v1/connections/${own}/bulk-sends`, image, 'application/x-ndjson'),
      picture: (call) =>
        call('POST', `/v1/connections/${own}/profile/picture`, { id, expires_at: new Date(Date.now() + 60_000) }),
    };
  };

  it('sends what came on its connections and what the tenant brought, and finds no other file', async () => {
    const [limited, full] = [await keyWith({ connectionIds: [own] }), await keyWith({})];
    const files = {
      'came on its own': await aFileOf(own),
      'came on another': await aFileOf(other),
      uploaded: await aBroughtFile('upload'),
      'looked up': await aBroughtFile('picture'),
    };

    const answers = [];
    for (const [file, id] of Object.entries(files)) {
      for (const [how, send] of Object.entries(sends(id))) {
        for (const [key, call] of Object.entries({ limited, full })) {
          const { status, body } = await send(call);
          const isMissing = JSON.stringify(body).includes('is no file of yours');
          answers.push(
            `${key} ${how} ${file}: ${status < 300 ? 'sent' : isMissing ? 'missing' : JSON.stringify(body)}`,
          );
        }
      }
    }

    const isMissing = (answer: string): boolean => /^limited .*(?:on another|looked up):/.test(answer);
    expect(answers).toEqual(
      answers.map((answer) => answer.replace(/: .*/s, isMissing(answer) ? ': missing' : ': sent')),
    );
    expect(answers).toHaveLength(32);
  });

  it('reads the actions of its connections where their answers say, and finds no others', async () => {
    const [limited, another] = [await keyWith({ connectionIds: [own] }), await keyWith({ connectionIds: [other] })];
    const expires_at = new Date(Date.now() + 60_000);
    const asked = await limited('POST', `/v1/connections/${own}/contacts/check`, { contacts: ['12'], expires_at });
    const location = String(asked.headers['location']);

    const answers = [await limited('GET', location), await another('GET', location)];

    expect(answers.map(impression)).toEqual(['200', '404 action_not_found']);
    expect(answers[0]?.body['id']).toBe(asked.body['id']);
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
