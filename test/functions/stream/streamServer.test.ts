import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pauseAfter } from '../../../functions/stream/tenantFeed.ts';
import { mayHaveNews, newestPlace, oldestPlace } from '../../../shared/event/readEvents.ts';
import { StreamClient } from './streamClient.ts';
import { StreamStage, untilSo, type StreamTenant } from './streamStage.ts';

describe('the server of streams', () => {
  let stage: StreamStage;
  let tenant: StreamTenant;
  beforeAll(async () => {
    stage = await StreamStage.start();
    tenant = await stage.tenant();
  });
  afterAll(() => stage.stop());

  it('answers streams, its health, and nothing else', async () => {
    const process = await stage.process();
    const at = (path: string): string => new URL(path, process.url).href;

    const answers = await Promise.all(
      [at('/health'), at('/v1/events'), at('/v1/events/stream/'), at('/')].map((url) => fetch(url)),
    );
    const posted = await fetch(process.url, { method: 'POST', body: 'x' });

    expect([...answers, posted].map(({ status }) => status)).toEqual([200, 404, 404, 404, 404]);
    expect(await answers[0]?.text()).toBe('0 streams\n');
    await process.stop();
  });

  it('tells each client why when it is drained, takes no other, and is done when they are gone', async () => {
    const process = await stage.process();
    const clients = await Promise.all([1, 2, 3].map(() => stage.open(process, tenant)));
    await untilSo('three streams', () => process.streams.count === 3);

    await process.stop();

    expect(await Promise.all(clients.map(({ over }) => over))).toEqual(['ended', 'ended', 'ended']);
    for (const { frames } of clients) {
      const { event, data } = frames.at(-1) ?? {};
      expect([event, JSON.parse(data ?? '')]).toEqual(['end', expect.objectContaining({ reason: 'draining' })]);
    }
    expect(process.streams.count).toBe(0);
    await expect(fetch(process.url)).rejects.toThrow('fetch failed');
  });

  it.each<[string, object, string, string, number]>([
    ['its network, as the load balancer saw it', { networks: ['203.0.113.0/24'] }, '', '203.0.113.5', 200],
    ['its network, as the client says alone', { networks: ['203.0.113.0/24'] }, '', '203.0.113.5, 198.51.100.7', 403],
    ['another network', { networks: ['203.0.113.0/24'] }, '', '198.51.100.7', 403],
    ['its scope', { scopes: ['events:read'] }, '', '198.51.100.7', 200],
    ['another scope', { scopes: ['messages:read'] }, '', '198.51.100.7', 403],
    ['its connection', {}, 'own', '198.51.100.7', 200],
    ['another connection', {}, 'con_01ARZ3NDEKTSV4RRFFQ69G5FAV', '198.51.100.7', 404],
    ['all connections', {}, '', '198.51.100.7', 403],
  ])(
    'opens a stream by a key for less than everything as its limits say: %s',
    async (name, limits, asked, from, status) => {
      const process = await stage.process();
      const { connectionId } = tenant;
      const isOfConnection = name.includes('connection');
      const made = await stage.api.call('POST', `/v1/admin/tenants/${tenant.tenantId}/api-keys`, {
        key: stage.api.operatorKey,
        body: isOfConnection ? { connectionIds: [connectionId] } : limits,
      });
      const query = asked === '' ? '' : `connectionId=${asked === 'own' ? connectionId : asked}`;
      const client = await StreamClient.open(`${process.url}?${query}`, {
        authorization: `Bearer ${String(made.body['secret'])}`,
        'x-forwarded-for': from,
      });

      expect(client.status).toBe(status);
      await Promise.all([client.cut(), process.stop()]);
    },
  );

  it('looks at a log less often at which nothing happens', () => {
    expect([0, 59_999, 60_000, 3_600_000].map((quietMs) => pauseAfter(quietMs, 200))).toEqual([200, 200, 2_000, 2_000]);
    expect(pauseAfter(60_000, 5_000)).toBe(5_000);
  });

  it('sees by the counters alone whether there is something behind a place', async () => {
    const quiet = await stage.tenant();
    const { dependencies } = stage.api;
    await stage.receive(quiet, 2);
    const [oldest, newest] = [
      await oldestPlace(dependencies, quiet.tenantId),
      await newestPlace(dependencies, quiet.tenantId),
    ];

    expect(await mayHaveNews(dependencies, quiet.tenantId, oldest)).toBe(true);
    expect(await mayHaveNews(dependencies, quiet.tenantId, newest)).toBe(false);
    await stage.receive(quiet, 1);
    expect(await mayHaveNews(dependencies, quiet.tenantId, newest)).toBe(true);
  });
});
