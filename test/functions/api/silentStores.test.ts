import { actionBodyOf } from './actionBodies.ts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { apiRoutes } from '../../../functions/api/handler.ts';
import { LINES_TYPE } from '../../../functions/http/readLines.ts';
import { startObjects, type ObjectEmulator } from '../../emulators/objects.ts';
import { TcpProxy, type Passage } from '../../chaos/tcpProxy.ts';
import { until } from '../../whatsapp/until.ts';
import { anAccount, ApiStack, type Answered } from './apiStack.ts';

const STORE_MS = 500;
/** A route makes a few calls, one after the other, and the machine may be busy; unbounded, it would never answer. */
const ANSWER_MS = 15_000;
/** What answers without a store. */
const STORELESS: ReadonlySet<string> = new Set([
  'GET /health',
  'GET /v1/openapi.json',
  'GET /v1/event-types',
  // Without the token of a link.
  'GET /v1/pairing-session',
  'POST /v1/pairing-session',
  'POST /v1/pairing-session/passkey',
  // The handler of streams answers it before this function does.
  'GET /v1/events/stream',
  'GET /problems',
  'GET /problems/{code}',
]);
const bodies: Readonly<Record<string, unknown>> = {
  'POST /v1/connections': {},
  'POST /v1/events/stream-tickets': {},
  'PATCH /v1/webhooks/{webhookId}': { events: null },
  'POST /v1/webhooks/{webhookId}/secret': {},
  'POST /v1/webhooks/{webhookId}/replay': { since: '2026-11-01T00:00:00Z' },
  'PATCH /v1/connections/{connectionId}': { label: 'Shop' },
  'POST /v1/connections/{connectionId}/pairing': { method: 'qr' },
  'POST /v1/connections/{connectionId}/pairing/passkey': { confirmedCode: 'ABCD-1234' },
  'POST /v1/connections/{connectionId}/pairing-links': {},
  'PUT /v1/admin/whatsapp-version': { version: '2.3000.1035194821' },
  'POST /v1/admin/whatsapp-version/roll-back': {},
  'POST /v1/admin/dead-letters/redrive': { all: true },
  'POST /v1/admin/dead-letters/discard': { all: true },
  'PATCH /v1/connections/{connectionId}/messages/{messageId}': {
    not_before: new Date(Date.now() + 3_600_000).toISOString(),
  },
  'POST /v1/connections/{connectionId}/messages': { type: 'text', to: '4915187654321', text: { body: 'hello' } },
  // One that is uploaded in parts, as that asks S3.
  'POST /v1/media': { bytes: 20_000_000 },
  'PATCH /v1/tenant': { fileDays: 30 },
  'POST /v1/exports': { media: false },
  'PUT /v1/export-schedule': { every: 'day' },
  'POST /v1/contact-erasures': { contact: '+4915187654321' },
  'POST /v1/webhooks': { url: 'https://93.184.216.34/hook' },
  'POST /v1/admin/tenants': { name: 'Acme' },
  'POST /v1/admin/tenants/{tenantId}/api-keys': {},
  'PATCH /v1/admin/tenants/{tenantId}/quotas': { actions: 5 },
  'POST /v1/admin/tenants/{tenantId}/suspend': { reason: 'a test' },
  'DELETE /v1/admin/tenants/{tenantId}': { confirm: 'Acme' },
  'POST /v1/admin/workers/{workerId}/drain': {},
};

/** The requests whose body is no object. */
const lines: Readonly<Record<string, string>> = {
  'POST /v1/connections/{connectionId}/bulk-sends': JSON.stringify({
    type: 'text',
    to: '4915187654321',
    text: { body: 'hello' },
  }),
  'POST /v1/admin/tenants/{tenantId}/connections/{connectionId}/restored-rows': JSON.stringify({
    kind: 'chat',
    kept: { id: { S: '4915187654321@s.whatsapp.net' } },
  }),
};

