import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { countFiltered } from '../../../shared/connection/filteredMessages.ts';
import { putTransition } from '../../../shared/connection/statusHistory.ts';
import type { ConnectionId } from '../../../shared/kernel/id.ts';
import { anAccount, ApiStack } from '../api/apiStack.ts';
import { failingQueue } from '../queueStack.ts';

describe('the life of a connection through the API', () => {
  let stack: ApiStack;
  let tenant: Awaited<ReturnType<ApiStack['tenant']>>;
  let id: ConnectionId;
  beforeAll(async () => {
    stack = await ApiStack.start();
    tenant = await stack.tenant();
  });
  beforeEach(async () => {
    id = await stack.connection(tenant, anAccount);
    await stack.takeCommands();
  });
  afterAll(() => stack.stop());
  const call = (method: string, rest = '', body?: unknown, on = id) =>
    stack.call(method, `/v1/connections/${on}${rest}`, { key: tenant.key, ...(body === undefined ? {} : { body }) });
  /** A call while the command queue takes nothing. */
  const untold = (method: string, rest = '', body?: unknown, on = id) =>
    stack
      .with({ queue: failingQueue(stack.dependencies.queue, Infinity) })
      .call(method, `/v1/connections/${on}${rest}`, { key: tenant.key, ...(body === undefined ? {} : { body }) });
  const row = () => stack.dependencies.connections.find(tenant.tenantId, id);
  const controls = async () =>
    (await stack.takeCommands()).map((command) => command.kind === 'control' && command.control);

  it('switches off and on: the record says what is wanted, and the owner is told', async () => {
    const stopped = await call('POST', '/stop');
    const started = await call('POST', '/start');

    expect([stopped.status, stopped.body['wanted']]).toEqual([202, 'off']);
    expect([started.status, started.body['wanted']]).toEqual([202, 'online']);
    expect(await controls()).toEqual(['stop', 'start']);
  });

  it('restarts by a command alone', async () => {
    const before = await row();
    const restarted = await call('POST', '/restart');

    expect(restarted.status).toBe(202);
    expect(await row()).toEqual(before);
    expect(await controls()).toEqual(['restart']);
  });

  it.each<[string, string, unknown, number, object]>([
    ['PATCH', '', { settings: { calls: 'reject' } }, 200, { settings: { calls: 'reject' } }],
    ['POST', '/stop', undefined, 202, { wanted: 'off' }],
    ['POST', '/logout', undefined, 202, { logout: { requestId: expect.stringMatching(/^cor_/) as unknown } }],
    ['DELETE', '', undefined, 202, { wanted: 'deleted' }],
    ['POST', '/restart', undefined, 503, { wanted: 'online' }],
    ['POST', '/start', undefined, 503, { wanted: 'online' }],
  ])(
    'answers %s %s by what will happen when the owner cannot be told',
    async (method, rest, body, status, recorded) => {
      const answer = await untold(method, rest, body);

      expect(answer.status).toBe(status);
      expect(await row()).toMatchObject(recorded);
    },
  );

  it('names a pairing that is being prepared, why it waits, and when the next attempt begins', async () => {
    const unpaired = await stack.connection(tenant);
    const none = await call('GET', '/pairing', undefined, unpaired);
    await call('POST', '/pairing', { method: 'qr' }, unpaired);
    const asked = await call('GET', '/pairing', undefined, unpaired);
    const nextAttemptAtMs = Date.now() + 8_000;
    await stack.dependencies.connections.recordStatus(
      { tenantId: tenant.tenantId, connectionId: unpaired, token: 1 },
      { status: 'reconnecting', code: 'whatsapp_unreachable_host', sinceMs: 0, transitions: 1, nextAttemptAtMs },
    );

    const waits = await call('GET', '/pairing', undefined, unpaired);

    expect([none.status, none.body['code']]).toEqual([404, 'pairing_not_found']);
    expect([asked.status, asked.body['code'], asked.headers['retry-after']]).toEqual([404, 'pairing_pending', '1']);
    expect(waits.body).toMatchObject({
      code: 'pairing_pending',
      detail:
        'The pairing offer is being prepared. WhatsApp cannot be reached: its host name was not found; we try again. ' +
        `The next attempt begins at ${new Date(nextAttemptAtMs).toISOString()}.`,
    });
    expect(Number(waits.headers['retry-after'])).toBeGreaterThan(1);
  });

  it('switches on what was off, and takes a pairing request, although the owner cannot be told', async () => {
    const unpaired = await stack.connection(tenant);
    await call('POST', '/stop');

    const started = await untold('POST', '/start');
    const asked = await untold('POST', '/pairing', { method: 'qr' }, unpaired);

    expect([started.status, started.body['wanted'], asked.status]).toEqual([202, 'online', 202]);
  });

  it('asks for a log-out in the record, so that a lost command is made up for', async () => {
    const asked = await call('POST', '/logout');

    expect(asked.status).toBe(202);
    expect((await row())?.logout?.requestId).toMatch(/^cor_/);
    expect(await controls()).toEqual(['unlink']);
  });

  it('switches a connection on that is to be paired', async () => {
    const unpaired = await stack.connection(tenant);
    await call('POST', '/stop', undefined, unpaired);

    const asked = await call('POST', '/pairing', { method: 'qr' }, unpaired);

    expect(asked.status).toBe(202);
    expect((await call('GET', '', undefined, unpaired)).body['wanted']).toBe('online');
  });

  it('shows the last changes of the status, newest first, of all owners', async () => {
    const put = (token: number, number: number) =>
      putTransition(
        stack.dependencies,
        { connectionId: id, token },
        { number, atMs: Date.now() + number, status: 'reconnecting', code: 'network_lost', closeCode: 408 },
      );
    for (let number = 1; number <= 53; number += 1) await put(number < 52 ? 1 : 2, number);

    const late = await put(1, 2);
    const { status, body } = await call('GET', '/history');

    const data = body['data'] as readonly Record<string, unknown>[];
    expect(status).toBe(200);
    expect(late).toBe('lost');
    expect(data.map(({ number }) => number)).toEqual(Array.from({ length: 50 }, (_, index) => 53 - index));
    expect(data[0]).toMatchObject({ code: 'network_lost', closeCode: 408, userAction: 'none' });
    expect(data[0]?.['sentence']).toContain('lost');
  });

  it('leaves out what stands in the history from a round before', async () => {
    const put = (number: number) =>
      putTransition(
        stack.dependencies,
        { connectionId: id, token: 1 },
        { number, atMs: Date.now(), status: 'online', code: 'open', closeCode: undefined },
      );
    // The write of number 51 was lost, so its place still holds number 1.
    for (const number of [1, 2, 52]) await put(number);

    const { body } = await call('GET', '/history');

    expect((body['data'] as readonly { number: number }[]).map(({ number }) => number)).toEqual([52]);
  });

  it('changes label, metadata and settings, and keeps what is left out', async () => {
    const first = await call('PATCH', '', {
      label: 'Shop',
      metadata: { crm: '7', team: 'north' },
      settings: { reconnect: { maxAttempts: 30, maxDelayMs: 60_000 }, presence: 'available' },
    });
    const second = await call('PATCH', '', {
      metadata: { team: null },
      settings: { reconnect: { maxAttempts: null } },
    });
    const third = await call('PATCH', '', { label: null, settings: null });

    expect(first.body).toMatchObject({ label: 'Shop', settings: { presence: 'available' } });
    expect(second.body).toMatchObject({
      label: 'Shop',
      metadata: { crm: '7' },
      settings: { reconnect: { maxDelayMs: 60_000 }, presence: 'available' },
    });
    expect([third.status, third.body['label'], third.body['settings']]).toEqual([200, undefined, undefined]);
    expect(await controls()).toEqual(['refresh', 'refresh', 'refresh']);
  });

  it('changes filters one by one, and removes them with null', async () => {
    const set = await call('PATCH', '', {
      settings: { filters: { statusUpdates: 'drop', groups: 'drop' }, readReceipts: 'automatic', calls: 'reject' },
    });
    const changed = await call('PATCH', '', { settings: { filters: { groups: null, newsletters: 'deliver' } } });
    const removed = await call('PATCH', '', { settings: { filters: null, calls: null } });

    expect(set.body['settings']).toEqual({
      filters: { statusUpdates: 'drop', groups: 'drop' },
      readReceipts: 'automatic',
      calls: 'reject',
    });
    expect(changed.body['settings']).toEqual({
      filters: { statusUpdates: 'drop', newsletters: 'deliver' },
      readReceipts: 'automatic',
      calls: 'reject',
    });
    expect(removed.body['settings']).toEqual({ readReceipts: 'automatic' });
    expect((await row())?.settings).toEqual({ readReceipts: 'automatic' });
  });

  it('shows what filters have dropped, by their names, since the first', async () => {
    const owner = { tenantId: tenant.tenantId, connectionId: id };
    const before = await call('GET');
    await countFiltered(stack.dependencies, owner, new Map([['groups', 3]]), 1_000);
    const both = new Map([
      ['groups', 2],
      ['types.text', 1],
    ]);
    await countFiltered(stack.dependencies, owner, both, 2_000);

    const { body } = await call('GET');

    expect(before.body['filtered']).toBeUndefined();
    expect(body['filtered']).toEqual({ since: '1970-01-01T00:00:01.000Z', messages: { groups: 5, 'types.text': 1 } });
    const other = { ...owner, connectionId: 'con_01K3C50A2C4E6G8J0M2P4R6T8W' as typeof id };
    expect(await countFiltered(stack.dependencies, other, both, 3_000)).toBe('missing');
  });

  it('takes settings when a connection is made', async () => {
    const made = await stack.call('POST', '/v1/connections', {
      key: tenant.key,
      body: { metadata: { crm: '8' }, settings: { presence: 'unavailable' } },
    });

    expect([made.status, made.body['settings']]).toEqual([201, { presence: 'unavailable' }]);
  });

  it('lets one of two changes win that were made at the same moment', async () => {
    const read = await row();
    const { connections } = stack.dependencies;
    if (read === undefined) throw new Error('there is no such connection');

    const outcomes = [
      await connections.setChangeable(read, { label: 'one' }),
      await connections.setChangeable(read, { label: 'two' }),
    ];

    expect(outcomes).toEqual(['set', 'missing']);
    expect((await row())?.label).toBe('one');
  });

  const reconnect = (values: unknown) => ({ settings: { reconnect: values } });
  it.each<readonly [what: string, body: unknown, field: string]>([
    ['an unknown setting', { settings: { historySync: true } }, 'settings.historySync'],
    ['a filter of what there is not', { settings: { filters: { robots: 'drop' } } }, 'settings.filters.robots'],
    ['a filter of no type', { settings: { filters: { types: { song: 'drop' } } } }, 'settings.filters.types.song'],
    ['a filter that does something else', { settings: { filters: { groups: 'mute' } } }, 'settings.filters.groups'],
    ['a filter that is a flag', { settings: { filters: { newsletters: true } } }, 'settings.filters.newsletters'],
    ['filters that are a list', { settings: { filters: ['groups'] } }, 'settings.filters'],
    ['read receipts that are a flag', { settings: { readReceipts: true } }, 'settings.readReceipts'],
    ['read receipts of a kind that is none', { settings: { readReceipts: 'never' } }, 'settings.readReceipts'],
    ['calls that are taken', { settings: { calls: 'accept' } }, 'settings.calls'],
    ['an unknown field of the policy', reconnect({ jitter: 0 }), 'settings.reconnect.jitter'],
    ['a negative delay', reconnect({ baseDelayMs: -1 }), 'settings.reconnect.baseDelayMs'],
    ['a delay that is no number', reconnect({ baseDelayMs: '5s' }), 'settings.reconnect.baseDelayMs'],
    ['a delay over the cap', reconnect({ maxDelayMs: 300_001 }), 'settings.reconnect.maxDelayMs'],
    ['a cap below the distance of two opens', reconnect({ maxDelayMs: 29_999 }), 'settings.reconnect.maxDelayMs'],
    ['no attempt at all', reconnect({ maxAttempts: 0 }), 'settings.reconnect.maxAttempts'],
    ['half an attempt', reconnect({ maxAttempts: 1.5 }), 'settings.reconnect.maxAttempts'],
    [
      'a base delay over the longest delay',
      reconnect({ baseDelayMs: 45_000, maxDelayMs: 30_000 }),
      'settings.reconnect.baseDelayMs',
    ],
    ['a presence that is none', { settings: { presence: 'busy' } }, 'settings.presence'],
    ['a metadata name with a blank', { metadata: { 'a b': 'c' } }, 'metadata.a b'],
    ['metadata that is no text', { metadata: { a: 7 } }, 'metadata.a'],
    ['a label that is too long', { label: 'x'.repeat(101) }, 'label'],
  ])('refuses %s and names the field', async (_what, body, field) => {
    const { status, body: problem } = await call('PATCH', '', body);

    expect([status, problem['code']]).toEqual([400, 'invalid_request']);
    expect((problem['fields'] as readonly { field: string }[]).map((found) => found.field)).toContain(field);
  });

  it('refuses a base delay over a longest delay that was set before', async () => {
    await call('PATCH', '', reconnect({ maxDelayMs: 30_000 }));

    const { status, body } = await call('PATCH', '', reconnect({ baseDelayMs: 31_000 }));

    expect([status, body['code']]).toEqual([400, 'invalid_request']);
  });

  it('refuses more metadata than a record holds, also piece by piece', async () => {
    const many = (from: number, count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`m${from + index}`, 'x']));
    await call('PATCH', '', { metadata: many(0, 20) });

    const tooMany = await call('PATCH', '', { metadata: many(20, 1) });
    const atOnce = await call('PATCH', '', { metadata: many(0, 21) });

    expect([tooMany.status, atOnce.status]).toEqual([400, 400]);
  });

  it.each(['/start', '/restart', '/logout'])('refuses POST %s of a connection without an account', async (path) => {
    const unpaired = await stack.connection(tenant);

    const { status, body } = await call('POST', path, undefined, unpaired);

    expect([status, body['code']]).toEqual([409, 'connection_not_paired']);
    expect(await stack.takeCommands()).toEqual([]);
  });

  it.each(['/restart', '/logout'])('refuses POST %s of a connection that is switched off', async (path) => {
    await call('POST', '/stop');

    const { status, body } = await call('POST', path);

    expect([status, body['code']]).toEqual([409, 'connection_off']);
  });

  it('shows another tenant neither connection nor history', async () => {
    const other = await stack.tenant();
    const ask = (method: string, rest: string) =>
      stack.call(method, `/v1/connections/${id}${rest}`, { key: other.key });

    const answers = await Promise.all([
      ask('POST', '/start'),
      ask('POST', '/stop'),
      ask('POST', '/restart'),
      ask('POST', '/logout'),
      ask('GET', '/history'),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404]);
  });
});
