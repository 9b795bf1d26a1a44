import { describe, expect, it } from 'vitest';
import { apiRoutes, type ApiDependencies } from '../../../functions/api/handler.ts';
import { idsOf, shownFields } from '../../../functions/http/auditFields.ts';
import { auditRuleOf, namedRoutes, pathBefore } from '../../../functions/http/auditRule.ts';

const { all } = apiRoutes({} as ApiDependencies);
const nameOf = ({ method, path }: { readonly method: string; readonly path: string }): string => `${method} ${path}`;
const SECRET = /^(?:secret|headers|metadata|ticket|text|content|body|account|phoneNumber)$/i;

describe('what is audited', () => {
  it('is every request that changes something, but for those that are named', () => {
    const unaudited = all
      .filter((route) => route.method !== 'GET' && auditRuleOf(route) === undefined)
      .map(nameOf)
      .sort();

    expect(unaudited).toEqual([
      'POST /v1/connections/{connectionId}/channel-invites/preview',
      'POST /v1/connections/{connectionId}/chats/{chat}/read',
      'POST /v1/connections/{connectionId}/chats/{chat}/typing',
      'POST /v1/connections/{connectionId}/contacts/check',
      'POST /v1/connections/{connectionId}/group-invites/preview',
      'POST /v1/connections/{connectionId}/messages',
      'POST /v1/connections/{connectionId}/messages/{messageId}/played',
      'POST /v1/connections/{connectionId}/messages/{messageId}/read',
      'POST /v1/events/stream-tickets',
      'POST /v1/media',
      'POST /v1/media/{mediaId}/complete',
      'POST /v1/media/{mediaId}/fetch',
      // No key makes it: the link by which it comes was made with one, and that is audited.
      'POST /v1/pairing-session',
      'POST /v1/pairing-session/passkey',
    ]);
  });

  it('is named for routes that exist', () => {
    const known = new Set(all.map(nameOf));

    expect(namedRoutes.filter((name) => !known.has(name))).toEqual([]);
  });

  it('has a record as it was only where some path shows one', () => {
    const paths = new Set(all.filter(({ method }) => method === 'GET').map(({ path }) => path));
    const wrong = all.filter((route) => {
      const { before = 'none' } = auditRuleOf(route) ?? {};
      return before !== 'none' && !paths.has(pathBefore(route.path, before));
    });

    expect(wrong.map(nameOf)).toEqual([]);
  });

  it('shows no field that holds a secret or content', () => {
    const shown = all.flatMap((route) => (auditRuleOf(route)?.shows ?? []).map((field) => `${nameOf(route)} ${field}`));

    expect(shown.filter((place) => SECRET.test(place.split(' ')[2] ?? ''))).toEqual([]);
    expect(shown.length).toBeGreaterThan(20);
  });

  it('is a change of a route that nobody thought of, by its ids alone', () => {
    const rule = auditRuleOf({ method: 'DELETE', path: '/v1/things/{thingId}', access: 'tenant' });

    expect(rule).toEqual({ shows: [], before: 'none' });
    expect(auditRuleOf({ method: 'GET', path: '/v1/things/{thingId}', access: 'tenant' })).toBeUndefined();
  });
});

describe('what an entry shows', () => {
  it.each<[string, unknown, readonly string[], unknown]>([
    ['of fields those that are allowed', { label: 'till', secret: 's' }, ['label'], { label: 'till' }],
    ['nothing of what is no record', 'hello', ['label'], undefined],
    ['nothing where none of the fields is there', { metadata: { a: 'b' } }, ['label'], undefined],
    ['of an address its host', { url: 'https://user:pass@shop.example/T0K3N?key=s' }, ['url'], { url: 'shop.example' }],
    ['of what is no address nothing', { url: 'hello' }, ['url'], { url: '(no address)' }],
    ['of a long field its length', { ids: ['x'.repeat(5_000)] }, ['ids'], { ids: '(5004 characters)' }],
    ['what was taken away', { label: null }, ['label'], { label: null }],
  ])('%s', (_, from, names, expected) => {
    expect(shownFields(from, names)).toEqual(expected);
  });

  it('has the ids in the path that are ours, and nothing of what is none', () => {
    const given = { connectionId: 'con_01K3C5F7XQ4T6V8X0Z2B4D6F8H', contact: '4915100000001', callId: 'C1' };
    const wrong = ['t'.repeat(200), '\ud83d', '../..', `con_${'A'.repeat(65)}`, ''];

    expect(idsOf(given)).toEqual({ connectionId: given.connectionId });
    expect(wrong.map((tenantId) => idsOf({ tenantId }))).toEqual(wrong.map(() => ({ tenantId: '(no id)' })));
    expect(idsOf({ group: '12036@g.us' })).toBeUndefined();
  });
});
