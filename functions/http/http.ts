import makeMiddy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { z } from 'zod';
import { AppError } from '../../shared/kernel/appError.ts';
import { errorRules } from '../../shared/kernel/errorRules.ts';
import { fieldOf } from '../../shared/kernel/callerInput.ts';
import {
  makeId,
  parseCorrelationId,
  type ApiKeyId,
  type CorrelationId,
  type TenantId,
} from '../../shared/kernel/id.ts';
import type { Principal } from '../../shared/identity/principal.ts';
import type { RateState } from '../../shared/quota/rateLimiter.ts';
import { answerAudited, type AuditingDependencies } from './auditing.ts';
import { authorize, type Authenticate } from './authentication.ts';
import { checkInput } from './checkInput.ts';
import { operatorRoleOf } from './operatorRole.ts';
import { toAppError, toProblem } from './problem.ts';
import { toRateHeaders } from './rateHeaders.ts';
import { admitRequest, givingBack, RateError, takeFor, type RateDependencies } from './rates.ts';
import { readLines } from './readLines.ts';
import { scopeOf } from './routeScope.ts';
import {
  ACTION_PATH,
  makeRouter,
  type Answer,
  type Route,
  type Router,
  type GiveBack,
  type TakingOfTenant,
} from './route.ts';

/**
 * The stack in front of every route, for Lambda and the embedded stack alike: correlation id → route → authentication → rate →
 * size, type and form of the body → handler → problem for a thrown error → log. HEAD is answered as GET without its
 * body.
 */
const BODY_LIMIT_BYTES = 256 * 1_024;
/** The most parameters that an answer names as given twice. */
const MOST_PROBLEMS = 20;
export interface HttpDependencies extends AuditingDependencies, RateDependencies {
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
  /** How the rates of the tenant stand that the request was counted in. */
  rates: readonly RateState[];
}

/** Makes the handler of a group of routes. It never rejects: every error becomes an answer. */
export function makeHttpHandler(routes: readonly Route[], dependencies: HttpDependencies) {
  const router = makeRouter(routes);
  const seenOf = new WeakMap<Event, Seen>();
  const seen = (event: Event): Seen => {
    const known = seenOf.get(event) ?? see(dependencies, event);
    seenOf.set(event, known);
    return known;
  };
  return makeMiddy<Event, Result>()
    .use({
      after: ({ event, response }) => finish(dependencies, seen(event), response?.statusCode),
      onError: (request) => {
        request.response = toFailure(dependencies, request.event, seen(request.event), request.error);
        finish(dependencies, seen(request.event), request.response.statusCode);
      },
    })
    .handler(async (event: Event) => {
      const answered = toResult(await answer(router, dependencies, event, seen(event)), seen(event));
      return isHead(event) ? withoutBody(answered) : answered;
    });
}

function see({ clock, random }: HttpDependencies, event: Event): Seen {
  const headers = Object.fromEntries(Object.entries(event.headers).map(([name, value]) => [name.toLowerCase(), value]));
  const given = parseCorrelationId(headers['x-correlation-id']);
  const correlationId = given ?? makeId('cor', clock.nowMs(), random);
  return { correlationId, startedMs: clock.monotonicMs(), headers, route: undefined, tenantId: undefined, rates: [] };
}

function toFailure({ logger }: HttpDependencies, event: Event, seen: Seen, thrown: unknown): Result {
  const { correlationId } = seen;
  const error = toAppError(thrown);
  if (error.code === 'internal_error' || errorRules[error.code].httpStatus === 503) {
    logger.error('request failed', { correlationId, code: error.code, error: error.cause ?? error });
  }
  const result = toResult(
    toProblem(error, correlationId),
    error instanceof RateError ? { ...seen, rates: error.states } : seen,
    // The time of another problem says nothing of rates.
    error instanceof RateError ? error.retryAfterSeconds : undefined,
  );
  return isHead(event) ? withoutBody(result) : result;
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
  const address = event.requestContext.http.sourceIp;
  let principal: Principal | undefined;
  if (route.access !== 'public') {
    principal = await dependencies.authenticate(headers['authorization'], event.requestContext.http.sourceIp);
    seen.tenantId = authorize(principal, route.access, {
      scope: scopeOf(route),
      connectionId: parameters['connectionId'] ?? connectionRead(route, event),
      isOfRecord: route.path === ACTION_PATH,
      address,
      operatorRole: operatorRoleOf(route),
    });
    if (principal.role === 'tenant') seen.rates = await admitRequest(dependencies, principal);
  }
  const limits = principal?.role === 'tenant' ? principal.limits : undefined;
  const taken: GiveBack[] = [];
  const request = {
    // Routes for tenants have a tenant; other routes do not read it.
    tenantId: seen.tenantId as TenantId,
    // Only public routes have no key.
    keyId: principal?.keyId as ApiKeyId,
    connectionIds: limits?.connectionIds,
    scopes: limits?.scopes,
    parameters,
    body: await checkBody(route, event, headers),
    query: route.query === undefined ? undefined : readQuery(route.query, event),
    headers,
    correlationId,
    address,
    quotas: () => dependencies.quotaBook.find(seen.tenantId as TenantId),
    take: async (takings: readonly TakingOfTenant[]) => {
      const giveBack = await takeFor(dependencies, seen.tenantId as TenantId, takings);
      taken.push(giveBack);
      return giveBack;
    },
  };
  return givingBack(taken, () => answerAudited(dependencies, router, { route, principal, address, request }));
}

/** The connection whose events alone a request reads. */
function connectionRead({ path }: Route, { queryStringParameters }: Event): string | undefined {
  return path === '/v1/events' ? queryStringParameters?.['connectionId'] : undefined;
}

/** API Gateway joins the values of a parameter that is given twice by a comma, which no schema could tell from one value. */
function readQuery(query: z.ZodObject, event: Event): unknown {
  const twice = namesGivenTwice(event.rawQueryString);
  if (twice.length === 0) return checkInput(query, event.queryStringParameters ?? {}, 'query');
  const problem = 'is given twice';
  throw new AppError('invalid_request', { fields: twice.map((name) => ({ field: `?${fieldOf([name])}`, problem })) });
}

function namesGivenTwice(rawQueryString: string): readonly string[] {
  const met = new Set<string>();
  const twice = new Set<string>();
  for (const name of new URLSearchParams(rawQueryString).keys()) (met.has(name) ? twice : met).add(name);
  return [...twice].slice(0, MOST_PROBLEMS);
}

async function checkBody(route: Route, event: Event, headers: Seen['headers']): Promise<unknown> {
  const { body, bodyForm, isBodyOptional } = route;
  if (body === undefined) return undefined;
  if (isBodyOptional && (event.body ?? '') === '') return checkInput(body, {}, 'body');
  if (bodyForm === 'object') return checkInput(body, readBody(event, headers), 'body');
  return readLines(body as z.ZodArray<z.ZodType>, bytesOf(event), headers, route.lineBytes);
}

function bytesOf(event: Event): Buffer {
  return Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function readBody(event: Event, headers: Seen['headers']): unknown {
  const bytes = bytesOf(event);
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

function toResult(
  result: Answer,
  { correlationId, rates }: Pick<Seen, 'correlationId' | 'rates'>,
  retryAfterSeconds?: number,
): Result {
  const headers = {
    ...SECURITY_HEADERS,
    'x-correlation-id': correlationId,
    ...toRateHeaders(rates, retryAfterSeconds),
    ...result.headers,
  };
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
