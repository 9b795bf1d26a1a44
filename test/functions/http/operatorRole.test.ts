import { describe, expect, it } from 'vitest';
import { adminRoutes } from '../../../functions/admin/handler.ts';
import { apiRoutes, type ApiDependencies } from '../../../functions/api/handler.ts';
import { namedRoutes, operatorRoleOf } from '../../../functions/http/operatorRole.ts';
import { includesRole, operatorRoles } from '../../../shared/identity/principal.ts';

// Routes are rows: nothing of what they need is used before one is called.
const { all } = apiRoutes({} as ApiDependencies);
const nameOf = ({ method, path }: { readonly method: string; readonly path: string }): string => `${method} ${path}`;

describe('the role that a route of operators needs', () => {
  it('is named for routes that exist, and for operators’ alone', () => {
    const operators = all.filter(({ access }) => access === 'operator').map(nameOf);

    expect(namedRoutes.filter((name) => !operators.includes(name))).toEqual([]);
  });

  it('is admin for a route that nobody thought of, and there is none for a tenant’s', () => {
    expect(operatorRoleOf({ method: 'POST', path: '/v1/admin/new', access: 'operator' })).toBe('admin');
    expect(operatorRoleOf({ method: 'GET', path: '/v1/admin/constructor', access: 'operator' })).toBe('admin');
    expect(operatorRoleOf({ method: 'POST', path: '/v1/connections', access: 'tenant' })).toBeUndefined();
  });

  it('lets nobody who may only look change anything', () => {
    const changing = adminRoutes({} as ApiDependencies).filter(({ method }) => method !== 'GET');

    expect(changing.filter((route) => operatorRoleOf(route) === 'read').map(nameOf)).toEqual([]);
    expect(changing.length).toBeGreaterThan(5);
  });

  it('is included in each greater one, and in no smaller one', () => {
    const included = operatorRoles.map((has) => operatorRoles.filter((needs) => includesRole(has, needs)));

    expect(included).toEqual([['read'], ['read', 'operate'], ['read', 'operate', 'admin']]);
  });
});
