import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { AppError, errorRules } from '../../shared/kernel/appError.ts';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import { makeId, parseCorrelationId, type CorrelationId, type TenantId } from '../../shared/kernel/id.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { authorize, type Authenticate } from './authentication.ts';
import { checkInput } from './checkInput.ts';
import { toAppError, toProblem } from './problem.ts';
import { makeRouter, type Answer, type Route, type Router } from './route.ts';

/**
 * The stack in front of every route, for Lambda and the embedded stack alike: correlation id → route → authentication →
 * size, type and form of the body → handler → problem for a thrown error → log. HEAD is answered as GET without its
 * body.
 */
const BODY_LIMIT_BYTES = 256 * 1_024;
/** How long before the end of the function's time the caller gets an answer, in milliseconds: afterwards none would come. */
const EARLY_MS = 5;

export interface HttpDependencies extends Pick<Surroundings, 'clock' | 'random' | 'logger'> {
  readonly authenticate: Authenticate;
}

type Event = APIGatewayProxyEventV2;
type Result = APIGatewayProxyStructuredResultV2;

interface Seen {
  readonly correlationId: CorrelationId;
  readonly startedMs: number;
  /** The headers, with names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  route: Route | undefined;
  tenantId: TenantId | undefined;
}

/** What is asked of Lambda's context: how much time there is for the answer. */
type TimeLeft = Pick<Context, 'getRemainingTimeInMillis'>;

/** Makes the handler of a group of routes. It never rejects: every error becomes an answer. */
export function makeHttpHandler(routes: readonly Route[], dependencies: HttpDependencies) {
  const router = makeRouter(routes);
  return async (event: Event, context: TimeLeft): Promise<Result> => {
    const seen = see(dependencies, event);
    const result = await answerInTime(router, dependencies, { event, seen, context });
    finish(dependencies, seen, result.statusCode);
    return isHead(event) ? withoutBody(result) : result;
  };
}

function see({ clock, random }: HttpDependencies, event: Event): Seen {
  const headers = Object.fromEntries(Object.entries(event.headers).map(([name, value]) => [name.toLowerCase(), value]));
  const given = parseCorrelationId(headers['x-correlation-id']);
  const correlationId = given ?? makeId('cor', clock.nowMs(), random);
  return { correlationId, startedMs: clock.monotonicMs(), headers, route: undefined, tenantId: undefined };
}

async function answerInTime(
  router: Router,
  dependencies: HttpDependencies,
  { event, seen, context }: { readonly event: Event; readonly seen: Seen; readonly context: TimeLeft },
): Promise<Result> {
  const { correlationId } = seen;
  try {
    const leftMs = Math.max(1, context.getRemainingTimeInMillis() - EARLY_MS);
    const made = await withDeadline('a request', leftMs, () => answer(router, dependencies, event, seen));
    return toResult(made, correlationId);
  } catch (surprise) {
    const error = toAppError(surprise);
    if (error.code === 'internal_error' || errorRules[error.code].httpStatus === 503) {
      dependencies.logger.error('request failed', { correlationId, code: error.code, error: error.cause ?? error });
    }
    return toResult(toProblem(error, correlationId), correlationId);
  }
}

async function answer(router: Router, dependencies: HttpDependencies, event: Event, seen: Seen): Promise<Answer> {
  const match = router(isHead(event) ? 'GET' : event.requestContext.http.method, event.rawPath);
  if (match.outcome === 'no_such_path') throw new AppError('route_not_found');
  if (match.outcome === 'no_such_method') {
    const problem = toProblem(new AppError('method_not_allowed'), seen.correlationId);
    return { ...problem, headers: { ...problem.headers, allow: match.allowed.join(', ') } };
  }
  const { route, parameters } = match;
  const { headers, correlationId } = seen;
  seen.route = route;
  if (route.access !== 'public') {
    const principal = await dependencies.authenticate(headers['authorization']);
    seen.tenantId = authorize(principal, route.access);
  }
  return route.handle({
    // Routes for tenants have a tenant; other routes do not read it.
    tenantId: seen.tenantId as TenantId,
    parameters,
    body: route.body === undefined ? undefined : checkInput(route.body, readBody(event, headers), 'body'),
    query: route.query === undefined ? undefined : checkInput(route.query, event.queryStringParameters ?? {}, 'query'),
    headers,
    correlationId,
  });
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function readBody(event: Event, headers: Seen['headers']): unknown {
  const bytes = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length > BODY_LIMIT_BYTES) throw new AppError('payload_too_large');
  const contentType = headers['content-type'] ?? '';
  if (!/^application\/(json|[a-z.+-]+\+json)\s*(;|$)/i.test(contentType)) throw new AppError('unsupported_media_type');
  try {
    // Bytes that are not UTF-8 would become other text than the caller wrote.
    return JSON.parse(utf8.decode(bytes));
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
function finish({ logger, clock }: HttpDependencies, seen: Seen, httpStatus: number | undefined): void {
  logger.info('request answered', {
    method: seen.route?.method,
    route: seen.route?.path,
    httpStatus,
    durationMs: Math.round(clock.monotonicMs() - seen.startedMs),
    correlationId: seen.correlationId,
    tenantId: seen.tenantId,
  });
}
