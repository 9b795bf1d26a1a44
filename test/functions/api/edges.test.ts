import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { apiRoutes } from '../../../functions/api/handler.ts';
import type { Route } from '../../../functions/http/route.ts';
import { errorRules } from '../../../shared/kernel/errorRules.ts';
import { putPairingOffer } from '../../../shared/connection/pairingOffer.ts';
import { anAccount, ApiStack, type Answered } from './apiStack.ts';
import { textsIn } from './textsIn.ts';

const message = { to: '+49 151 00000002', type: 'text', text: { body: 'hello 😀' } };
/** What no store or reader of JSON takes, by what it is. */
const UNUSABLE = {
  'half an emoji': 'a\uD83D',
  'the other half': '\uDE00b',
  NUL: 'a\0b',
  'no character': 'a\uFFFF',
  'no character, either': '\uFFFE',
  'no character of a higher plane': '\u{1FFFE}',
} as const;
const NAMES_OF_OBJECTS = Object.getOwnPropertyNames(Object.prototype);
/** Words of the libraries that check requests: a caller should read ours. */
const LIBRARY_WORDS = /Invalid (input|option|ISO|URL)|expected|received undefined|Unrecognized|Too (big|small)/i;
const problemsOf = ({ body }: Answered): Readonly<Record<string, string>> =>
  Object.fromEntries(
    ((body['fields'] ?? []) as { field: string; problem: string }[]).map(({ field, problem }) => [field, problem]),
  );

const withValue = (path: readonly string[], value: unknown): unknown =>
  path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);

