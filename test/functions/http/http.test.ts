import { z } from 'zod';
import { describe, expect, it } from 'vitest';
import { makeHttpHandler } from '../../../functions/http/http.ts';
import { makeRouter, route } from '../../../functions/http/route.ts';
import { makeContext } from '../../../infra/local/gateway.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';

/** Public routes have no entries. */
const NO_AUDIT = {
  ask: () => Promise.reject(new Error('nobody is audited')),
  end: () => Promise.reject(new Error('nobody is audited')),
  list: () => Promise.reject(new Error('nobody asks')),
};
const answers = { status: 200, schema: z.object({}) };
const aRoute = (method: 'GET' | 'DELETE', path: string) =>
  route(method, path, { summary: path, answers, handle: () => Promise.resolve({ status: 200, json: {} }) });

/** Routes of nobody are counted nowhere. */
const noRates = {
  quotaBook: { find: () => Promise.reject(new Error('nobody asks')) },
  limiter: { take: () => Promise.reject(new Error('nobody asks')), giveBack: () => Promise.resolve() },
};

describe('the stack in front of the routes', () => {
  it('answers while there is time, also when a route does not', async () => {
    const silent = route('GET', '/v1/silent', {
      summary: 'Never answers',
      access: 'public',
      answers,
      handle: () => new Promise(() => undefined),
    });
    const handler = makeHttpHandler([silent], {
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      authenticate: () => Promise.reject(new Error('nobody asks')),
      ...noRates,
      audit: NO_AUDIT,
    });

    const answer = await handler(
      {
        version: '2.0',
        routeKey: '$default',
        rawPath: '/v1/silent',
        rawQueryString: '',
        headers: {},
        requestContext: { http: { method: 'GET', path: '/v1/silent' } } as Parameters<
          typeof handler
        >[0]['requestContext'],
        isBase64Encoded: false,
      },
      makeContext('test', 50),
    );

    expect(answer).toMatchObject({ statusCode: 503, headers: { 'retry-after': '2' } });
    expect(JSON.parse(answer.body ?? '')).toMatchObject({ code: 'store_unavailable' });
  });
});

describe('a request without a body', () => {
  const eventOf = (headers: Readonly<Record<string, string>>, body?: string) => ({
    version: '2.0',
    routeKey: '$default',
    rawPath: '/v1/things',
    rawQueryString: '',
    headers: { ...headers },
    ...(body === undefined ? {} : { body }),
    requestContext: { http: { method: 'POST', path: '/v1/things' } } as Parameters<
      ReturnType<typeof makeHttpHandler>
    >[0]['requestContext'],
    isBase64Encoded: false,
  });
  const answerOf = async (isBodyOptional: boolean, ...request: Parameters<typeof eventOf>) => {
    const things = route('POST', '/v1/things', {
      summary: 'Makes a thing',
      access: 'public',
      body: z.strictObject({ name: z.string().default('a thing') }),
      isBodyOptional,
      answers,
      handle: ({ body }) => Promise.resolve({ status: 200, json: body }),
    });
    const handler = makeHttpHandler([things], {
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      authenticate: () => Promise.reject(new Error('nobody asks')),
      ...noRates,
      audit: NO_AUDIT,
    });
    const { statusCode, body } = await handler(eventOf(...request), makeContext('test', 10_000));
    const { name, code } = JSON.parse(body ?? '') as Readonly<Record<string, unknown>>;
    return [statusCode, name ?? code];
  };
  const JSON_TYPE = { 'content-type': 'application/json' };

  it('is one with an empty object where the route can do without', async () => {
    expect(await answerOf(true, {})).toEqual([200, 'a thing']);
    expect(await answerOf(true, JSON_TYPE, '')).toEqual([200, 'a thing']);
    expect(await answerOf(true, JSON_TYPE, '{"name":"😀"}')).toEqual([200, '😀']);
  });

  it('is told what it lacks elsewhere, and a body is looked at wherever there is one', async () => {
    expect(await answerOf(false, {})).toEqual([415, 'unsupported_media_type']);
    expect(await answerOf(false, JSON_TYPE, '')).toEqual([400, 'invalid_json']);
    expect(await answerOf(true, JSON_TYPE, ' ')).toEqual([400, 'invalid_json']);
    expect(await answerOf(true, {}, '{}')).toEqual([415, 'unsupported_media_type']);
  });
});

describe('the router', () => {
  const routes = [
    aRoute('GET', '/v1/things/{id}'),
    aRoute('DELETE', '/v1/things/{id}'),
    aRoute('GET', '/v1/things/last'),
  ];
  const find = makeRouter(routes);

  it('decodes parameters, and takes the first route that fits', () => {
    expect(find('GET', '/v1/things/a%20b')).toEqual({
      outcome: 'found',
      route: routes[0],
      parameters: { id: 'a b' },
    });
    expect(find('GET', '/v1/things/last')).toMatchObject({ outcome: 'found', route: routes[0] });
  });

  it.each([
    ['/v1/things', 'is too short'],
    ['/v1/things/a/b', 'is too long'],
    ['/v1/other/a', 'has another word'],
    ['/v1/things/%ff', 'cannot be decoded'],
  ])('finds nothing for %s, which %s', (path) => {
    expect(find('GET', path)).toEqual({ outcome: 'no_such_path' });
  });

  it('names the methods of a path that is asked for with another', () => {
    expect(find('PUT', '/v1/things/a')).toEqual({ outcome: 'no_such_method', allowed: ['GET', 'HEAD', 'DELETE'] });
  });
});
