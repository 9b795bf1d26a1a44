import type { z } from 'zod';
import type { AppError } from '../../shared/kernel/appError.ts';
import type { ErrorCode } from '../../shared/kernel/errorRules.ts';
import type { Scope } from '../../shared/identity/keyLimits.ts';
import type { ApiKeyId, ConnectionId, CorrelationId, TenantId } from '../../shared/kernel/id.ts';
import type { Quotas } from '../../shared/platform/quotaRows.ts';
import type { Taking } from '../../shared/quota/rateLimiter.ts';

/** A route as data, for the router that matches it, the stack that checks requests, and the OpenAPI document. */
export type Access = 'tenant' | 'operator' | 'public';

/** The path at which an action is read, to which `Location` leads also a key that is for some connections alone. */
export const ACTION_PATH = '/v1/actions/{actionId}';

/** A request that the schemas of its route have accepted. */
export interface Request<Body, Query> {
  /** The tenant that calls. Routes for operators and public routes have none, and must not read it. */
  readonly tenantId: TenantId;
  /** The key with which it was made. Public routes have none, and must not read it. */
  readonly keyId: ApiKeyId;
  /** The connections that its key is for; undefined for all. */
  readonly connectionIds: readonly ConnectionId[] | undefined;
  /** The scopes that its key has; undefined for all. */
  readonly scopes: readonly Scope[] | undefined;
  readonly parameters: Readonly<Record<string, string>>;
  readonly body: Body;
  readonly query: Query;
  /** The headers, with names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly correlationId: CorrelationId;
  /** The address that the request came from, as API Gateway saw it. */
  readonly address: string | undefined;
  /** The most of everything that the tenant may have. */
  readonly quotas: () => Promise<Quotas>;
  /**
   * Takes from rates of the tenant, all or none, before anything is written. Returns what gives it back, which is done for a request that is
   * refused. Throws the problem of the rate that refuses.
   */
  readonly take: Take;
}

/** What a request takes of a rate of the tenant that makes it. */
export type TakingOfTenant = Omit<Taking, 'tenantId'>;
export type GiveBack = () => Promise<void>;
export type Take = (takings: readonly TakingOfTenant[]) => Promise<GiveBack>;

/** The answer of a route: JSON, or bytes of another type. */
export interface Answer {
  readonly status: number;
  readonly json?: unknown;
  readonly bytes?: { readonly contentType: string; readonly content: Uint8Array };
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** The path, with parameters in braces, for example `/v1/connections/{connectionId}`. */
  readonly path: string;
  readonly access: Access;
  readonly summary: string;
  /** What a caller has to know beyond the summary. */
  readonly description: string | undefined;
  readonly body: z.ZodType | undefined;
  /** The form of the body: one JSON object, or one in each line, of which `body` is the list. */
  readonly bodyForm: 'object' | 'lines';
  /** The bytes of one line, where that is not 64 KB. */
  readonly lineBytes: number | undefined;
  /** Whether a request without a body is taken for one with an empty object. */
  readonly isBodyOptional: boolean;
  readonly query: z.ZodObject | undefined;
  /** Names of the headers that the route reads, for the OpenAPI document. */
  readonly headers: readonly string[];
  /** Problems that the route answers beside those that follow from its form (`problemsOf.ts`). */
  readonly problems: readonly ErrorCode[];
  /** The schema of a successful JSON answer; undefined when there is no body. */
  readonly answers: {
    readonly status: number;
    readonly schema: z.ZodType | undefined;
    /** The type of the picture that is answered instead of JSON: where the caller asks for it (`Accept`), or where there is no schema. */
    readonly picture?: 'image/jpeg' | 'image/png' | undefined;
    /** Whether the answer is a stream of events that does not end by itself; the API's own functions answer none. */
    readonly stream?: true | undefined;
    /** Another answer that is no problem, with the same body: what its status means. */
    readonly otherwise?: { readonly status: number; readonly description: string } | undefined;
    /** An answer as it may come, for who reads the document; it fits the schema. */
    readonly example?: object | undefined;
  };
  readonly handle: (request: Request<unknown, unknown>) => Promise<Answer>;
}

