import makeMiddy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { AppError, errorRules } from '../shared/kernel/appError.ts';
import type { Clock } from '../shared/kernel/clock.ts';
import { makeId, parseCorrelationId, type CorrelationId, type TenantId } from '../shared/kernel/id.ts';
import type { Random } from '../shared/kernel/random.ts';
import type { Logger } from '../shared/platform/logger.ts';
import { authorize, type Authenticate } from './authentication.ts';
import { toAppError, toFieldProblems, toProblem } from './problem.ts';
import { matchRoute, type Answer, type Route } from './route.ts';

/**
 * The stack in front of every route, for Lambda and the embedded stack alike:
 * correlation id → route → authentication → size, type and form of the body → handler → problem for what was thrown → log.
 */
const BODY_LIMIT_BYTES = 256 * 1_024;

export interface HttpDependencies {
  readonly authenticate: Authenticate;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

type Event = APIGatewayProxyEventV2;
type Result = APIGatewayProxyStructuredResultV2;

interface Seen {
  readonly correlationId: CorrelationId;
  readonly startedMs: number;
  route: Route | undefined;
  tenantId: TenantId | undefined;
}

/** Makes the handler of a group of routes. It never rejects: everything becomes an answer. */
export function makeHttpHandler(routes: readonly Route[], dependencies: HttpDependencies) {
  const { clock, random } = dependencies;
  const seenOf = new WeakMap<Event, Seen>();
  const see = (event: Event): Seen => {
    const known = seenOf.get(event);
    if (known !== undefined) return known;
    const given = parseCorrelationId(headerOf(event, 'x-correlation-id'));
    const correlationId = given ?? makeId('cor', clock.nowMs(), random);
    const seen: Seen = { correlationId, startedMs: clock.monotonicMs(), route: undefined, tenantId: undefined };
    seenOf.set(event, seen);
    return seen;
  };

  return makeMiddy<Event, Result>()
    .use({
      before: ({ event }) => {
        see(event);
      },
      after: (request) => {
        finish(dependencies, see(request.event), request.response);
      },
      onError: (request) => {
        const seen = see(request.event);
        const error = toAppError(request.error);
        if (error.code === 'internal_error' || errorRules[error.code].httpStatus === 503) {
          const { correlationId } = seen;
          dependencies.logger.error('request failed', { correlationId, code: error.code, error: error.cause ?? error });
        }
        request.response = toResult(toProblem(error, seen.correlationId), seen.correlationId);
        finish(dependencies, seen, request.response);
      },
    })
    .handler(async (event: Event) => {
      const seen = see(event);
      return toResult(await answer(routes, dependencies, event, seen), seen.correlationId);
    });
}

async function answer(
  routes: readonly Route[],
  dependencies: HttpDependencies,
  event: Event,
  seen: Seen,
): Promise<Answer> {
  const match = matchRoute(routes, event.requestContext.http.method, event.rawPath);
  if (match.outcome === 'no_such_path') throw new AppError('route_not_found');
  if (match.outcome === 'no_such_method') throw new AppError('method_not_allowed');
  const { route, parameters } = match;
  seen.route = route;
  if (route.access !== 'public') {
    const principal = await dependencies.authenticate(headerOf(event, 'authorization'));
    seen.tenantId = authorize(principal, route.access);
  }
  return route.handle({
    // Routes for tenants have one; the others do not ask.
    tenantId: seen.tenantId as TenantId,
    parameters,
    body: route.body === undefined ? undefined : check(route.body, readBody(event), 'body'),
    query: route.query === undefined ? undefined : check(route.query, event.queryStringParameters ?? {}, 'query'),
    headers: Object.fromEntries(Object.entries(event.headers).map(([name, value]) => [name.toLowerCase(), value])),
    correlationId: seen.correlationId,
  });
}

function readBody(event: Event): unknown {
  const text = event.isBase64Encoded ? Buffer.from(event.body ?? '', 'base64').toString() : (event.body ?? '');
  if (Buffer.byteLength(text) > BODY_LIMIT_BYTES) throw new AppError('payload_too_large');
  const contentType = headerOf(event, 'content-type') ?? '';
  if (!/^application\/(json|[a-z.+-]+\+json)\s*(;|$)/i.test(contentType)) throw new AppError('unsupported_media_type');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError('invalid_json', { cause });
  }
}

function check(schema: NonNullable<Route['body']>, value: unknown, part: 'body' | 'query'): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fields = toFieldProblems(result.error);
  throw new AppError('invalid_request', {
    fields: part === 'body' ? fields : fields.map(({ field, problem }) => ({ field: `?${field}`, problem })),
  });
}

function toResult(result: Answer, correlationId: CorrelationId): Result {
  const headers = { 'x-correlation-id': correlationId, 'cache-control': 'no-store', ...result.headers };
  if (result.bytes !== undefined) {
    const { contentType, content } = result.bytes;
    const isText = contentType.includes('json');
    return {
      statusCode: result.status,
      headers: { ...headers, 'content-type': contentType },
      body: Buffer.from(content).toString(isText ? 'utf8' : 'base64'),
      isBase64Encoded: !isText,
    };
  }
  if (result.json === undefined) return { statusCode: result.status, headers };
  return {
    statusCode: result.status,
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(result.json),
  };
}

/** One line per request: the route as a template, never the path, the query or the body. */
function finish({ logger, clock }: HttpDependencies, seen: Seen, response: Result | null | undefined): void {
  logger.info('request answered', {
    method: seen.route?.method,
    route: seen.route?.path,
    httpStatus: response?.statusCode,
    durationMs: Math.round(clock.monotonicMs() - seen.startedMs),
    correlationId: seen.correlationId,
    tenantId: seen.tenantId,
  });
}

/** API Gateway gives names in lower case; other callers may not. */
function headerOf(event: Event, name: string): string | undefined {
  const entry = Object.entries(event.headers).find(([key]) => key.toLowerCase() === name);
  return entry?.[1];
}
