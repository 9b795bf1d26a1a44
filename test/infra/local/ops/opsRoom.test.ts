import * as fc from 'fast-check';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dashboardDefinitions } from '../../../../infra/dashboards/definitions.ts';
import { noteAnswer } from '../../../../infra/local/ops/awsStandIns.ts';
import { figuresOf, type DashboardFigures } from '../../../../infra/local/ops/figures.ts';
import { MetricStore } from '../../../../infra/local/ops/metricStore.ts';
import { makeOpsRoom } from '../../../../infra/local/ops/opsRoom.ts';
import { AppError } from '../../../../shared/kernel/appError.ts';
import type { ApiKeyId, TenantId } from '../../../../shared/kernel/id.ts';
import { metricCatalogue } from '../../../../shared/platform/metricCatalogue.ts';

const NOW_MS = Date.UTC(2026, 0, 1, 12);

describe('the page at /ops', () => {
  const store = new MetricStore(() => NOW_MS);
  let server: Server;
  let url = '';
  beforeAll(async () => {
    const answers = makeOpsRoom({
      figures: async (minutes) => figuresOf(dashboardDefinitions('local'), store, minutes),
      nowMs: () => NOW_MS,
      authenticate: async (authorization) => {
        if (authorization === 'Bearer operator')
          return { role: 'operator', keyId: 'key_1' as ApiKeyId, operatorRole: 'read' };
        if (authorization === 'Bearer tenant') {
          return { role: 'tenant', keyId: 'key_2' as ApiKeyId, tenantId: 'tnt_1' as TenantId, limits: {} };
        }
        throw new AppError('unauthorized');
      },
    });
    // A busy machine leaves connections alone for longer than a server keeps them that are idle.
    server = createServer({ keepAliveTimeout: 0 }, (asked, response) => {
      if (!answers(asked, response)) response.writeHead(418).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  const get = (path: string, key = 'operator') =>
    fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}` } });
  const figures = async (): Promise<readonly DashboardFigures[]> => {
    const answer = (await (await get('/ops/metrics.json')).json()) as {
      readonly dashboards: readonly DashboardFigures[];
    };
    return answer.dashboards;
  };

  it.each(['/ops', '/ops/page.js', '/ops/chart.js', '/ops/tables.js', '/ops/page.css'])(
    '%s is served to everybody, loads nothing from elsewhere and cannot be framed',
    async (path) => {
      const answer = await fetch(`${url}${path}`);
      const text = await answer.text();

      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'.*frame-ancestors 'none'$/);
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
      expect(text).not.toMatch(/https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
    },
  );

  it.each([
    ['nobody', '', 401],
    ['a tenant', 'tenant', 403],
    ['an operator', 'operator', 200],
  ])('figures for %s', async (_, key, status) => {
    const answer = await get('/ops/metrics.json', key);

    expect(answer.status).toBe(status);
  });

  it('is closed to names that somebody else may have made lead here', async () => {
    const status = await new Promise((resolve) => {
      request(`${url}/ops`, { headers: { host: 'evil.example' } }, (answer) => resolve(answer.statusCode)).end();
    });

    expect(status).toBe(403);
  });

  it('shows what stands in the store, a share as a share, and what only AWS measures as such', async () => {
    const dimensions = (outcome: string) => ({ stage: 'local', outcome });
    for (const [outcome, count] of [
      ['sent', 3],
      ['failed', 1],
    ] as const) {
      const values = [count];
      store.add({
        namespace: 'Holdfast',
        name: 'CommandsEnded',
        dimensions: dimensions(outcome),
        atMs: NOW_MS,
        values,
      });
    }
    noteAnswer(store, { status: 503, durationMs: 12 }, NOW_MS);
    noteAnswer(store, { status: 200, durationMs: 8 }, NOW_MS);

    const all = (await figures()).flatMap((dashboard) => dashboard.figures);

    const lastOf = (title: string) =>
      all.find((figure) => figure.title === title)?.lines.map(({ label, points }) => [label, points.at(-1)]);
    expect(lastOf('Accepted messages that end well')).toEqual([['good', 75]]);
    expect(lastOf('How many requests?')).toEqual([['requests', 2]]);
    expect(lastOf('How many were refused or failed?')).toEqual([
      ['refused', 0],
      ['failed', 1],
    ]);
    expect(all.find(({ title }) => title === 'Do tables throttle?')?.onlyOnAws).toBe(true);
    expect(all.find(({ title }) => title === 'How many requests?')?.onlyOnAws).toBe(false);
  });

  it('names no metric of ours that the catalogue does not have, with exactly its dimensions', () => {
    const ours = dashboardDefinitions('local').flatMap(({ widgets }) =>
      widgets.flatMap(({ metrics }) => metrics.filter(({ namespace }) => namespace === undefined)),
    );

    const catalogue: Readonly<Record<string, { readonly dimensions: object }>> = metricCatalogue;
    const wrong = ours.filter(({ name, dimensions = {} }) => {
      const expected = ['stage', ...Object.keys(catalogue[name]?.dimensions ?? { unknown: [] })];
      return expected.sort().join() !== Object.keys(dimensions).sort().join();
    });
    expect(ours.length).toBeGreaterThan(20);
    expect(wrong).toEqual([]);
  });

  it('answers every minutes but a whole number from 1 to 180 with one sentence', async () => {
    const twice = '180&minutes=1';
    const anything = fc.oneof(fc.string(), fc.integer().map(String), fc.double().map(String), fc.constant(twice));

    await fc.assert(
      fc.asyncProperty(anything, async (text) => {
        const query = text === twice ? text : encodeURIComponent(text.toWellFormed());
        const answer = await get(`/ops/metrics.json?minutes=${query}`);
        await answer.text();
        const isRight = /^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= 180;
        expect(answer.status).toBe(isRight ? 200 : 400);
      }),
      { numRuns: 200 },
    );
  });

  it('takes any path below it without failing, and leaves all others to the API', async () => {
    await fc.assert(
      fc.asyncProperty(fc.webPath(), async (path) => {
        const answer = await get(`/ops/x${path}`);
        await answer.text();
        expect(answer.status).toBe(404);
      }),
      { numRuns: 100 },
    );

    expect((await get('/opsy')).status).toBe(418);
    expect((await fetch(`${url}/ops`, { method: 'POST', body: 'x' })).status).toBe(405);
  });
});
