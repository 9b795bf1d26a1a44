import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiOverride,
  type ZodOpenApiResponseObject,
} from 'zod-openapi';
import { z } from 'zod';
import { errorRules, type ErrorCode } from '../../shared/kernel/errorRules.ts';
import { problemSchema, titleOf } from './problem.ts';
import { problemsOf } from './problemsOf.ts';
import { LINES_TYPE } from './readLines.ts';
import { collectionsOf, operationIdOf } from './operationIds.ts';
import { parameterOf } from './pathParameters.ts';
import type { Route } from './route.ts';
import { webhookOperations } from './openapiWebhooks.ts';
import { operatorRoleOf } from './operatorRole.ts';
import { scopeOf } from './routeScope.ts';

/** The OpenAPI document of the routes, made from the same schemas that check requests. */
export function makeOpenApi(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  const collections = collectionsOf(routes);
  const toProblems = makeProblemResponses();
  for (const route of routes) {
    const operationId = operationIdOf(route, collections);
    (paths[route.path] ??= {})[route.method.toLowerCase()] = { operationId, ...toOperation(route, toProblems) };
  }
  const document = createDocument(
    {
      openapi: '3.1.1',
      info: {
        title: 'Holdfast',
        version: '1',
        description: 'WhatsApp connections as a service. Errors are RFC 9457 problems with a stable code.',
      },
      components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'An API key.' } } },
      tags: tagsOf(routes).map((name) => ({ name })),
      paths,
      webhooks: webhookOperations(),
    },
    { override: keepExamples },
  );
  return withoutNoise(document) as object;
}

/**
 * Zod leaves the examples of a request out where any part of it is changed as it is read, such as a time: it takes them for
 * examples of what comes of it. All of ours are of what a caller writes.
 */
const keepExamples: ZodOpenApiOverride = ({ jsonSchema, zodSchema, io }) => {
  const examples = z.globalRegistry.get(zodSchema)?.examples;
  if (io === 'input' && Array.isArray(examples)) jsonSchema.examples = examples;
};

/** The largest whole numbers that are exact: zod writes them as the range of every whole number. */
const WHOLE_NUMBERS: ReadonlySet<unknown> = new Set([Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]);

/**
 * The document without parts that tell a reader nothing: the pattern of a date or time, and the range of all whole
 * numbers.
 */
function withoutNoise(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(withoutNoise);
  if (typeof part !== 'object' || part === null) return part;
  const { format } = part as { readonly format?: unknown };
  const kept = Object.entries(part).filter(
    ([name, value]) =>
      !(name === 'pattern' && (format === 'date-time' || format === 'date')) &&
      !((name === 'minimum' || name === 'maximum') && WHOLE_NUMBERS.has(value)),
  );
  return Object.fromEntries(kept.map(([name, value]) => [name, withoutNoise(value)]));
}

/** The body of a request: a document of lines is described by its lines. */
function contentOf(body: z.ZodType, form: Route['bodyForm']) {
  return form === 'lines'
    ? { [LINES_TYPE]: { schema: (body as z.ZodArray<z.ZodType>).element } }
    : { 'application/json': { schema: body } };
}

/** What a route is listed under: what it is about, which is also the first half of its scope. */
function tagOf(route: Route): string {
  return scopeOf(route)?.split(':')[0] ?? (route.access === 'operator' ? 'operators' : 'service');
}

function tagsOf(routes: readonly Route[]): readonly string[] {
  return [...new Set(routes.map(tagOf))].sort();
}

function toOperation(route: Route, toProblems: ReturnType<typeof makeProblemResponses>): ZodOpenApiOperationObject {
  const { status, schema, picture, stream, otherwise, example } = route.answers;
  const parameters = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => [name, parameterOf(name)] as const);
  const headers = route.headers.map((name) => [name, z.string().optional()] as const);
  return {
    tags: [tagOf(route)],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    ...(route.access === 'public'
      ? {}
      : { security: [{ apiKey: [scopeOf(route) ?? operatorRoleOf(route) ?? []].flat() }] }),
    requestParams: {
      ...(parameters.length === 0 ? {} : { path: z.object(Object.fromEntries(parameters)) }),
      ...(route.query === undefined ? {} : { query: route.query }),
      ...(headers.length === 0 ? {} : { header: z.object(Object.fromEntries(headers)) }),
    },
    ...(route.body === undefined
      ? {}
      : { requestBody: { required: !route.isBodyOptional, content: contentOf(route.body, route.bodyForm) } }),
    responses: {
      [`${status}`]: {
        description: 'Done.',
        ...(stream === undefined ? {} : { content: { 'text/event-stream': { schema: { type: 'string' } as const } } }),
        ...(schema === undefined && picture === undefined
          ? {}
          : {
              content: {
                ...(schema === undefined
                  ? {}
                  : { 'application/json': { schema, ...(example === undefined ? {} : { example }) } }),
                ...(picture === undefined
                  ? {}
                  : { [picture]: { schema: { type: 'string', format: 'binary' } as const } }),
              },
            }),
      },
      ...(otherwise === undefined || schema === undefined
        ? {}
        : {
            [`${otherwise.status}`]: {
              description: otherwise.description,
              content: { 'application/json': { schema } },
            },
          }),
      ...toProblems(problemsOf(route)),
      default: { description: 'A problem.', content: { 'application/problem+json': { schema: problemSchema } } },
    },
  };
}

/**
 * Makes what writes the problems of a route by their status, each with its code, and its title for a reader. Many routes share a response, which
 * the document has once: so it is a quarter smaller.
 */
function makeProblemResponses(): (codes: readonly ErrorCode[]) => Readonly<Record<string, ZodOpenApiResponseObject>> {
  const made = new Map<string, ZodOpenApiResponseObject>();
  return (codes) => {
    const byStatus = Object.groupBy(codes, (code) => errorRules[code].httpStatus);
    return Object.fromEntries(
      Object.entries(byStatus).map(([status, some]) => {
        const listed = some.toSorted();
        const id = [`Problem${status}`, ...listed].join('.');
        const response = made.get(id) ?? toProblemResponse(id, listed);
        made.set(id, response);
        return [status, response];
      }),
    );
  };
}

function toProblemResponse(id: string, codes: readonly ErrorCode[]): ZodOpenApiResponseObject {
  return {
    id,
    description: codes.map((code) => `\`${code}\`: ${titleOf(errorRules[code].sentence)}.`).join(' '),
    content: {
      'application/problem+json': {
        schema: {
          allOf: [
            { $ref: '#/components/schemas/Problem' },
            { type: 'object' as const, properties: { code: { type: 'string' as const, enum: [...codes] } } },
          ],
        },
      },
    },
  };
}
