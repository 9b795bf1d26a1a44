import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MOST_OPEN_ACTIONS, type Action } from '../../../shared/action/action.ts';
import { actionRows } from '../../../shared/action/actionKinds.ts';
import { makeId, parseId, type ActionId, type ConnectionId, type TenantId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { until } from '../../whatsapp/until.ts';
import { anAccount, ApiStack, type Answered, type CallOptions } from '../api/apiStack.ts';

const NUMBERS = { contacts: ['+49 151 23456789'] };

describe('actions through the API', () => {
  let stack: ApiStack;
  let owner: { readonly tenantId: TenantId; readonly key: string };
  beforeAll(async () => {
    stack = await ApiStack.start();
    owner = await stack.tenant();
  });
  afterAll(() => stack.stop());

  async function aConnection(status: 'online' | 'reconnecting' = 'online'): Promise<ConnectionId> {
    const connectionId = await stack.connection(owner, anAccount);
    await stack.change(owner, connectionId, { status, statusCode: status === 'online' ? 'open' : 'network_lost' });
    await stack.takeCommands();
    return connectionId;
  }

  const check = (connectionId: ConnectionId, options: CallOptions = {}): Promise<Answered> =>
    stack.call('POST', `/v1/connections/${connectionId}/contacts/check`, { key: owner.key, body: NUMBERS, ...options });
  const idOf = ({ body }: Answered): ActionId => parseId('act', String(body['id'])) as ActionId;
  const async = { prefer: 'wait=0' };

  /** Ends an action as a worker does. */
  const end = (connectionId: ConnectionId, actionId: ActionId) =>
    stack.dependencies.actions.end({ connectionId, token: 1 }, actionId, {
      state: 'succeeded',
      atMs: Date.now(),
      result: { contacts: [{ input: '+49 151 23456789', exists: false }] },
    });

  it('answers 200 with the result when it comes in time, and has told the owner once', async () => {
    const connectionId = await aConnection();

    const asking = check(connectionId, { headers: { prefer: 'wait=20' } });
    const { actions: list } = stack.dependencies;
    const [action] = await until(
      'an action',
      async () => (await list.list(connectionId, { before: undefined, limit: 1, nowMs: Date.now() })).actions,
      (found) => found.length > 0,
    );
    await end(connectionId, (action as Action).actionId);
    const answer = await asking;

    expect(answer.status).toBe(200);
    expect(answer.headers['preference-applied']).toBe('wait=20');
    expect(answer.headers['location']).toBeUndefined();
    expect(answer.body).toMatchObject({
      kind: 'contacts_check',
      state: 'succeeded',
      request: NUMBERS,
      result: { contacts: [{ input: '+49 151 23456789', exists: false }] },
    });
    expect(await stack.takeCommands()).toEqual([
      expect.objectContaining({ kind: 'action', connectionId, actionId: answer.body['id'] }),
    ]);
  });

  it('answers 202 with where to look when it does not', async () => {
    const connectionId = await aConnection();
    const begunMs = performance.now();

    const answer = await check(connectionId, { headers: { prefer: 'wait=1' } });

    expect(performance.now() - begunMs).toBeGreaterThan(900);
    expect(answer.status).toBe(202);
    expect(answer.headers['location']).toBe(`/v1/actions/${String(answer.body['id'])}`);
    expect(answer.headers['preference-applied']).toBe('wait=1');
    expect(answer.body).toMatchObject({ state: 'accepted', connectionId });
    const read = await stack.call('GET', String(answer.headers['location']), { key: owner.key });
    expect(read.body).toEqual(answer.body);
  });

  it('answers at once when that is asked for', async () => {
    const connectionId = await aConnection();
    const begunMs = performance.now();

    const answers = [
      await check(connectionId, { headers: async }),
      await check(connectionId, { headers: { prefer: 'respond-async' } }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([202, 202]);
    expect(performance.now() - begunMs).toBeLessThan(18_000);
  });

  it('says nothing of a preference that nobody has', async () => {
    const connectionId = await aConnection('reconnecting');

    const answer = await check(connectionId, {
      body: { ...NUMBERS, expires_at: new Date(Date.now() + 60_000).toISOString() },
    });

    expect(answer.status).toBe(202);
    expect(answer.headers['preference-applied']).toBeUndefined();
  });

  it('waits for no connection that is away, and does not say that it did', async () => {
    const connectionId = await aConnection('reconnecting');
    const later = { ...NUMBERS, expires_at: new Date(Date.now() + 60_000).toISOString() };

    const answer = await check(connectionId, { body: later, headers: { prefer: 'wait=20' } });

    expect(answer.status).toBe(202);
    expect(answer.headers['preference-applied']).toBeUndefined();
  });

  it.each(['wait=26', 'wait=-1', 'wait=soon'])('refuses Prefer: %s', async (prefer) => {
    const answer = await check(await aConnection(), { headers: { prefer } });

    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: 'invalid_request', fields: [{ field: 'Prefer' }] });
  });

  it('refuses at once while the connection is away, and says what to do', async () => {
    const connectionId = await aConnection('reconnecting');
    const begunMs = performance.now();

    const answer = await check(connectionId);

    expect(performance.now() - begunMs).toBeLessThan(9_000);
    expect(answer.status).toBe(409);
    expect(answer.body).toMatchObject({ code: 'connection_not_online' });
    expect(String(answer.body['detail'])).toContain('expires_at');
    expect(await stack.takeCommands()).toEqual([]);
  });

  it('accepts for a connection that is being handed over', async () => {
    const connectionId = await aConnection();
    await stack.change(owner, connectionId, { status: 'handing_off', statusCode: 'moving' });

    expect((await check(connectionId)).status).toBe(202);
  });

  it('parks for a connection that is away, until the time that is given', async () => {
    const connectionId = await aConnection('reconnecting');
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();

    const answer = await check(connectionId, { body: { ...NUMBERS, expires_at: expiresAt } });

    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ state: 'accepted', expiresAt, request: NUMBERS });
    expect(await stack.takeCommands()).toHaveLength(1);
  });

  it.each([
    ['in the past', () => new Date(Date.now() - 1_000).toISOString()],
    ['in eight days', () => new Date(Date.now() + 8 * 86_400_000).toISOString()],
    ['no time', () => 'tomorrow'],
    ['a number', () => 1_800_000_000],
  ])('refuses an expires_at that is %s', async (_what, expiresAt) => {
    const answer = await check(await aConnection(), { body: { ...NUMBERS, expires_at: expiresAt() } });

    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: 'invalid_request', fields: [{ field: 'expires_at' }] });
  });

  it('names a time in the query as a part of the query, where it refuses it', async () => {
    const path = `/v1/connections/${await aConnection()}/groups?expires_at=2020-01-01T00:00:00Z`;
    const answer = await stack.call('GET', path, { key: owner.key });

    expect(answer.body).toMatchObject({ code: 'invalid_request', fields: [{ field: '?expires_at' }] });
  });

  it.each([
    ['nothing to ask for', { contacts: [] }, 'contacts'],
    ['too much to ask for', { contacts: Array.from({ length: 1_001 }, () => '+4915123456789') }, 'contacts'],
    ['no field at all', {}, 'contacts'],
    ['a field that is not described', { ...NUMBERS, deep: true }, 'deep'],
    ['half a character', { contacts: ['\ud800'] }, 'contacts.0'],
  ])('refuses %s', async (_what, body, field) => {
    const answer = await check(await aConnection(), { body });

    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ fields: [{ field }] });
  });

  it('takes fields from the path, and checks them like the others', async () => {
    const connectionId = await aConnection();
    const type = (chat: string, body: unknown) =>
      stack.call('POST', `/v1/connections/${connectionId}/chats/${chat}/typing`, {
        key: owner.key,
        body,
        headers: async,
      });

    const good = await type('%2B49%20151%2023456789', { state: 'composing' });
    const bad = await type('nobody', { state: 'composing' });
    const twice = await type('%2B4915123456789', { state: 'composing', chat: '+4915123456789' });

    expect(good.status).toBe(202);
    expect(good.body).toMatchObject({ kind: 'chat_typing', request: { chat: '+49 151 23456789', state: 'composing' } });
    expect(bad.body).toMatchObject({ code: 'invalid_request', fields: [{ field: 'chat' }] });
    expect(twice.body).toMatchObject({ code: 'invalid_request', fields: [{ field: 'chat' }] });
  });

  it('needs a linked account and a connection that is on', async () => {
    const unpaired = await stack.connection(owner);
    const off = await aConnection();
    await stack.change(owner, off, { wanted: 'off' });
    const expires = { ...NUMBERS, expires_at: new Date(Date.now() + 60_000).toISOString() };

    expect((await check(unpaired, { body: expires })).body['code']).toBe('connection_not_paired');
    expect((await check(off, { body: expires })).body['code']).toBe('connection_off');
  });

  it('gives the same action for the same key, to callers at the same moment as well, and tells its owner once', async () => {
    const connectionId = await aConnection();
    const headers = { ...async, 'idempotency-key': 'one' };

    const answers = await Promise.all([1, 2, 3, 4].map(() => check(connectionId, { headers })));
    const later = await check(connectionId, { headers });

    expect(new Set([...answers, later].map(idOf)).size).toBe(1);
    expect(await stack.takeCommands()).toHaveLength(1);
    const listed = await stack.call('GET', `/v1/connections/${connectionId}/actions`, { key: owner.key });
    expect(listed.body['data']).toHaveLength(1);
  });

  it('answers a repeat with the result, also when the connection has gone away since', async () => {
    const connectionId = await aConnection();
    const headers = { ...async, 'idempotency-key': 'two' };
    const first = await check(connectionId, { headers });
    await end(connectionId, idOf(first));
    await stack.change(owner, connectionId, { status: 'reconnecting', statusCode: 'network_lost' });

    const again = await check(connectionId, { headers: { 'idempotency-key': 'two' } });

    expect(again.status).toBe(200);
    expect(again.body).toMatchObject({ id: first.body['id'], state: 'succeeded' });
  });

  it.each([
    ['other numbers', 'contacts/check', { contacts: ['+4915100000009'] }],
    ['another time', 'contacts/check', { ...NUMBERS, expires_at: new Date(Date.now() + 60_000).toISOString() }],
    ['another action', 'chats/%2B4915123456789/typing', { state: 'paused' }],
    ['a message', 'messages', { to: '+4915123456789', type: 'text', text: { body: 'hi' } }],
  ])('refuses the same key with %s', async (_what, path, body) => {
    const connectionId = await aConnection();
    const headers = { ...async, 'idempotency-key': 'three' };
    await check(connectionId, { headers });

    const other = await stack.call('POST', `/v1/connections/${connectionId}/${path}`, {
      key: owner.key,
      body,
      headers,
    });

    expect(other.status).toBe(409);
    expect(other.body['code']).toBe('idempotency_conflict');
  });

  it('refuses more than a worker keeps open', async () => {
    const connectionId = await aConnection();
    const { openActions } = stack.dependencies;
    const found = await stack.dependencies.connections.find(owner.tenantId, connectionId);
    for (let place = 0; place < MOST_OPEN_ACTIONS; place += 1) {
      const actionId = makeId('act', Date.now(), systemRandom);
      const open = { ...owner, connectionId, actionId, kind: 'contacts_check', expiresAtMs: 0 } as const;
      await openActions.add(found?.shard ?? 0, open, Date.now());
    }

    const answer = await check(connectionId, { headers: async });

    expect(answer.status).toBe(429);
    expect(answer.body['code']).toBe('too_many_actions');
    expect(answer.headers['retry-after']).toBe('10');
  });

  it('shows an action to its tenant alone', async () => {
    const connectionId = await aConnection();
    const { headers } = await check(connectionId, { headers: async });
    const stranger = await stack.tenant();

    const seen = await stack.call('GET', String(headers['location']), { key: stranger.key });
    const nonsense = await stack.call('GET', '/v1/actions/act_x', { key: owner.key });
    const listed = await stack.call('GET', `/v1/connections/${connectionId}/actions`, { key: stranger.key });

    expect([seen, nonsense].map(({ status, body }) => [status, body['code']])).toEqual([
      [404, 'action_not_found'],
      [404, 'action_not_found'],
    ]);
    expect(listed.status).toBe(404);
  });

  it('lists in pages, newest first', async () => {
    const connectionId = await aConnection();
    const made: string[] = [];
    for (let place = 0; place < 3; place += 1) made.push(idOf(await check(connectionId, { headers: async })));
    const page = (query: string) =>
      stack.call('GET', `/v1/connections/${connectionId}/actions${query}`, { key: owner.key });

    const first = await page('?limit=2');
    const second = await page(`?limit=2&before=${String(first.body['next'])}`);
    const ids = [first, second].flatMap(({ body }) => (body['data'] as { readonly id: string }[]).map(({ id }) => id));

    expect(new Set(ids)).toEqual(new Set(made));
    expect(ids).toEqual(ids.toSorted().toReversed());
    expect(second.body).toMatchObject({ hasMore: false });
    expect((await page('?before=con_1')).body['code']).toBe('invalid_cursor');
  });

  it('answers 503 when the queue does not take the command, and carries on with the same action under its key', async () => {
    const connectionId = await aConnection();
    const queue = Object.assign(Object.create(stack.dependencies.queue) as typeof stack.dependencies.queue, {
      send: () => Promise.reject(new Error('the queue is gone')),
    });
    const headers = { ...async, 'idempotency-key': 'four' };
    const path = `/v1/connections/${connectionId}/contacts/check`;

    const failed = await stack.with({ queue }).call('POST', path, { key: owner.key, body: NUMBERS, headers });
    const again = await check(connectionId, { headers });

    expect(failed.status).toBe(503);
    expect(again.status).toBe(202);
    expect(await stack.takeCommands()).toEqual([expect.objectContaining({ actionId: again.body['id'] })]);
    expect(
      (await stack.call('GET', `/v1/connections/${connectionId}/actions`, { key: owner.key })).body['data'],
    ).toHaveLength(1);
  });

  it('describes each kind in the document, with an example and both answers', async () => {
    const { body: document } = await stack.call('GET', '/v1/openapi.json');
    const paths = document['paths'] as Record<string, Record<string, Record<string, unknown>>>;
    for (const { method, path, summary, description } of actionRows) {
      const operation = paths[`/v1/connections/{connectionId}/${path}`]?.[method.toLowerCase()];

      expect(operation).toMatchObject({ summary, description });
      const answered = Object.keys(operation?.['responses'] as object).filter((status) => status < '400');
      expect(answered).toEqual(['200', '202']);
      expect(JSON.stringify(operation?.[method === 'GET' ? 'parameters' : 'requestBody'])).toContain('expires_at');
    }
    expect(JSON.stringify(document['components'])).toContain('ContactsCheckAction');
    expect(JSON.stringify(document)).toContain('236471520047@lid');
  });
});