describe('the edges of the API', () => {
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

  const keyFor = ({ access }: Route): string => (access === 'operator' ? stack.operatorKey : tenant.key);
  const pathOf = ({ path }: Route): string =>
    path
      .replace('{connectionId}', paired)
      .replace('{tenantId}', tenant.tenantId)
      .replaceAll(/\{\w+\}/g, 'none');

  describe('text that cannot be stored', () => {
    it('is refused in every text of every body, with the field named', async () => {
      const routes = apiRoutes(stack.dependencies).all.filter(({ body }) => body !== undefined);
      let tried = 0;
      for (const route of routes) {
        const schema = z.toJSONSchema(route.body ?? z.never(), { io: 'input', unrepresentable: 'any' });
        for (const path of textsIn(schema)) {
          for (const [what, text] of Object.entries(UNUSABLE)) {
            const body = withValue(path, text);
            const answer = await stack.call(route.method, pathOf(route), { key: keyFor(route), body });

            const where = `${what} in ${path.join('.')} of ${route.method} ${route.path}`;
            expect([where, answer.status, answer.body['code']]).toEqual([where, 400, 'invalid_request']);
            expect(Object.keys(problemsOf(answer))).toEqual([path.join('.')]);
            tried += 1;
          }
        }
      }
      expect(tried).toBeGreaterThan(60);
    });

    it('is refused in the query and in names of fields', async () => {
      const inQuery = await stack.call('GET', '/v1/events?after=%00', { key: tenant.key });
      const inName = await stack.call('PATCH', `/v1/connections/${paired}`, {
        key: tenant.key,
        body: { metadata: { 'a\uD83D': 'x' } },
      });

      expect([inQuery.status, Object.keys(problemsOf(inQuery))]).toEqual([400, ['?after']]);
      expect([inName.status, Object.values(problemsOf(inName))[0]]).toEqual([
        400,
        expect.stringContaining('half a character') as string,
      ]);
    });

    it('leaves emoji and every other character alone', async () => {
      const label = 'Ünïcödé 👩‍👩‍👧‍👦 नमस्ते \u200F\t';

      const created = await stack.call('POST', '/v1/connections', {
        key: tenant.key,
        body: { label, metadata: { note: label } },
      });

      expect([created.status, created.body['label'], created.body['metadata']]).toEqual([201, label, { note: label }]);
    });

    it('is refused where the bytes are no UTF-8, rather than changed', async () => {
      const bytes = Buffer.concat([Buffer.from('{"label":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]);

      const answer = await stack.call('POST', '/v1/connections', { key: tenant.key, bytes });

      expect([answer.status, answer.body['code']]).toEqual([400, 'invalid_json']);
    });
  });

  it.each(['__proto__', 'constructor', 'prototype'])('the name %s is refused wherever it stands', async (name) => {
    const raw = [`{"metadata":{"${name}":"p"}}`, `{"${name}":{"label":"p"}}`, `{"settings":{"filters":{"${name}":1}}}`];

    for (const body of raw) {
      const answer = await stack.call('PATCH', `/v1/connections/${paired}`, { key: tenant.key, raw: body });

      expect(answer.status).toBe(400);
      expect(Object.keys(problemsOf(answer))[0]).toContain(name);
    }
  });

  it.each(NAMES_OF_OBJECTS)('metadata with a name that objects have is refused, or kept as it is: %s', async (name) => {
    const raw = JSON.stringify({ metadata: Object.fromEntries([[name, 'p']]) });

    const answer = await stack.call('POST', '/v1/connections', { key: tenant.key, raw });
    const id = String(answer.body['id']);
    const again = await stack.call('PATCH', `/v1/connections/${id}`, { key: tenant.key, raw });

    const kept = answer.status === 201 && again.status === 200;
    expect(kept || answer.status === 400).toBe(true);
    expect(kept ? again.body['metadata'] : { [name]: 'p' }).toEqual({ [name]: 'p' });
  });

  it('a body of thousands of wrong fields gets a short answer', async () => {
    const names = Array.from({ length: 10_000 }, (_, index) => [`field-${index}`, index] as const);

    for (const body of [Object.fromEntries(names), { metadata: Object.fromEntries(names) }]) {
      const answer = await stack.call('POST', '/v1/connections', { key: tenant.key, body });

      expect(answer.status).toBe(400);
      expect(answer.bytes.length).toBeLessThan(5_000);
    }
  });

  it('a body that is nested without end is refused', async () => {
    const raw = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;

    const answer = await stack.call('POST', '/v1/connections', { key: tenant.key, raw: `{"metadata":${raw}}` });

    expect(answer.status).toBe(400);
  });

  it('whatever is sent, no answer is a 500 or repeats what was sent at length', async () => {
    const name = fc.oneof(
      fc.constantFrom(...NAMES_OF_OBJECTS, 'prototype', 'label', 'metadata', 'settings'),
      fc.string({ unit: 'binary' }),
    );
    const value = fc.letrec((tie) => ({
      any: fc.oneof({ maxDepth: 4 }, fc.string({ unit: 'binary' }), fc.double(), fc.constant(null), tie('object')),
      object: fc
        .array(fc.tuple(name, tie('any')), { maxLength: 4 })
        .map((entries) => Object.fromEntries(entries) as unknown),
    })).any;

    await fc.assert(
      fc.asyncProperty(
        value,
        fc.constantFrom('POST /v1/connections', `PATCH /v1/connections/${paired}`),
        async (body, target) => {
          const [method = '', path = ''] = target.split(' ');
          const answer = await stack.call(method, path, { key: tenant.key, body });

          expect(answer.status).toBeLessThan(500);
          expect(answer.bytes.length).toBeLessThan(20_000);
        },
      ),
      { numRuns: 100 },
    );
  });

  it.each([
    ['a field that is missing', { to: '+4915100000002', type: 'text' }, { text: 'is missing' }],
    [
      'a text that is too long',
      { ...message, text: { body: 'x'.repeat(4_097) } },
      { 'text.body': 'at most 4096 characters' },
    ],
    ['a text that is empty', { ...message, text: { body: '' } }, { 'text.body': 'must not be empty' }],
    [
      'a kind that is not offered yet',
      { ...message, type: 'hologram' },
      { type: expect.stringMatching(/^only ([a-z_]+, )*text(, [a-z_]+)* so far$/) },
    ],
    ['no kind at all', { to: message.to, text: message.text }, { type: 'is missing' }],
    ['a number for a text', { ...message, to: 5 }, { to: 'must be a text' }],
    ['an unknown field', { ...message, colour: 'red' }, { colour: 'There is no such field.' }],
  ])('says in plain words what is wrong with %s', async (_what, body, problems) => {
    const answer = await stack.call('POST', `/v1/connections/${paired}/messages`, { key: tenant.key, body });

    expect(problemsOf(answer)).toEqual(problems);
  });

  it('never speaks the language of its libraries', async () => {
    const routes = apiRoutes(stack.dependencies).all.filter(({ body }) => body !== undefined);
    const bodies = [
      {},
      [],
      'text',
      7,
      null,
      { method: 'sms' },
      { type: 5, text: 7, to: {} },
      { url: 7, events: ['x'] },
    ];
    for (const route of routes) {
      for (const body of bodies) {
        const answer = await stack.call(route.method, pathOf(route), { key: keyFor(route), body });

        expect(answer.bytes.toString()).not.toMatch(LIBRARY_WORDS);
      }
    }
  });

  it.each<[string, object, string, string]>([
    [
      'a time without an offset',
      { type: 'event', event: { name: 'Fair', starts_at: '2027-01-01' } },
      'event.starts_at',
      'must be a time in ISO 8601 with its offset, like 2026-12-24T18:00:00Z',
    ],
    [
      'an address that is none',
      { type: 'text', text: { body: 'see nowhere', preview: { url: 'nowhere', title: 'x' } } },
      'text.preview.url',
      'must be an address on the internet, like https://example.com/page',
    ],
    [
      'a list that is too long',
      { type: 'poll', poll: { name: 'Which?', options: Array.from({ length: 13 }, (_, index) => `${index}`) } },
      'poll.options',
      'at most 12 entries',
    ],
  ])('says what a field must be: %s', async (_what, content, field, problem) => {
    const answer = await stack.call('POST', `/v1/connections/${paired}/messages`, {
      key: tenant.key,
      body: { to: '+4915123456789', ...content },
    });

    expect([answer.status, problemsOf(answer)]).toEqual([400, { [field]: problem }]);
  });

  it.each([
    ['', 'at least 1 entry; there are 0'],
    ['{}\n'.repeat(10_001), 'at most 10000 entries; there are 10001'],
  ])('says how many lines there may be', async (raw, problem) => {
    const answer = await stack.call('POST', `/v1/connections/${paired}/bulk-sends`, {
      key: tenant.key,
      raw,
      headers: { 'content-type': 'application/x-ndjson' },
    });

    expect([answer.status, problemsOf(answer)]).toEqual([400, { lines: problem }]);
  });

  it.each([
    ['+4915123456789@s.whatsapp.net'],
    ['\u0001@lid'],
    ['{}@g.us'],
    ['4242@broadcast'],
    ['4915123456789:3@s.whatsapp.net'],
    ['news@newsletter'],
  ])('refuses the recipient %j with the field named', async (to) => {
    const answer = await stack.call('POST', `/v1/connections/${paired}/messages`, {
      key: tenant.key,
      body: { ...message, to },
    });

    expect([answer.status, Object.keys(problemsOf(answer))]).toEqual([400, ['to']]);
  });

  it('a problem has a type of its own, a title for people and what to do', async () => {
    const answer = await stack.call('GET', '/v1/connections/none', { key: tenant.key });

    expect(answer.body).toMatchObject({
      type: '/problems/connection_not_found',
      title: 'There is no such connection',
      detail: 'There is no such connection. List yours with GET /v1/connections.',
    });
    const titles = Object.values(errorRules).map(({ sentence }) => sentence.split('. ')[0]);
    expect(titles.filter((title) => (title?.length ?? 0) > 120)).toEqual([]);
  });

  it('says which role a route asks for', async () => {
    const asTenant = await stack.call('GET', '/v1/admin/fleet', { key: tenant.key });
    const asOperator = await stack.call('GET', '/v1/connections', { key: stack.operatorKey });

    expect([asTenant.status, asTenant.body['detail']]).toEqual([
      403,
      expect.stringContaining('key of an operator') as string,
    ]);
    expect([asOperator.status, asOperator.body['detail']]).toEqual([
      403,
      expect.stringContaining('key of a tenant') as string,
    ]);
  });

  it('says how to go on with a connection that is paired already', async () => {
    const answer = await stack.call('POST', `/v1/connections/${paired}/pairing`, {
      key: tenant.key,
      body: { method: 'qr' },
    });

    expect(String(answer.body['detail'])).toContain('/logout');
  });

  it('shows the code and the number of a pairing as a phone does', async () => {
    const offer = {
      method: 'code',
      code: 'ABCD1234',
      phoneNumber: '4915100000001',
      expiresAtMs: Date.now() + 20_000,
    } as const;
    await putPairingOffer(stack.dependencies, { connectionId: unpaired as never, token: 1 }, offer);

    const answer = await stack.call('GET', `/v1/connections/${unpaired}/pairing`, { key: tenant.key });

    expect(answer.body).toMatchObject({ method: 'code', code: 'ABCD-1234', phoneNumber: '+4915100000001' });
  });

  it('names the methods that a route answers to', async () => {
    const answer = await stack.call('PUT', '/v1/connections', { key: tenant.key, body: {} });

    expect([answer.status, answer.headers['allow']]).toEqual([405, 'POST, GET, HEAD']);
  });

  it('says how to authenticate', async () => {
    const answer = await stack.call('GET', '/v1/connections');

    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Bearer realm="holdfast"']);
  });

  it.each(['/v1/connections', '/health', '/v1/connections/none', '/v1/nothing'])(
    'answers HEAD as GET without a body: %s',
    async (path) => {
      const get = await stack.call('GET', path, { key: tenant.key });
      const head = await stack.call('HEAD', path, { key: tenant.key });

      expect(head.status).toBe(get.status);
      expect(head.bytes.length).toBe(0);
      expect(Object.keys(head.headers).sort()).toEqual(Object.keys(get.headers).sort());
    },
  );

  it('tells browsers, with every answer, not to guess at it, show it in a frame or keep it', async () => {
    const answers = [
      await stack.call('GET', '/v1/connections', { key: tenant.key }),
      await stack.call('GET', '/v1/connections'),
      await stack.call('GET', '/v1/nothing'),
      await stack.call('PUT', '/v1/connections'),
    ];

    for (const { headers } of answers) {
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
        'content-security-policy': expect.stringContaining("frame-ancestors 'none'") as string,
        'referrer-policy': 'no-referrer',
        'strict-transport-security': expect.stringContaining('max-age') as string,
      });
    }
  });
});
