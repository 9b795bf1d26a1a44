import { describe, expect, it } from 'vitest';
import { apiRoutes, type ApiDependencies } from '../../../functions/api/handler.ts';
import { makeRouter } from '../../../functions/http/route.ts';
import { errorRules } from '../../../shared/kernel/errorRules.ts';
import type { CorrelationId } from '../../../shared/kernel/id.ts';
import type { AppError } from '../../../shared/kernel/appError.ts';

describe('the catalogue of problems', () => {
  const find = makeRouter(apiRoutes({} as ApiDependencies).served);
  const read = async (path: string): Promise<unknown> => {
    const match = find('GET', path);
    if (match.outcome !== 'found') return match.outcome;
    const request = { parameters: match.parameters, body: undefined, query: {}, headers: {} };
    const { json } = await match.route.handle({
      ...request,
      correlationId: 'cor_1' as CorrelationId,
    } as Parameters<typeof match.route.handle>[0]);
    return json;
  };

  it('has each code, with what it means and what to do', async () => {
    const { data } = (await read('/problems')) as { readonly data: readonly { readonly code: string }[] };

    expect(data.map(({ code }) => code)).toEqual(Object.keys(errorRules));
    expect(await read('/problems/connection_not_found')).toEqual({
      type: '/problems/connection_not_found',
      code: 'connection_not_found',
      status: 404,
      title: 'There is no such connection',
      detail: 'There is no such connection. List yours with GET /v1/connections.',
      again: 'never',
    });
  });

  it.each(['nothing', 'constructor', '__proto__', 'a%2Fb'])('has no page for %s', async (code) => {
    await expect(async () => read(`/problems/${code}`)).rejects.toMatchObject({
      code: 'route_not_found' satisfies AppError['code'],
    });
  });
});
