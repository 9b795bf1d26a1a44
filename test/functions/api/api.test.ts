import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { askedKinds, contentSchema } from '../../../shared/content/content.ts';
import { contentKinds } from '../../../shared/content/contentKinds.ts';
import { apiRoutes } from '../../../functions/api/handler.ts';
import { putPairingOffer } from '../../../shared/connection/pairingOffer.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { makeQueueClient } from '../../../shared/platform/aws.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';
import { actionBodyOf } from './actionBodies.ts';
import { anAccount, ApiStack } from './apiStack.ts';

const message = { to: '+49 151 00000002', type: 'text', text: { body: 'hello' } };

describe('the API', () => {
  let stack: ApiStack;
  let tenant: Awaited<ReturnType<ApiStack['tenant']>>;
  beforeAll(async () => {
    stack = await ApiStack.start();
  });
  beforeEach(async () => {
    tenant = await stack.tenant();
    await stack.takeCommands();
  });
  afterAll(() => stack.stop());
  const get = (path: string) => stack.call('GET', path, { key: tenant.key });
  const send = (connectionId: string, idempotencyKey: string, body: unknown = message) =>
    stack.call('POST', `/v1/connections/${connectionId}/messages`, {
      key: tenant.key,
      body,
      headers: { 'idempotency-key': idempotencyKey },
    });

  it('makes a connection that waits to be paired', async () => {
    const created = await stack.call('POST', '/v1/connections', { key: tenant.key, body: { label: 'Shop' } });
    const read = await get(`/v1/connections/${String(created.body['id'])}`);
    const list = await get('/v1/connections');

    expect(created.status).toBe(201);
    expect(read.body).toEqual(created.body);
    expect(read.body).toMatchObject({
      label: 'Shop',
      status: { status: 'unpaired', code: 'never_paired', userAction: 'pair_again' },
      parkedMessages: 0,
    });
    expect(list.body['data']).toEqual([created.body]);
  });

  it('lists connections page by page, in the order in which they were made', async () => {
    const made: string[] = [];
    for (let index = 0; index < 5; index += 1) made.push(await stack.connection(tenant));

    const first = await get('/v1/connections?limit=3');
    const second = await get(`/v1/connections?limit=3&after=${String(first.body['next'])}`);

    const ids = [first, second].flatMap(({ body }) => (body['data'] as { id: string }[]).map(({ id }) => id));
    expect(ids).toEqual([...made].sort());
    expect([first, second].map(({ body }) => body['hasMore'])).toEqual([true, false]);
    expect(second.body['next']).toBeUndefined();
  });

  it('asks the owner of the shard for a pairing, and shows the offer as JSON and as a picture', async () => {
    const id = await stack.connection(tenant);

    const asked = await stack.call('POST', `/v1/connections/${id}/pairing`, {
      key: tenant.key,
      body: { method: 'qr' },
    });
    const commands = await stack.takeCommands();
    const expiresAtMs = Date.now() + 20_000;
    await putPairingOffer(
      stack.dependencies,
      { connectionId: id, token: 1 },
      { method: 'qr', qr: '2@ref,a,b,c', expiresAtMs },
    );
    const json = await get(`/v1/connections/${id}/pairing`);
    const picture = await stack.call('GET', `/v1/connections/${id}/pairing`, {
      key: tenant.key,
      headers: { accept: 'image/png' },
    });

    expect(asked.status).toBe(202);
    expect(commands).toMatchObject([{ kind: 'control', control: 'pair', connectionId: id }]);
    expect(json.body).toEqual({ method: 'qr', qr: '2@ref,a,b,c', expiresAt: new Date(expiresAtMs).toISOString() });
    expect(picture.headers['content-type']).toBe('image/png');
    expect(picture.bytes.subarray(1, 4).toString()).toBe('PNG');
  });

  it('has no picture of a code', async () => {
    const id = await stack.connection(tenant);
    const offer = {
      method: 'code',
      code: 'ABCD1234',
      phoneNumber: '4915100000001',
      expiresAtMs: Date.now() + 20_000,
    } as const;
    await putPairingOffer(stack.dependencies, { connectionId: id, token: 1 }, offer);

    const picture = await stack.call('GET', `/v1/connections/${id}/pairing`, {
      key: tenant.key,
      headers: { accept: 'image/png' },
    });

    expect([picture.status, picture.body['code']]).toEqual([406, 'not_acceptable']);
  });

  it('accepts a message once per Idempotency-Key: same ids, one command', async () => {
    const id = await stack.connection(tenant, anAccount);

    const first = await send(id, 'order-1');
    const second = await send(id, 'order-1');
    const other = await send(id, 'order-2');
    const commands = await stack.takeCommands();

    expect([first.status, second.status]).toEqual([202, 202]);
    expect(first.body).toMatchObject({ status: 'queued', to: '4915100000002@s.whatsapp.net' });
    expect(second.body).toEqual(first.body);
    expect(commands.map((command) => command.kind === 'send_message' && command.messageId)).toEqual([
      first.body['id'],
      other.body['id'],
    ]);
  });

  it('refuses the same Idempotency-Key with another body', async () => {
    const id = await stack.connection(tenant, anAccount);
    await send(id, 'order-1');

    const answer = await send(id, 'order-1', { ...message, text: { body: 'something else' } });

    expect([answer.status, answer.body['code']]).toEqual([409, 'idempotency_conflict']);
  });

  it.each([
    ['has too many messages that wait', { parkedCount: 1_000 }, 'too_many_parked'],
    ['has been unlinked', { account: undefined }, 'connection_not_paired'],
  ] as const)(
    'answers a repeat as before when its connection %s, and accepts nothing new',
    async (_what, now, code) => {
      const id = await stack.connection(tenant, anAccount);
      const first = await send(id, 'order-1');
      await stack.change(tenant, id, now);
      // The API remembers for a second that the connection may send.
      await systemClock.sleep(1_100);

      const second = await send(id, 'order-1');
      const another = await send(id, 'order-1', { ...message, text: { body: 'something else' } });
      const fresh = await send(id, 'order-2');

      expect([first.status, second.status, second.body]).toEqual([202, 202, first.body]);
      expect([another.body['code'], fresh.body['code']]).toEqual(['idempotency_conflict', code]);
    },
  );

  it('says in the answer that everything waits for a brake, and refuses more than may wait until its end', async () => {
    const id = await stack.connection(tenant, anAccount);
    const sinceMs = Date.now();
    const untilMs = sinceMs + 900_000;
    const all = { because: 'too_fast', sinceMs, untilMs, refusals: 3 };
    const pace = { account: anAccount.phoneJid, linkedAtMs: sinceMs, hours: {}, brakes: { all }, budgets: 'off' };
    await stack.change(tenant, id, { status: 'online', pace });

    const accepted = await send(id, 'order-1');
    await stack.change(tenant, id, { parkedCount: 1_000 });
    await systemClock.sleep(1_100);
    const refused = await send(id, 'order-2');
    const shown = await get(`/v1/connections/${id}`);

    const waits = { code: 'sends_too_fast', until: new Date(untilMs).toISOString() };
    expect(accepted).toMatchObject({ status: 202, body: { status: 'queued', waits } });
    expect((await get(`/v1/connections/${id}/messages/${String(accepted.body['id'])}`)).body).toMatchObject({ waits });
    expect([refused.status, refused.body['code']]).toEqual([429, 'too_many_parked']);
    expect(Math.abs(Number(refused.headers['retry-after']) - (untilMs - Date.now()) / 1_000)).toBeLessThan(10);
    // Nothing is limited where the fleet takes the budgets away.
    expect(shown.body['pace']).toMatchObject({ firstContacts: { used: 0 }, wait: { ...waits, state: 'all_wait' } });
    expect(shown.body['pace']).not.toHaveProperty('firstContacts.limit');
  });

  it('answers 503 when the queue does not take the message, and carries on with the same ids', async () => {
    const id = await stack.connection(tenant, anAccount);
    const broken = makeQueueClient(aStoreConfig({}));
    mockClient(broken).on(SendMessageCommand).rejects(new Error('queue is down'));
    const options = { key: tenant.key, body: message, headers: { 'idempotency-key': 'order-1' } };

    const refused = await stack.with({ queue: broken }).call('POST', `/v1/connections/${id}/messages`, options);
    const [waiting] = (await get(`/v1/connections/${id}/messages`)).body['data'] as Record<string, unknown>[];
    const accepted = await send(id, 'order-1');

    expect([refused.status, refused.body['code'], refused.headers['retry-after']]).toEqual([503, 'not_enqueued', '2']);
    expect(waiting).toMatchObject({ id: accepted.body['id'], status: 'queued' });
    expect(accepted).toMatchObject({ status: 202, body: { stanzaId: waiting?.['stanzaId'], status: 'queued' } });
  });

  it('answers 503 when a store does not answer', async () => {
    const throttled = Object.assign(new Error('slow down'), { name: 'ProvisionedThroughputExceededException' });
    const authenticate = () => Promise.reject(throttled);

    const answer = await stack.with({ authenticate }).call('GET', '/v1/connections', { key: tenant.key });

    expect([answer.status, answer.body['code'], answer.headers['retry-after']]).toEqual([
      503,
      'store_unavailable',
      '2',
    ]);
  });

  it('says nothing of a bug but its correlation id', async () => {
    const authenticate = () => Promise.reject(new Error('secret detail'));

    const answer = await stack
      .with({ authenticate })
      .call('GET', '/v1/connections', { headers: { 'X-Correlation-Id': 'my-request-7' } });

    expect([answer.status, answer.body['code'], answer.body['correlationId']]).toEqual([
      500,
      'internal_error',
      'my-request-7',
    ]);
    expect(JSON.stringify(answer.body)).not.toContain('secret detail');
  });

  it('deletes a connection at once for its tenant, and tells the owner to unlink it', async () => {
    const id = await stack.connection(tenant, anAccount);

    const deleted = await stack.call('DELETE', `/v1/connections/${id}`, { key: tenant.key });
    const commands = await stack.takeCommands();
    const read = await get(`/v1/connections/${id}`);
    const again = await stack.call('DELETE', `/v1/connections/${id}`, { key: tenant.key });

    expect([deleted.status, read.status, again.status]).toEqual([202, 404, 404]);
    expect(commands).toMatchObject([{ kind: 'control', control: 'unlink', connectionId: id }]);
  });

  it("finds nothing of another tenant's: the very answer of an unknown id", async () => {
    const other = await stack.tenant();
    const theirs = await stack.connection(other, anAccount);
    const routes = apiRoutes(stack.dependencies).served.filter(({ path }) => path.includes('{connectionId}'));
    const call = async (method: string, path: string, id: string) => {
      const usual = path.endsWith('/passkey')
        ? { confirmedCode: 'ABCD-1234' }
        : path.endsWith('/pairing')
          ? { method: 'qr' }
          : {};
      const posted = actionBodyOf(path, method) ?? (path.endsWith('/messages') ? message : usual);
      const isAction = actionBodyOf(path, method) !== undefined && method !== 'GET';
      const body = method === 'POST' || isAction ? posted : method === 'PATCH' ? {} : undefined;
      const filled = path.replace('{connectionId}', id).replace('{messageId}', 'msg_01ARZ3NDEKTSV4RRFFQ69G5FAV');
      const isLines = method === 'POST' && path.endsWith('/bulk-sends');
      const headers = isLines ? { 'content-type': 'application/x-ndjson' } : {};
      const sent = isLines ? message : body;
      const answer = await stack.call(method, filled, { key: tenant.key, body: sent, headers });
      return { status: answer.status, body: { ...answer.body, correlationId: '' } };
    };

    for (const { method, path } of routes) {
      const foreign = await call(method, path, theirs);
      const unknown = await call(method, path, 'con_01ARZ3NDEKTSV4RRFFQ69G5FAV');

      expect(foreign, `${method} ${path}`).toEqual(unknown);
      expect(foreign.status, `${method} ${path}`).toBe(404);
    }
    expect(routes.length).toBeGreaterThanOrEqual(7);
    expect(await stack.takeCommands()).toEqual([]);
    expect((await stack.call('GET', `/v1/connections/${theirs}`, { key: other.key })).status).toBe(200);
  });

  it('places connections on the less loaded of two shards', async () => {
    const shards: unknown[] = [];
    for (let index = 0; index < 6; index += 1) {
      const id = await stack.connection(tenant);
      shards.push((await get(`/v1/connections/${id}`)).body['shard']);
    }

    expect(new Set(shards)).toEqual(new Set([0, 1]));
  });

  it('describes exactly the routes that exist', async () => {
    const { body } = await stack.call('GET', '/v1/openapi.json');

    const described = Object.entries(body['paths'] as Record<string, Record<string, unknown>>).flatMap(
      ([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const existing = apiRoutes(stack.dependencies).all.map(({ method, path }) => `${method} ${path}`);
    expect(described.sort()).toEqual(existing.sort());
    expect(JSON.stringify(body)).toContain('"Problem"');
  });

  it('describes bodies as required, pictures as such, and says nothing of ranges and patterns that mean nothing', async () => {
    const { body, bytes } = await stack.call('GET', '/v1/openapi.json');

    type Operation = {
      readonly requestBody?: { readonly required: boolean };
      readonly responses: Record<string, { readonly content?: object }>;
    };
    const paths = body['paths'] as Record<string, Record<string, Operation>>;
    const withBody = apiRoutes(stack.dependencies).all.filter((route) => route.body !== undefined);
    const required = withBody.map(({ method, path }) => paths[path]?.[method.toLowerCase()]?.requestBody?.required);
    // What an action needs may all stand in its path.
    expect(required).toEqual(withBody.map(({ isBodyOptional }) => !isBodyOptional));
    expect(required.filter((isRequired) => isRequired).length).toBeGreaterThan(20);
    const pairing = paths['/v1/connections/{connectionId}/pairing']?.['get'];
    expect(Object.keys(pairing?.responses['200']?.content ?? {})).toEqual(['application/json', 'image/png']);
    expect(bytes.toString()).not.toMatch(/9007199254740991|02-29/);
  });

  it('shows every kind that is sent with an example that is accepted as it stands, but for the message or the file that it names', async () => {
    const { body } = await stack.call('GET', '/v1/openapi.json');

    type Member = { readonly properties: { readonly type: { readonly const: string } }; readonly examples?: unknown[] };
    const { schemas } = body['components'] as { schemas: Record<string, { readonly oneOf?: Member[] }> };
    const members = schemas['OutboundMessage']?.oneOf ?? [];
    const shown = members.flatMap(({ properties, examples }) =>
      examples === undefined ? [] : [properties.type.const],
    );
    expect(shown.toSorted()).toEqual([...askedKinds.map(({ type }) => type), 'forward', 'album'].toSorted());
    const owner = await stack.tenant();
    const connectionId = await stack.connection(owner, anAccount);
    for (const example of members.flatMap(({ examples = [] }) => examples)) {
      const { status, body: answer } = await stack.call('POST', `/v1/connections/${connectionId}/messages`, {
        key: owner.key,
        body: example,
      });
      const text = JSON.stringify(example);
      const unknown = text.includes('message_id') ? 'message_not_found' : 'media_not_found';
      const isRight = /message_id|med_/.test(text) ? answer['code'] === unknown : status === 202;
      expect({ example, answer, isRight }).toMatchObject({ isRight: true });
    }
  });

  it('shows every kind of content, in messages and in events, with an example that fits', async () => {
    const { body } = await stack.call('GET', '/v1/openapi.json');

    type Member = { readonly properties: { readonly type: { readonly const: string } }; readonly examples: unknown[] };
    const { schemas } = body['components'] as { schemas: Record<string, { readonly oneOf?: Member[] }> };
    const members = schemas['MessageContent']?.oneOf ?? [];
    const examples = members.flatMap((member) => member.examples);
    expect(members.map(({ properties }) => properties.type.const).toSorted()).toEqual(
      Object.keys(contentKinds).toSorted(),
    );
    expect(examples.map((example) => contentSchema.parse(example))).toEqual(examples);
    const users = ['Message', 'MessageData'].map((name) => JSON.stringify(schemas[name]));
    expect(users.filter((schema) => !schema.includes('"#/components/schemas/MessageContent"'))).toEqual([]);
  });

  it('shows answers that fit their schemas, of the calls that end a wait', async () => {
    const shown = apiRoutes(stack.dependencies).all.filter(({ answers }) => answers.example !== undefined);
    const { body } = await stack.call('GET', '/v1/openapi.json');

    expect(shown.map(({ method, path }) => `${method} ${path}`)).toEqual(
      expect.arrayContaining([
        'DELETE /v1/connections/{connectionId}/messages/{messageId}',
        'POST /v1/webhooks/{webhookId}/test',
        'POST /v1/webhooks/{webhookId}/resume',
      ]),
    );
    for (const { method, path, answers } of shown) {
      expect(answers.schema?.parse(answers.example)).toEqual(answers.example);
      expect(body).toHaveProperty(
        [
          'paths',
          path,
          method.toLowerCase(),
          'responses',
          `${answers.status}`,
          'content',
          'application/json',
          'example',
        ],
        answers.example,
      );
    }
  });

  it('is healthy without a key', async () => {
    const answer = await stack.call('GET', '/health');

    expect(answer).toMatchObject({ status: 200, body: { status: 'ok' } });
  });
});
