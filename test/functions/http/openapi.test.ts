import { beforeAll, describe, expect, it } from 'vitest';
import { apiRoutes, type ApiDependencies } from '../../../functions/api/handler.ts';
import { makeOpenApi } from '../../../functions/http/openapi.ts';
import { scopeOf } from '../../../functions/http/routeScope.ts';
import { eventTypes } from '../../../shared/event/event.ts';

interface Operation {
  readonly tags?: readonly string[];
  readonly security?: readonly { readonly apiKey: readonly string[] }[];
  readonly parameters: readonly { readonly name: string }[];
  readonly requestBody?: {
    readonly content: { readonly 'application/json': { readonly example: { readonly type: string } } };
  };
}
interface Document {
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly webhooks: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

describe('the document of the API', () => {
  const { all } = apiRoutes({} as ApiDependencies);
  let document: Document;
  beforeAll(() => {
    document = makeOpenApi(all) as Document;
  });

  it('lists each request under one heading, which is the first half of its scope', () => {
    const names = document.tags.map(({ name }) => name);
    for (const route of all) {
      const { tags = [], security } = document.paths[route.path]?.[route.method.toLowerCase()] ?? {};
      const scope = scopeOf(route);

      expect(tags).toEqual([scope?.split(':')[0] ?? (route.access === 'public' ? 'service' : 'operators')]);
      expect(names).toContain(tags[0]);
      expect(security).toEqual(
        route.access === 'public' ? undefined : [{ apiKey: scope === undefined ? [] : [scope] }],
      );
    }
  });

  it('says what is posted to webhooks: every type of event, with an example and the headers of each post', () => {
    expect(Object.keys(document.webhooks).sort()).toEqual([...eventTypes].sort());
    expect(document.components.schemas).toHaveProperty('Event');
    for (const [type, { post }] of Object.entries(document.webhooks)) {
      expect(post?.requestBody?.content['application/json'].example.type).toBe(type);
      expect(post?.parameters.map(({ name }) => name)).toEqual([
        'webhook-id',
        'webhook-timestamp',
        'webhook-signature',
      ]);
    }
  });
});
