import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pauseAfter } from '../../../functions/stream/tenantFeed.ts';
import { mayHaveNews, newestPlace, oldestPlace } from '../../../shared/event/readEvents.ts';
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