interface RouteDefinition<Body extends z.ZodType, Query extends z.ZodObject> {
  readonly summary: string;
  readonly description?: string;
  readonly access?: Access;
  readonly body?: Body;
  readonly bodyForm?: Route['bodyForm'];
  readonly lineBytes?: number;
  readonly isBodyOptional?: boolean;
  readonly query?: Query;
  readonly headers?: readonly string[];
  readonly problems?: readonly ErrorCode[];
  readonly answers: Pick<Route['answers'], 'status' | 'picture' | 'stream' | 'otherwise' | 'example'> & {
    readonly schema?: z.ZodType;
  };
  readonly handle: (request: Request<z.infer<Body>, z.infer<Query>>) => Promise<Answer>;
}

/** Declares a route. `handle` gets the body and the query as the schemas have accepted them. */
export function route<Body extends z.ZodType = z.ZodUndefined, Query extends z.ZodObject = z.ZodObject>(
  method: Route['method'],
  path: string,
  definition: RouteDefinition<Body, Query>,
): Route {
  return {
    method,
    path,
    access: definition.access ?? 'tenant',
    summary: definition.summary,
    description: definition.description,
    body: definition.body,
    bodyForm: definition.bodyForm ?? 'object',
    lineBytes: definition.lineBytes,
    isBodyOptional: definition.isBodyOptional ?? false,
    query: definition.query,
    headers: definition.headers ?? [],
    problems: definition.problems ?? [],
    answers: { schema: undefined, ...definition.answers },
    handle: (request) => definition.handle(request as Request<z.infer<Body>, z.infer<Query>>),
  };
}

/**
 * Declares a route with one object in each line of the body. `handle` gets each line as the schema has accepted it, or the
 * reason for which it was not; what follows a number of wrong lines is left out.
 * @param lines of the list, which says how many lines there may be
 */
export function linesRoute<Line extends z.ZodType, Query extends z.ZodObject = z.ZodObject>(
  method: Route['method'],
  path: string,
  {
    lines,
    handle,
    ...definition
  }: Omit<RouteDefinition<z.ZodUndefined, Query>, 'body' | 'bodyForm' | 'handle'> & {
    readonly lines: z.ZodArray<Line>;
    readonly handle: (request: Request<readonly (z.infer<Line> | AppError)[], z.infer<Query>>) => Promise<Answer>;
  },
): Route {
  return route<z.ZodType, Query>(method, path, {
    ...definition,
    body: lines,
    bodyForm: 'lines',
    handle: (request) => handle({ ...request, body: request.body as readonly (z.infer<Line> | AppError)[] }),
  });
}

export type RouteMatch =
  | { readonly outcome: 'found'; readonly route: Route; readonly parameters: Readonly<Record<string, string>> }
  | { readonly outcome: 'no_such_path' }
  | { readonly outcome: 'no_such_method'; readonly allowed: readonly string[] };

/** Finds the route of a request. */
export type Router = (method: string, path: string) => RouteMatch;

/**
 * Makes the router of some routes, whose paths are taken apart once. Parameters are percent-decoded; a path that cannot
 * be decoded matches nothing.
 */
export function makeRouter(routes: readonly Route[]): Router {
  const templates = routes.map((route) => ({ route, parts: route.path.split('/').map(toPart) }));
  const byLength = Map.groupBy(templates, ({ parts }) => parts.length);
  return (method, path) => {
    const given = path.split('/');
    const matches = (byLength.get(given.length) ?? []).flatMap(({ route, parts }) => {
      const parameters = matchParts(parts, given);
      return parameters === undefined ? [] : [{ route, parameters }];
    });
    if (matches.length === 0) return { outcome: 'no_such_path' };
    const found = matches.find((match) => match.route.method === method);
    if (found !== undefined) return { outcome: 'found', ...found };
    return { outcome: 'no_such_method', allowed: allowedOf(matches.map((match) => match.route.method)) };
  };
}

/** The methods that a path allows. A route that answers GET answers HEAD, too. */
function allowedOf(methods: readonly string[]): readonly string[] {
  return methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
}

/** One part of a path between two slashes. */
type Part = { readonly text: string } | { readonly parameter: string };

function toPart(part: string): Part {
  return part.startsWith('{') ? { parameter: part.slice(1, -1) } : { text: part };
}

function matchParts(parts: readonly Part[], given: readonly string[]): Record<string, string> | undefined {
  if (parts.some((part, at) => 'text' in part && part.text !== given[at])) return undefined;
  const parameters: Record<string, string> = {};
  for (const [at, part] of parts.entries()) {
    if ('text' in part) continue;
    try {
      parameters[part.parameter] = decodeURIComponent(given[at] ?? '');
    } catch {
      return undefined;
    }
  }
  return parameters;
}
