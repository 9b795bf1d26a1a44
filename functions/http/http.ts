import makeMiddy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { AppError, errorRules } from '../../shared/kernel/appError.ts';
import { makeId, parseCorrelationId, type CorrelationId, type TenantId } from '../../shared/kernel/id.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { authorize, type Authenticate } from './authentication.ts';
import { checkInput } from './checkInput.ts';
import { toAppError, toProblem } from './problem.ts';
import { matchRoute, type Answer, type Route } from './route.ts';

/**
 * The stack in front of every route, for Lambda and the embedded stack alike: correlation id → route → authentication →
 * size, type and form of the body → handler → problem for a thrown error → log. HEAD is answered as GET without its
 * body.
 */
const BODY_LIMIT_BYTES = 256 * 1_024;

export interface HttpDependencies extends Pick<Surroundings, 'clock' | 'random' | 'logger'> {
  readonly authenticate: Authenticate;
}

type Event = APIGatewayProxyEventV2;
type Result = APIGatewayProxyStructuredResultV2;

interface Seen {
  readonly correlationId: CorrelationId;
  readonly startedMs: number;
  route: Route | undefined;
  tenantId: TenantId | undefined;
}

/** Makes the handler of a group of routes. It never rejects: every error becomes an answer. */
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
        const response = toResult(toProblem(error, seen.correlationId), seen.correlationId);
        request.response = isHead(request.event) ? withoutBody(response) : response;
        finish(dependencies, seen, request.response);
      },
    })
    .handler(async (event: Event) => {
      const seen = see(event);
      const result = toResult(await answer(routes, dependencies, event, seen), seen.correlationId);
      return isHead(event) ? withoutBody(result) : result;
    });
}

async function answer(
  routes: readonly Route[],
  dependencies: HttpDependencies,
  event: Event,
  seen: Seen,
): Promise<Answer> {
  const match = matchRoute(routes, isHead(event) ? 'GET' : event.requestContext.http.method, event.rawPath);
  if (match.outcome === 'no_such_path') throw new AppError('route_not_found');
  if (match.outcome === 'no_such_method') {
    const problem = toProblem(new AppError('method_not_allowed'), seen.correlationId);
    return { ...problem, headers: { ...problem.headers, allow: match.allowed.join(', ') } };
  }
  const { route, parameters } = match;
  seen.route = route;
  if (route.access !== 'public') {
    const principal = await dependencies.authenticate(headerOf(event, 'authorization'));
    seen.tenantId = authorize(principal, route.access);
  }
  return route.handle({
    // Routes for tenants have a tenant; other routes do not read it.
    tenantId: seen.tenantId as TenantId,
    parameters,
    body: route.body === undefined ? undefined : checkInput(route.body, readBody(event), 'body'),
    query: route.query === undefined ? undefined : checkInput(route.query, event.queryStringParameters ?? {}, 'query'),
    headers: Object.fromEntries(Object.entries(event.headers).map(([name, value]) => [name.toLowerCase(), value])),
    correlationId: seen.correlationId,
  });
}

function readBody(event: Event): unknown {
  const bytes = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length > BODY_LIMIT_BYTES) throw new AppError('payload_too_large');
  const contentType = headerOf(event, 'content-type') ?? '';
  if (!/^application\/(json|[a-z.+-]+\+json)\s*(;|$)/i.test(contentType)) throw new AppError('unsupported_media_type');
  try {
    // Bytes that are not UTF-8 would become other text than the caller wrote.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new AppError('invalid_json', { cause });
  }
}

/**
 * Headers for browsers, should one come here: answers are data, not pages, and no browser may frame them, guess their
 * type or keep them.
 */
const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
} as const;

function toResult(result: Answer, correlationId: CorrelationId): Result {
  const headers = { ...SECURITY_HEADERS, 'x-correlation-id': correlationId, ...result.headers };
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

function isHead(event: Event): boolean {
  return event.requestContext.http.method === 'HEAD';
}

function withoutBody({ body: _left, isBase64Encoded: _encoding, ...result }: Result): Result {
  return result;
}

/** Writes one log line per request: the route as a template, never the path, the query or the body. */
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

/** The value of a header. API Gateway gives names in lower case; other callers may not. */
function headerOf(event: Event, name: string): string | undefined {
  const entry = Object.entries(event.headers).find(([key]) => key.toLowerCase() === name);
  return entry?.[1];
}