describe('the API while its stores do not answer', () => {
  let stack: ApiStack;
  let [store, queues, files]: TcpProxy[] = [];
  let objects: ObjectEmulator;
  let tenant: Awaited<ReturnType<ApiStack['tenant']>>;
  /** A tenant that operators change, which must not be one that others look at. */
  let operated: Awaited<ReturnType<ApiStack['tenant']>>;
  let connectionId: string;
  beforeAll(async () => {
    const proxyOf = async (endpoint = ''): Promise<TcpProxy> => {
      const { hostname, port } = new URL(endpoint);
      return TcpProxy.start({ host: hostname, port: Number(port) });
    };
    stack = await ApiStack.start(async ({ dynamoDbEndpoint, sqsEndpoint }) => {
      objects = await startObjects();
      [store, queues] = [await proxyOf(dynamoDbEndpoint), await proxyOf(sqsEndpoint)];
      files = await proxyOf(objects.endpoint);
      return {
        ...objects.config,
        s3Endpoint: `http://127.0.0.1:${files.port}`,
        storeTimeoutMs: STORE_MS,
        dynamoDbEndpoint: `http://127.0.0.1:${store.port}`,
        sqsEndpoint: `http://127.0.0.1:${queues.port}`,
      };
    });
    tenant = await stack.tenant();
    operated = await stack.tenant();
    connectionId = await stack.connection(tenant, anAccount);
  });
  afterEach(async () => {
    await all('open');
    const answered = (): Promise<Answered> => stack.call('GET', '/v1/connections', { key: tenant.key });
    await until('the API', answered, ({ status }) => status === 200);
  });
  afterAll(async () => {
    await stack.stop();
    await Promise.all([store?.stop(), queues?.stop(), files?.stop(), objects.stop()]);
  });

  const all = async (passage: Passage): Promise<void> => {
    await Promise.all([store?.set(passage), queues?.set(passage), files?.set(passage)]);
  };
  const call = async (method: string, template: string): Promise<Answered & { readonly tookMs: number }> => {
    const path = template
      .replace('{connectionId}', connectionId)
      .replace('{tenantId}', operated.tenantId)
      .replace('{mediaId}', 'med_01ARZ3NDEKTSV4RRFFQ69G5FAV')
      .replace('{exportId}', 'exp_01ARZ3NDEKTSV4RRFFQ69G5FAV')
      .replace('{erasureId}', 'ers_01ARZ3NDEKTSV4RRFFQ69G5FAV')
      .replaceAll(
        /\{(\w)\w+\}/g,
        (_all, letter: string) => `${{ m: 'msg', w: 'end', a: 'act' }[letter] ?? 'x'}_01ARZ3NDEKTSV4RRFFQ69G5FAV`,
      )
      .replace('workers/end_', 'workers/wrk_');
    const key = /admin|detailed/.test(path) ? stack.operatorKey : tenant.key;
    const body = bodies[`${method} ${template}`] ?? (method === 'GET' ? undefined : actionBodyOf(template, method));
    const raw = lines[`${method} ${template}`];
    const asLines = raw === undefined ? {} : { raw, headers: { 'content-type': LINES_TYPE } };
    const startedMs = performance.now();
    const answer = await stack.call(method, path, { key, ...(body === undefined ? {} : { body }), ...asLines });
    return { ...answer, tookMs: performance.now() - startedMs };
  };

  it.each(['silent', 'refused'] as const)(
    'answers every request in time with 503 when they are %s',
    async (passage) => {
      const routes = apiRoutes(stack.dependencies).all.filter(
        ({ method, path }) => !STORELESS.has(`${method} ${path}`),
      );
      await all(passage);

      const wrong: string[] = [];
      for (const { method, path } of routes) {
        const { status, headers, body, tookMs } = await call(method, path);
        const isRight = status === 503 && Number(headers['retry-after']) > 0 && tookMs < ANSWER_MS;
        if (!isRight) wrong.push(`${method} ${path}: ${status} ${String(body['code'])} in ${Math.round(tookMs)} ms`);
      }

      expect(routes.length).toBeGreaterThan(20);
      expect(wrong).toEqual([]);
    },
  );

  it('stops asking after five failures, says when to come again, and works soon after they answer', async () => {
    await all('silent');
    for (let request = 0; request < 6; request += 1) await call('GET', '/v1/connections');

    const refused = await call('GET', '/v1/connections');
    await all('open');
    const again = await until(
      'an answer',
      () => call('GET', '/v1/connections'),
      ({ status }) => status === 200,
    );

    expect([refused.status, refused.body['code'], refused.headers['retry-after']]).toEqual([
      503,
      'store_unavailable',
      expect.stringMatching(/^[12]$/),
    ]);
    expect(again.status).toBe(200);
  });

  it('serves what needs no queue while the queues alone are silent', async () => {
    await queues?.set('silent');

    const sent = await call('POST', '/v1/connections/{connectionId}/messages');
    const listed = await call('GET', '/v1/connections');

    expect([sent.status, sent.body['code'], listed.status]).toEqual([503, 'not_enqueued', 200]);
  });
});
