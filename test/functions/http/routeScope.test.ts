import { describe, expect, it } from 'vitest';
import { apiRoutes, type ApiDependencies } from '../../../functions/api/handler.ts';
import { scopeOf } from '../../../functions/http/routeScope.ts';
import { scopes } from '../../../shared/identity/keyLimits.ts';

// Routes are rows: nothing of what they need is used before one is called.
const { all } = apiRoutes({} as ApiDependencies);
const findRoute = (method: string, path: string) => all.find((route) => route.method === method && route.path === path);

describe('the scope of a route', () => {
  it('is there for every route of tenants, and for no other', () => {
    const wrong = all.filter((route) => (scopeOf(route) !== undefined) !== (route.access === 'tenant'));

    expect(wrong.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
  });

  it('is one that a key can have, and each that a key can have opens something', () => {
    const needed = new Set(all.flatMap((route) => scopeOf(route) ?? []));

    expect([...needed].sort()).toEqual([...scopes]);
  });

  it.each([
    ['GET', '/v1/connections', 'connections:read'],
    ['DELETE', '/v1/connections/{connectionId}', 'connections:write'],
    ['GET', '/v1/connections/{connectionId}/history', 'connections:read'],
    ['POST', '/v1/connections/{connectionId}/pairing', 'connections:write'],
    ['POST', '/v1/connections/{connectionId}/pairing/passkey', 'connections:write'],
    ['POST', '/v1/connections/{connectionId}/pairing-links', 'connections:write'],
    ['GET', '/v1/pairing-session', undefined],
    ['POST', '/v1/connections/{connectionId}/messages', 'messages:write'],
    ['GET', '/v1/connections/{connectionId}/bulk-sends/{bulkSendId}/messages', 'messages:read'],
    ['POST', '/v1/connections/{connectionId}/communities/{community}/groups/{group}/link', 'groups:write'],
    ['GET', '/v1/actions/{actionId}', 'actions:read'],
    ['GET', '/v1/connections/{connectionId}/actions', 'actions:read'],
    ['POST', '/v1/media', 'media:write'],
    ['PATCH', '/v1/tenant', 'tenant:write'],
    ['POST', '/v1/events/stream-tickets', 'events:read'],
    ['POST', '/v1/admin/tenants', undefined],
    ['GET', '/v1/openapi.json', undefined],
  ] as const)('%s %s: %s', (method, path, scope) => {
    expect(findRoute(method, path)).toBeDefined();
    expect(scopeOf({ method, path, access: findRoute(method, path)?.access ?? 'public' })).toBe(scope);
  });
});
