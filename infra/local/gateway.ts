import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { makeSteadyServer, targetOf } from './steadyServer.ts';

/**
 * The part that API Gateway's HTTP API plays on AWS: it turns requests into events of payload format 2.0 for the
 * handlers, and their results into answers.
 */
export type HttpHandler = (
  event: APIGatewayProxyEventV2,
  context: Context,
) => Promise<APIGatewayProxyStructuredResultV2>;

/** The largest body that API Gateway passes on; it refuses larger ones itself. */
const GATEWAY_LIMIT_BYTES = 10 * 1_024 * 1_024;
/**
 * Longer than the idle time of proxies in front, so that idle connections are closed by the proxies and not by the
 * gateway.
 */
const KEEP_ALIVE_MS = 65_000;
const HEADERS_MS = 70_000;
const HANDLER_DEADLINE_MS = 29_000;

export interface GatewayOptions {
  /** Answers requests outside the API, which AWS serves elsewhere. Returns whether it answered. */
  readonly beside?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Called for each answer of the API, as API Gateway's metrics count them. */
  readonly onAnswer?: (answer: { readonly status: number; readonly durationMs: number }) => void;
  /** Called for an error that nothing was prepared for. The request has been answered by then. */
  readonly onSurprise?: (error: unknown) => void;
}

/**
 * Makes the server.
 * @param route returns the handler that answers a path
 */
export function makeGateway(route: (path: string) => HttpHandler, options: GatewayOptions = {}): Server {
  const onSurprise = (error: unknown): void => options.onSurprise?.(error);
  const server = makeSteadyServer(async (request, response) => {
    if (options.beside?.(request, response) === true) return;
    const startedMs = performance.now();
    response.once('finish', () =>
      options.onAnswer?.({ status: response.statusCode, durationMs: performance.now() - startedMs }),
    );
    await answer(route, request, response, onSurprise);
  }, onSurprise);
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.headersTimeout = HEADERS_MS;
  return server;
}

async function answer(
  route: (path: string) => HttpHandler,
  request: IncomingMessage,
  response: ServerResponse,
  onSurprise: (error: unknown) => void,
): Promise<void> {
  const body = await readBody(request);
  if (body === undefined) {
    send(
      response,
      413,
      { 'content-type': 'application/json' },
      JSON.stringify({ message: 'Request Entity Too Large' }),
    );
    return;
  }
  const event = toEvent(request, body);
  const result = await invoke(route(event.rawPath), event, onSurprise);
  const content = result.isBase64Encoded ? Buffer.from(result.body ?? '', 'base64') : (result.body ?? '');
  const headers = Object.entries(result.headers ?? {}).map(([name, value]) => [name, String(value)]);
  send(response, result.statusCode ?? 200, Object.fromEntries(headers), content);
}

/** Invokes a handler; a function that fails is answered as API Gateway answers it. */
async function invoke(
  handler: HttpHandler,
  event: APIGatewayProxyEventV2,
  onSurprise: (error: unknown) => void,
): Promise<APIGatewayProxyStructuredResultV2> {
  try {
    return await handler(event, makeContext('api', HANDLER_DEADLINE_MS));
  } catch (error) {
    onSurprise(error);
    return { statusCode: 502, headers: { 'content-type': 'text/plain' }, body: 'Bad gateway: the function failed.' };
  }
}

/** The body, or undefined when it is larger than the gateway takes. Rejects when the client goes away. */
function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= GATEWAY_LIMIT_BYTES) chunks.push(chunk);
    });
    request.once('end', () => resolve(size > GATEWAY_LIMIT_BYTES ? undefined : Buffer.concat(chunks)));
    request.once('error', reject);
    request.once('close', () => reject(new Error('the client went away')));
  });
}

/** The event of a request. Several values of a header or of a query parameter are joined with commas, as on AWS. */
export function toEvent(request: IncomingMessage, body: Buffer): APIGatewayProxyEventV2 {
  const [path = '/', ...rest] = targetOf(request).split('?');
  const rawQueryString = rest.join('?');
  const query = joinPairs(new URLSearchParams(rawQueryString));
  const headers = joinPairs(pairsOf(request.rawHeaders));
  const isText = isUtf8(body);
  const nowMs = Date.now();
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString,
    headers,
    ...(rawQueryString === '' ? {} : { queryStringParameters: query }),
    requestContext: {
      accountId: '000000000000',
      apiId: 'local',
      domainName: headers['host'] ?? 'localhost',
      domainPrefix: 'local',
      http: {
        method: request.method ?? 'GET',
        path,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.socket.remoteAddress ?? '127.0.0.1',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: crypto.randomUUID(),
      routeKey: '$default',
      stage: '$default',
      time: new Date(nowMs).toISOString(),
      timeEpoch: nowMs,
    },
    ...(body.length === 0 ? {} : { body: body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: !isText,
  };
}

/** Names and values; several values of one name are joined with commas. */
function joinPairs(pairs: Iterable<readonly [string, string]>): Record<string, string> {
  // This is a Map and not an object, because a parameter may be called `__proto__` or `constructor`.
  const joined = new Map<string, string>();
  for (const [name, value] of pairs) {
    const before = joined.get(name);
    joined.set(name, before === undefined ? value : `${before},${value}`);
  }
  return Object.fromEntries(joined);
}

/** Headers as they came, with names in lower case. */
function* pairsOf(rawHeaders: readonly string[]): Iterable<readonly [string, string]> {
  for (let at = 0; at < rawHeaders.length; at += 2)
    yield [(rawHeaders[at] ?? '').toLowerCase(), rawHeaders[at + 1] ?? ''];
}

/** The parts of Lambda's context that handlers ask for. */
export function makeContext(functionName: string, deadlineMs: number): Context {
  const endsAtMs = performance.now() + deadlineMs;
  return {
    callbackWaitsForEmptyEventLoop: false,
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`,
    memoryLimitInMB: '512',
    awsRequestId: crypto.randomUUID(),
    logGroupName: functionName,
    logStreamName: 'local',
    getRemainingTimeInMillis: () => Math.max(0, endsAtMs - performance.now()),
    done: () => undefined,
    fail: () => undefined,
    succeed: () => undefined,
  };
}

function send(response: ServerResponse, status: number, headers: Record<string, string>, body: string | Buffer): void {
  if (!response.headersSent) response.writeHead(status, { 'x-content-type-options': 'nosniff', ...headers });
  response.end(body);
}
