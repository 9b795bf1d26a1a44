import { describe, expect, it } from 'vitest';
import { apiRoutes, type ApiDependencies } from '../../../functions/api/handler.ts';
import { makeOpenApi } from '../../../functions/http/openapi.ts';
import { problemsOf } from '../../../functions/http/problemsOf.ts';
import { errorRules, type ErrorCode } from '../../../shared/kernel/errorRules.ts';

interface Document {
  readonly components: { readonly responses: Readonly<Record<string, object>> };
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, object>> }>>>
  >;
}

/** Codes that are answered where no route was found, and those of parts that answer no request. */
const OF_NO_ROUTE: readonly ErrorCode[] = ['method_not_allowed', 'ownership_lost'];

describe('the problems of a route', () => {
  const { all } = apiRoutes({} as ApiDependencies);
  const find = (name: string) => {
    const route = all.find(({ method, path }) => `${method} ${path}` === name);
    if (route === undefined) throw new Error(`there is no ${name}`);
    return problemsOf(route);
  };

  it.each<readonly [what: string, route: string, codes: readonly ErrorCode[]]>([
    ['a key is asked for', 'GET /v1/tenant', ['unauthorized', 'forbidden', 'tenant_suspended', 'too_many_requests']],
    ['it has a body', 'PATCH /v1/tenant', ['invalid_json', 'unsupported_media_type', 'payload_too_large']],
    ['it has pages', 'GET /v1/connections', ['invalid_request', 'invalid_cursor']],
    [
      'it may be repeated under a key',
      'POST /v1/connections/{connectionId}/messages',
      ['idempotency_key_invalid', 'idempotency_conflict'],
    ],
    ['its path names something', 'GET /v1/media/{mediaId}/info', ['media_not_found']],
    ['it names them itself', 'POST /v1/webhooks/{webhookId}/test', ['webhook_test_too_soon']],
  ])('follow where %s', (_what, route, codes) => {
    expect(find(route)).toEqual(expect.arrayContaining([...codes]));
  });

  it('are none that need a key where none is asked for', () => {
    expect(find('GET /health')).toEqual(['internal_error', 'store_unavailable']);
  });

  it('stand in the document under their status, each with its title', () => {
    const document = makeOpenApi(all) as Document;
    for (const route of all) {
      const { responses } = document.paths[route.path]?.[route.method.toLowerCase()] ?? { responses: {} };
      const codes = problemsOf(route);

      for (const code of codes) {
        const { $ref } = responses[errorRules[code].httpStatus] as { readonly $ref: string };
        const shared = document.components.responses[$ref.split('/').at(-1) ?? ''];
        expect(JSON.stringify(shared)).toContain(`\`${code}\`: `);
      }
      const statuses = codes.map((code) => `${errorRules[code].httpStatus}`);
      const problems = Object.keys(responses).filter((status) => status >= '400' && status !== 'default');
      expect(new Set(problems)).toEqual(new Set(statuses));
    }
  });

  it('have every code of the catalogue among them but those of no route', () => {
    const listed = new Set(all.flatMap(problemsOf));
    const missing = (Object.keys(errorRules) as ErrorCode[]).filter((code) => !listed.has(code));

    expect(missing.toSorted()).toEqual(OF_NO_ROUTE.toSorted());
  });

  it('are no code twice, and none that the form of the route gives already', () => {
    for (const route of all) {
      const ofForm = problemsOf({ ...route, problems: [] });

      expect(route.problems.filter((code) => ofForm.includes(code))).toEqual([]);
      expect(new Set(route.problems).size).toBe(route.problems.length);
    }
  });
});
