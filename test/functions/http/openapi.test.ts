import { beforeAll, describe, expect, it } from 'vitest';
import { apiRoutes, type ApiDependencies } from '../../../functions/api/handler.ts';
import { makeOpenApi } from '../../../functions/http/openapi.ts';
import { operatorRoleOf } from '../../../functions/http/operatorRole.ts';
import { scopeOf } from '../../../functions/http/routeScope.ts';
import { eventTypes } from '../../../shared/event/event.ts';

interface Operation {
  readonly operationId: string;
  readonly tags?: readonly string[];
  readonly security?: readonly { readonly apiKey: readonly string[] }[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly description?: string }[];
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
      expect(security).toEqual(route.access === 'public' ? undefined : [{ apiKey: [scope ?? operatorRoleOf(route)] }]);
    }
  });

  it('gives each request a name of its own, by which generated clients call it', () => {
    const ids = all.map((route) => document.paths[route.path]?.[route.method.toLowerCase()]?.operationId);

    expect(ids.every((id) => /^[a-z]+(?:[A-Z][a-z]*)+$/.test(id ?? ''))).toBe(true);
    expect(new Set(ids).size).toBe(all.length);
  });

  it.each([
    ['GET /v1/connections', 'listConnections'],
    ['GET /v1/connections/{connectionId}/chats/{chat}', 'getChat'],
    ['GET /v1/connections/{connectionId}/labels', 'listLabels'],
    ['POST /v1/connections/{connectionId}/labels', 'createLabel'],
    ['POST /v1/connections/{connectionId}/messages', 'sendMessage'],
    ['POST /v1/connections/{connectionId}/groups/{group}/participants/add', 'addGroupParticipants'],
    ['POST /v1/webhooks/{webhookId}/test', 'testWebhook'],
    ['DELETE /v1/connections/{connectionId}', 'deleteConnection'],
  ])('calls %s %s', (route, id) => {
    const [method = '', path = ''] = route.split(' ');

    expect(document.paths[path]?.[method.toLowerCase()]?.operationId).toBe(id);
  });

  it('says what each part of a path is', () => {
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    const without = operations
      .flatMap(({ parameters = [] }) => parameters)
      .filter((parameter) => parameter.in === 'path' && parameter.description === undefined);

    expect(without).toEqual([]);
  });

  it('says what is posted to webhooks: every type of event, with an example and the headers of each post', () => {
    expect(Object.keys(document.webhooks).sort()).toEqual([...eventTypes].sort());
    expect(document.components.schemas).toHaveProperty('Event');
    for (const [type, { post }] of Object.entries(document.webhooks)) {
      expect(post?.requestBody?.content['application/json'].example.type).toBe(type);
      expect(post?.parameters?.map(({ name }) => name)).toEqual([
        'webhook-id',
        'webhook-timestamp',
        'webhook-signature',
      ]);
    }
  });
});
