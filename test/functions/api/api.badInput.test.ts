import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiRoutes } from '../../../functions/api/handler.ts';
import { errorRules } from '../../../shared/kernel/errorRules.ts';
import { anAccount, ApiStack, type CallOptions } from './apiStack.ts';

const message = { to: '+49 151 00000002', type: 'text', text: { body: 'hello' } };
const UNKNOWN = 'con_01ARZ3NDEKTSV4RRFFQ69G5FAV';

describe('bad input', () => {
  let stack: ApiStack;
  let tenant: Awaited<ReturnType<ApiStack['tenant']>>;
  let paired = '';
  let unpaired = '';
  beforeAll(async () => {
    stack = await ApiStack.start();
    tenant = await stack.tenant();
    paired = await stack.connection(tenant, anAccount);
    unpaired = await stack.connection(tenant);
  });
  afterAll(() => stack.stop());

  const fill = (path: string): string => path.replace('{paired}', paired).replace('{unpaired}', unpaired);

  it.each<readonly [what: string, method: string, path: string, options: CallOptions, status: number, code: string]>([
    ['an unknown field', 'POST', '/v1/connections', { body: { lable: 'x' } }, 400, 'invalid_request'],
    ['a field of a wrong type', 'POST', '/v1/connections', { body: { label: 7 } }, 400, 'invalid_request'],
    ['a body that is an array', 'POST', '/v1/connections', { body: [] }, 400, 'invalid_request'],
    ['a body that is no JSON', 'POST', '/v1/connections', { raw: '{' }, 400, 'invalid_json'],
    ['no body', 'POST', '/v1/connections', { raw: '' }, 400, 'invalid_json'],
    [
      'a body of another type',
      'POST',
      '/v1/connections',
      { raw: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      'unsupported_media_type',
    ],
    [
      'a body over 256 KB',
      'POST',
      '/v1/connections/{paired}/messages',
      { body: { ...message, text: { body: 'x'.repeat(262_145) } } },
      413,
      'payload_too_large',
    ],
    [
      'a text over the limit',
      'POST',
      '/v1/connections/{paired}/messages',
      { body: { ...message, text: { body: 'x'.repeat(4_097) } } },
      400,
      'invalid_request',
    ],
    [
      'a kind of message that is not offered',
      'POST',
      '/v1/connections/{paired}/messages',
      { body: { ...message, type: 'image' } },
      400,
      'invalid_request',
    ],
    [
      'a recipient that is none',
      'POST',
      '/v1/connections/{paired}/messages',
      { body: { ...message, to: 'my friend' } },
      400,
      'recipient_invalid',
    ],
    [
      'a national phone number',
      'POST',
      '/v1/connections/{paired}/messages',
      { body: { ...message, to: '0151 2345678' } },
      400,
      'recipient_invalid',
    ],
    [
      'an Idempotency-Key with a blank',
      'POST',
      '/v1/connections/{paired}/messages',
      { body: message, headers: { 'idempotency-key': 'a b' } },
      400,
      'idempotency_key_invalid',
    ],
    [
      'an unpaired connection',
      'POST',
      '/v1/connections/{unpaired}/messages',
      { body: message },
      409,
      'connection_not_paired',
    ],
    ['an unknown connection', 'GET', `/v1/connections/${UNKNOWN}`, {}, 404, 'connection_not_found'],
    ['an id that is none', 'GET', '/v1/connections/nonsense', {}, 404, 'connection_not_found'],
    ['a path that cannot be decoded', 'GET', '/v1/connections/%E0%A4%A', {}, 404, 'route_not_found'],
    [
      'an unknown message',
      'GET',
      '/v1/connections/{paired}/messages/msg_01ARZ3NDEKTSV4RRFFQ69G5FAV',
      {},
      404,
      'message_not_found',
    ],
    ['an unknown route', 'GET', '/v1/nothing', {}, 404, 'route_not_found'],
    ['another method', 'PUT', '/v1/connections', { body: {} }, 405, 'method_not_allowed'],
    ['a page size that is none', 'GET', '/v1/connections?limit=lots', {}, 400, 'invalid_request'],
    ['an unknown query parameter', 'GET', '/v1/connections?sort=name', {}, 400, 'invalid_request'],
    ['a cursor that is none', 'GET', '/v1/connections?after=5', {}, 400, 'invalid_cursor'],
    ['an event cursor that is none', 'GET', '/v1/events?after=yesterday', {}, 400, 'invalid_cursor'],
    [
      'a pairing method that is none',
      'POST',
      '/v1/connections/{unpaired}/pairing',
      { body: { method: 'sms' } },
      400,
      'invalid_request',
    ],
    [
      'a pairing code for no number',
      'POST',
      '/v1/connections/{unpaired}/pairing',
      { body: { method: 'code', phoneNumber: '12' } },
      400,
      'invalid_request',
    ],
    [
      'a pairing of a paired connection',
      'POST',
      '/v1/connections/{paired}/pairing',
      { body: { method: 'qr' } },
      409,
      'connection_already_paired',
    ],
    ['a pairing offer that is not out', 'GET', '/v1/connections/{unpaired}/pairing', {}, 404, 'pairing_not_found'],
    [
      'a webhook that is not https',
      'POST',
      '/v1/webhooks',
      { body: { url: 'http://example.com/hook' } },
      422,
      'webhook_url_not_allowed',
    ],
    [
      'a webhook to a private address',
      'POST',
      '/v1/webhooks',
      { body: { url: 'https://10.0.0.7/hook' } },
      422,
      'webhook_url_not_allowed',
    ],
    [
      'a webhook to the metadata address',
      'POST',
      '/v1/webhooks',
      { body: { url: 'https://169.254.169.254/' } },
      422,
      'webhook_url_not_allowed',
    ],
    [
      'a webhook to this machine',
      'POST',
      '/v1/webhooks',
      { body: { url: 'https://127.0.0.1/hook' } },
      422,
      'webhook_url_not_allowed',
    ],
    ['a webhook that is no URL', 'POST', '/v1/webhooks', { body: { url: 'hook' } }, 422, 'webhook_url_not_allowed'],
    ['an unknown webhook', 'DELETE', '/v1/webhooks/end_01ARZ3NDEKTSV4RRFFQ69G5FAV', {}, 404, 'webhook_not_found'],
  ])('%s is a problem with its own code', async (_what, method, path, options, status, code) => {
    const answer = await stack.call(method, fill(path), { key: tenant.key, ...options });

    expect([answer.status, answer.body['code']]).toEqual([status, code]);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(String(answer.body['detail']).length).toBeGreaterThan(20);
    expect(answer.body['correlationId']).toBe(answer.headers['x-correlation-id']);
  });

  it('names the field and what is wrong with it', async () => {
    const body = { to: 5, type: 'text', text: { body: '', colour: 'red' } };

    const answer = await stack.call('POST', `/v1/connections/${paired}/messages`, { key: tenant.key, body });

    const fields = (answer.body['fields'] as { field: string }[]).map(({ field }) => field);
    expect(fields.sort()).toEqual(['text.body', 'text.colour', 'to']);
  });

  it.each<readonly [what: string, key: () => string | undefined, path: string, status: number, code: string]>([
    ['no key', () => undefined, '/v1/connections', 401, 'unauthorized'],
    ['a key that is none', () => 'secret', '/v1/connections', 401, 'unauthorized'],
    [
      'a key in the right form that nobody made',
      () => `hf_tenant_${'A'.repeat(43)}`,
      '/v1/connections',
      401,
      'unauthorized',
    ],
    ["an operator's key on a tenant's route", () => stack.operatorKey, '/v1/connections', 403, 'forbidden'],
  ])('%s is refused', async (_what, key, path, status, code) => {
    const answer = await stack.call('GET', path, { key: key() });

    expect([answer.status, answer.body['code']]).toEqual([status, code]);
  });

  it("refuses a tenant's key on an operator's route", async () => {
    const answer = await stack.call('POST', '/v1/admin/tenants', { key: tenant.key, body: { name: 'Mine' } });

    expect([answer.status, answer.body['code']]).toEqual([403, 'forbidden']);
  });

  it('answers an unknown tenant with its own code', async () => {
    const path = '/v1/admin/tenants/tnt_01ARZ3NDEKTSV4RRFFQ69G5FAV/api-keys';

    const answer = await stack.call('POST', path, { key: stack.operatorKey, body: {} });

    expect([answer.status, answer.body['code']]).toEqual([404, 'tenant_not_found']);
  });

  it('no input gives a 500', async () => {
    const routes = apiRoutes(stack.dependencies).served.filter(({ path }) => path !== '/v1/webhooks');
    const segment = fc.oneof(fc.string(), fc.constant(paired), fc.constant(unpaired), fc.webSegment());
    const request = fc.record({
      route: fc.constantFrom(...routes),
      segment,
      query: fc.webQueryParameters(),
      body: fc.oneof(
        fc.jsonValue(),
        fc.string().map((to) => ({ ...message, to })),
        fc.constant(undefined),
      ),
      headers: fc.dictionary(
        fc.constantFrom('idempotency-key', 'accept', 'content-type', 'x-correlation-id'),
        fc.string(),
      ),
    });

    await fc.assert(
      fc.asyncProperty(request, async ({ route, segment: value, query, body, headers }) => {
        const path = route.path.replaceAll(/\{\w+\}/g, () => value.replaceAll('?', ''));
        const answer = await stack.call(route.method, `${path}?${query}`, { key: tenant.key, body, headers });

        expect(answer.status).toBeLessThan(500);
        const known = answer.status < 400 || Object.keys(errorRules).includes(String(answer.body['code']));
        expect(known).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
