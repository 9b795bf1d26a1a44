import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StreamClient } from './streamClient.ts';
import { StreamStage, untilSo, type StreamProcess } from './streamStage.ts';

const GROUP = '120363000000000001@g.us';

describe('the stream of events', () => {
  let stage: StreamStage;
  let process: StreamProcess;
  beforeAll(async () => {
    stage = await StreamStage.start();
    process = await stage.process();
  });
  afterAll(async () => {
    await process.stop();
    await stage.stop();
  });

  const idsOf = (client: StreamClient) => client.events.map(({ id }) => id);

  it('tells what happens from its opening on, in order, in the same bytes as the log', async () => {
    const tenant = await stage.tenant();
    await stage.receive(tenant, 3);
    const client = await stage.open(process, tenant);
    await untilSo('the stream is open', () => client.lastId !== undefined);
    await stage.receive(tenant, 2);
    await stage.receive(tenant, 1);
    await untilSo('all have come', () => client.events.length >= 3);
    const { body } = await stage.api.call('GET', '/v1/events?limit=100', { key: tenant.key });
    await client.cut();

    expect(client.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(idsOf(client)).toEqual((await stage.logged(tenant)).slice(3));
    const told = client.frames.filter(({ event }) => event === 'message.received');
    expect(told.map(({ data }) => JSON.parse(data ?? '') as unknown)).toEqual((body['data'] as unknown[]).slice(3));
  });

  it('goes on behind any event that a client has, with nothing missed and nothing told twice', async () => {
    const tenant = await stage.tenant();
    await stage.receive(tenant, 7);
    await stage.receive(tenant, 1);
    await stage.receive(tenant, 4);
    const all = await stage.logged(tenant);
    const first = await stage.open(process, tenant, 'from=oldest');
    await untilSo('all have come', () => first.events.length >= all.length);
    await first.cut();
    for (const [index, { cursor }] of first.events.entries()) {
      const client = await stage.open(process, tenant, '', cursor);
      await untilSo('the rest has come', () => client.events.length >= all.length - index - 1);
      await client.cut();

      expect(idsOf(client)).toEqual(all.slice(index + 1));
    }

    expect(idsOf(first)).toEqual(all);
  });

  it('has places of the log: the last id of a stream is `after` of a page, and the other way round', async () => {
    const tenant = await stage.tenant();
    await stage.receive(tenant, 2);
    const page = await stage.api.call('GET', '/v1/events?limit=1', { key: tenant.key });
    const client = await stage.open(process, tenant, `after=${String(page.body['next'])}`);
    await untilSo('the second has come', () => client.events.length > 0);
    await client.cut();
    const rest = await stage.api.call('GET', `/v1/events?after=${client.lastId}`, { key: tenant.key });

    expect(idsOf(client)).toEqual((await stage.logged(tenant)).slice(1));
    expect(rest.body['data']).toEqual([]);
  });

  it('tells only what is asked for: by type, connection and kind of chat', async () => {
    const tenant = await stage.tenant();
    const queries = ['chatKind=groups', 'types=message.status', `connectionId=${tenant.connectionId}`];
    const clients = await Promise.all(queries.map((query) => stage.open(process, tenant, `${query}&from=oldest`)));
    await stage.receive(tenant, 1);
    await stage.receive(tenant, 1, { chat: GROUP });
    const all = await stage.logged(tenant);
    await untilSo('both have come', () => (clients[2]?.events.length ?? 0) >= 2);
    await untilSo('one has come', () => (clients[0]?.events.length ?? 0) >= 1);
    await Promise.all(clients.map((client) => client.cut()));

    expect(clients.map(idsOf)).toEqual([[all[1]], [], all]);
  });

  it('tells its client to come again when its process is replaced, and another goes on', async () => {
    const tenant = await stage.tenant();
    const leaving = await stage.process();
    const client = await stage.open(leaving, tenant);
    await untilSo('the stream is open', () => client.lastId !== undefined);
    await stage.receive(tenant, 1);
    await untilSo('the first has come', () => client.events.length === 1);
    leaving.streams.drain();
    const end = await client.over;
    await stage.receive(tenant, 1);
    const refused = await stage.open(leaving, tenant);
    const next = await stage.open(process, tenant, '', client.lastId);
    await untilSo('the second has come', () => next.events.length === 1);
    await Promise.all([next.cut(), leaving.stop()]);

    expect([end, client.frames.at(-1)?.event]).toEqual(['ended', 'end']);
    expect(client.frames.at(-1)?.data).toContain('"reason":"draining"');
    expect([refused.status, refused.problem?.['code']]).toEqual([429, 'too_many_readers']);
    expect([...idsOf(client), ...idsOf(next)]).toEqual(await stage.logged(tenant));
  });

  it('ends itself in time', async () => {
    const tenant = await stage.tenant();
    const short = await stage.process({ lastsMs: 200 });
    const client = await stage.open(short, tenant);
    await client.over;
    await short.stop();

    expect(client.frames.at(-1)?.data).toContain('"reason":"time"');
  });

  it('is open so many times for a tenant and no more, over all processes; who leaves makes room', async () => {
    const tenant = await stage.tenant();
    const small = await Promise.all([stage.process({ tenantStreams: 2 }), stage.process({ tenantStreams: 2 })]);
    const [one, other] = small;
    const clients = [await stage.open(one, tenant), await stage.open(other, tenant)];
    const third = await stage.open(one, tenant);
    await clients[0]?.cut();
    await untilSo('the place is free', () => one.streams.count === 0);
    await untilSo('another has it', async () => {
      const client = await stage.open(other, tenant);
      clients.push(client);
      return client.status === 200;
    });
    await Promise.all(clients.map((client) => client.cut()));
    await Promise.all(small.map((each) => each.stop()));

    expect([third.status, third.problem?.['code'], third.headers.get('retry-after')]).toEqual([
      429,
      'too_many_readers',
      '10',
    ]);
  });

  it.each([
    ['no key', {}, '', 401, 'unauthorized'],
    ['a ticket that nobody gave', {}, `ticket=tkt_${'x'.repeat(43)}`, 401, 'ticket_invalid'],
    ['a place that nobody gave', undefined, 'after=AAAA', 400, 'invalid_cursor'],
    ['an event id as its place', undefined, 'after=evt_000000000001A00', 400, 'invalid_cursor'],
    ['a field that there is not', undefined, 'type=message.received', 400, 'invalid_request'],
    ['a field twice', undefined, 'from=now&from=oldest', 400, 'invalid_request'],
  ])('is refused with %s', async (_name, headers, query, status, code) => {
    const tenant = await stage.tenant();
    const client = await StreamClient.open(
      `${process.url}?${query}`,
      headers ?? { authorization: `Bearer ${tenant.key}` },
    );

    expect([client.status, client.problem?.['code']]).toEqual([status, code]);
  });

  it("does not go on from another tenant's place", async () => {
    const [mine, other] = [await stage.tenant(), await stage.tenant()];
    const client = await stage.open(process, other);
    await untilSo('the stream is open', () => client.lastId !== undefined);
    await client.cut();
    const refused = await stage.open(process, mine, '', client.lastId);

    expect([refused.status, refused.problem?.['code']]).toEqual([400, 'invalid_cursor']);
  });
});

describe('a ticket for the stream of events', () => {
  let stage: StreamStage;
  let process: StreamProcess;
  beforeAll(async () => {
    stage = await StreamStage.start();
    process = await stage.process();
  });
  afterAll(async () => {
    await process.stop();
    await stage.stop();
  });

  const ask = (key: string, body: object = {}) => stage.api.call('POST', '/v1/events/stream-tickets', { key, body });

  it('opens one stream without a key, and another one never', async () => {
    const tenant = await stage.tenant();
    const { status, body } = await ask(tenant.key);
    const open = () => StreamClient.open(`${process.url}?ticket=${String(body['ticket'])}`);
    const [one, two] = await Promise.all([open(), open()]);
    const [client, refused] = one.status === 200 ? [one, two] : [two, one];
    const later = await open();
    await stage.receive(tenant, 1);
    await untilSo('the event has come', () => client.events.length === 1);
    await client.cut();

    expect([status, body['url']]).toEqual([201, `/v1/events/stream?ticket=${String(body['ticket'])}`]);
    expect(Date.parse(String(body['expiresAt'])) - Date.now()).toBeLessThanOrEqual(60_000);
    expect([refused.status, later.status]).toEqual([401, 401]);
    expect(client.headers.get('access-control-allow-origin')).toBe('*');
  });

  it('opens nothing once the key with which it was made is revoked', async () => {
    const tenant = await stage.tenant();
    const { operatorKey } = stage.api;
    const { body } = await ask(tenant.key);
    const keys = `/v1/admin/tenants/${tenant.tenantId}/api-keys`;
    const list = await stage.api.call('GET', keys, { key: operatorKey });
    const [key] = list.body['data'] as readonly { readonly id: string }[];
    await stage.api.call('DELETE', `${keys}/${String(key?.id)}`, { key: operatorKey });

    const client = await StreamClient.open(`${process.url}?ticket=${String(body['ticket'])}`);

    expect(client.status).toBe(401);
  });

  it('opens no more than what it was made for, whatever its bearer asks for', async () => {
    const tenant = await stage.tenant();
    const { body } = await ask(tenant.key, { chatKind: ['groups'], types: ['message.received'] });
    const ticket = String(body['ticket']);
    const client = await StreamClient.open(`${process.url}?ticket=${ticket}&chatKind=people,groups&from=oldest`);
    await stage.receive(tenant, 1);
    await stage.receive(tenant, 1, { chat: GROUP });
    await untilSo('one has come', () => client.events.length > 0);
    await client.cut();

    expect(client.events.map(({ id }) => id)).toEqual((await stage.logged(tenant)).slice(1));
  });

  it.each([[{ types: [] }], [{ types: ['nothing'] }], [{ chatKind: ['group'] }], [{ until: 'tomorrow' }]])(
    'is not made for %j',
    async (body) => {
      const tenant = await stage.tenant();

      expect((await ask(tenant.key, body)).status).toBe(400);
    },
  );
});
