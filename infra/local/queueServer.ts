import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { QueueJournal } from './queueJournal.ts';
import { keepQueues, type QueueStore } from './queuePersistence.ts';
import { wakeInTurns } from './queueWaiters.ts';
import { makeSteadyServer } from './steadyServer.ts';

/**
 * The SQS emulator: the queues of fauxqs behind a server of ours, on loopback only. The server of the package listens on
 * all interfaces, stands on a framework and speaks for S3 and SNS as well, which nothing here calls; per call it took more
 * time than the queues themselves. The pieces are not exported, hence the file URLs: the version is pinned.
 */
const packageFile = (name: string): string => new URL(`../../node_modules/fauxqs/dist/${name}`, import.meta.url).href;

/** The calls that are answered, each by a file of the package. */
const ACTIONS = [
  'createQueue',
  'deleteQueue',
  'getQueueUrl',
  'listQueues',
  'getQueueAttributes',
  'setQueueAttributes',
  'purgeQueue',
  'sendMessage',
  'sendMessageBatch',
  'receiveMessage',
  'deleteMessage',
  'deleteMessageBatch',
  'changeMessageVisibility',
  'changeMessageVisibilityBatch',
] as const;

interface SqsStore extends QueueStore {
  region?: string;
  /** Answers all long polls. */
  readonly shutdown: () => void;
}

interface SqsRouter {
  readonly register: (action: string, handler: unknown) => void;
  /** Resolves with what is the body of the answer; status and headers that differ from the usual are given to `reply`. */
  readonly handle: (
    request: { readonly headers: IncomingMessage['headers']; readonly body: unknown },
    reply: { readonly status: (code: number) => void; readonly header: (name: string, value: string) => void },
  ) => Promise<unknown>;
}

export interface QueueServer {
  /** The base URL, for example `http://127.0.0.1:4566`. */
  readonly endpoint: string;
  readonly stop: () => Promise<void>;
}

/**
 * Starts the emulator.
 * @param options.port 0 takes any free port
 * @param options.dataDir where messages survive a restart
 */
export async function startQueueServer(options: {
  readonly port: number;
  readonly dataDir?: string;
}): Promise<QueueServer> {
  const { SqsStore, SqsQueue } = (await import(packageFile('sqs/sqsStore.js'))) as {
    readonly SqsStore: new () => SqsStore;
    readonly SqsQueue: { readonly prototype: object };
  };
  await takeAllCharacters();
  wakeInTurns(SqsQueue.prototype);
  const store = new SqsStore();
  store.region = 'us-east-1';
  const journal = options.dataDir === undefined ? undefined : keepQueues(store, options.dataDir);
  const router = await makeRouter(store);
  const server = makeSteadyServer((request, response) => answer(router, journal, request, response), report);
  const endpoint = await listen(server, options.port);
  return {
    endpoint,
    stop: async () => {
      store.shutdown();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      journal?.close();
    },
  };
}

/** As long as the server of the package keeps connections that nobody uses. */
const KEEP_ALIVE_MS = 72_000;

async function listen(server: Server, port: number): Promise<string> {
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function report(error: unknown): void {
  process.stderr.write(
    `the queue emulator failed at a call: ${error instanceof Error ? error.stack : String(error)}\n`,
  );
}

async function makeRouter(store: SqsStore): Promise<SqsRouter> {
  const { SqsRouter } = (await import(packageFile('sqs/sqsRouter.js'))) as {
    readonly SqsRouter: new (store: SqsStore) => SqsRouter;
  };
  const router = new SqsRouter(store);
  for (const name of ACTIONS) {
    const handlers = (await import(packageFile(`sqs/actions/${name}.js`))) as Readonly<Record<string, unknown>>;
    router.register(name.charAt(0).toUpperCase() + name.slice(1), handlers[name]);
  }
  return router;
}

const JSON_TYPE = 'application/x-amz-json-1.0';
/** A body of 1 MiB, the most that SQS takes, may be six times as long where each character is escaped. */
const LIMIT_BYTES = 8 * 1_024 * 1_024;

/**
 * Answers one call, after what it changed is written. A page of a browser cannot send this content type to another
 * origin without being asked first, and that question is refused here.
 */
async function answer(
  router: SqsRouter,
  journal: QueueJournal | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const text = await readBody(request);
  if (!request.headers['content-type']?.startsWith(JSON_TYPE)) return refuse(response, 400, 'UnsupportedContentType');
  if (text === undefined) return refuse(response, 413, 'RequestTooLarge');
  const body = parse(text);
  if (body === undefined) return refuse(response, 400, 'SerializationException');
  let code = 200;
  const headers: Record<string, string | number> = { 'content-type': JSON_TYPE };
  const told = await router.handle(
    { headers: request.headers, body },
    { status: (status) => (code = status), header: (name, value) => (headers[name] = value) },
  );
  await journal?.written();
  const answered = JSON.stringify(told);
  headers['content-length'] = Buffer.byteLength(answered);
  response.writeHead(code, headers).end(answered);
}

function refuse(response: ServerResponse, status: number, type: string): void {
  response
    .writeHead(status, { 'content-type': JSON_TYPE })
    .end(JSON.stringify({ __type: `com.amazonaws.sqs#${type}` }));
}

/** The body; undefined when it is longer than any call can be. Rejects when the client goes away before its end. */
function readBody(request: IncomingMessage): Promise<string | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
  const chunks: Buffer[] = [];
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= LIMIT_BYTES) chunks.push(chunk);
  });
  request.on('end', () => resolve(size > LIMIT_BYTES ? undefined : Buffer.concat(chunks).toString()));
  request.on('close', () => {
    if (!request.complete) reject(new Error('the client went away'));
  });
  return promise;
}

/** The object that a text says; undefined if it says none. */
function parse(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The characters that SQS accepts in a body. Version 2.4.1 of the emulator lacks the last range, so it refuses an emoji
 * that is not escaped.
 */
const TAKEN = /^[\t\n\r -\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;

/**
 * Makes the emulator accept all of these characters. It asks a pattern whether a body has any other character, and its
 * parts share that object.
 */
async function takeAllCharacters(): Promise<void> {
  const { INVALID_MESSAGE_BODY_CHAR: pattern } = (await import(packageFile('sqs/sqsTypes.js'))) as {
    readonly INVALID_MESSAGE_BODY_CHAR: RegExp;
  };
  pattern.test = (body) => !TAKEN.test(body);
}
