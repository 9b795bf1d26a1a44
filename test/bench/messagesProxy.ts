import { Agent, createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { unitsOf } from './messagesUnits.ts';

/** What was asked of the stores in one name and with one operation. */
export interface CallTally {
  /** The name in which the call was signed, for example `ingest`. */
  readonly caller: string;
  /** For example `DynamoDB PutItem core` or `SQS SendMessageBatch events`. */
  readonly operation: string;
  calls: number;
  writeUnits: number;
  readUnits: number;
  queueRequests: number;
  requestBytes: number;
  answerBytes: number;
  /** Receives that brought nothing. */
  empty: number;
  /** Answers that were no success, failed conditions among them. */
  refused: number;
}

export interface Reach {
  readonly dynamoDb: string;
  readonly sqs: string;
  readonly s3: string;
}

/**
 * Stands between all processes of the stack and the emulators. It counts what each asks for and what AWS would bill, and
 * can let answers wait. DynamoDB is asked to say what each call consumed; the caller does not see that.
 */
export class MessagesProxy {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #servers: ReturnType<typeof createServer>[] = [];
  #tallies = new Map<string, CallTally>();
  #delayMs: (caller: string, target: string, body: unknown) => number = () => 0;

  async inFront(emulators: Reach): Promise<Reach> {
    // Files go by it: nothing of a message is in them.
    return {
      dynamoDb: await this.#listen(emulators.dynamoDb),
      sqs: await this.#listen(emulators.sqs),
      s3: emulators.s3,
    };
  }

  /** Makes answers come that much later. */
  delay(delayMs: (caller: string, target: string, body: unknown) => number): void {
    this.#delayMs = delayMs;
  }

  /** What was counted since the last call. */
  take(): readonly CallTally[] {
    const taken = [...this.#tallies.values()];
    this.#tallies = new Map();
    return taken;
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    for (const server of this.#servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  async #listen(to: string): Promise<string> {
    const server = createServer((request, response) => {
      this.#pass(to, request, response).catch(() => response.destroy());
    });
    server.keepAliveTimeout = 120_000;
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async #pass(to: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const given = await collect(request);
    const caller = /Credential=([^/]+)\//.exec(request.headers.authorization ?? '')?.[1] ?? 'unsigned';
    const target = String(request.headers['x-amz-target']);
    const body = parseJson(given);
    const sent = target.startsWith('DynamoDB') && isRecord(body) ? asking(body) : given;
    const { method = 'POST', url = '/' } = request;
    const headers = { ...request.headers, 'content-length': String(sent.length) };
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const onward = forward(new URL(url, to), { method, headers, agent: this.#agent }, resolve);
      onward.on('error', reject);
      response.on('close', () => onward.destroy());
      onward.end(sent);
    });
    const came = await collect(answer);
    const told = parseJson(came);
    const status = answer.statusCode ?? 502;
    const answered = isRecord(told) && 'ConsumedCapacity' in told ? withoutCapacity(told) : came;
    this.#note(caller, target, { body, told, status, requestBytes: given.length, answerBytes: answered.length });
    const delayMs = this.#delayMs(caller, target, body);
    if (delayMs > 0) await sleep(delayMs);
    response.writeHead(status, { ...answer.headers, 'content-length': String(answered.length) }).end(answered);
  }

  #note(
    caller: string,
    target: string,
    call: {
      readonly body: unknown;
      readonly told: unknown;
      readonly status: number;
      readonly requestBytes: number;
      readonly answerBytes: number;
    },
  ): void {
    const operation = operationOf(target, call.body);
    const key = `${caller} ${operation}`;
    const tally = this.#tallies.get(key) ?? emptyTally(caller, operation);
    this.#tallies.set(key, tally);
    const { writeUnits, readUnits, queueRequests } = unitsOf(target, call.body, call.told, call.status);
    tally.calls += 1;
    tally.writeUnits += writeUnits;
    tally.readUnits += readUnits;
    tally.queueRequests += queueRequests;
    tally.requestBytes += call.requestBytes;
    tally.answerBytes += call.answerBytes;
    if (call.status !== 200) tally.refused += 1;
    if (target === 'AmazonSQS.ReceiveMessage' && !(isRecord(call.told) && Array.isArray(call.told['Messages']))) {
      tally.empty += 1;
    }
  }
}

function emptyTally(caller: string, operation: string): CallTally {
  return {
    caller,
    operation,
    calls: 0,
    writeUnits: 0,
    readUnits: 0,
    queueRequests: 0,
    requestBytes: 0,
    answerBytes: 0,
    empty: 0,
    refused: 0,
  };
}

/** The operation with the table or the kind of queue that it is about. */
export function operationOf(target: string, body: unknown): string {
  const [service = '', operation = ''] = target.split('.');
  const asked = isRecord(body) ? body : {};
  if (service === 'AmazonSQS') return `SQS ${operation} ${queueKind(asked['QueueUrl'])}`;
  const transacted = Array.isArray(asked['TransactItems']) ? asked['TransactItems'] : [];
  const named = transacted.flatMap((item) => (isRecord(item) ? Object.values(item) : []));
  const statements = Array.isArray(asked['Statements']) ? asked['Statements'] : [];
  const tables = [
    asked['TableName'],
    ...statements.map((one) => /"([^"]+)"/.exec(isRecord(one) ? String(one['Statement']) : '')?.[1]),
    ...named.map((write) => (isRecord(write) ? write['TableName'] : undefined)),
    ...Object.keys(isRecord(asked['RequestItems']) ? asked['RequestItems'] : {}),
  ].filter((name) => typeof name === 'string');
  const short = [...new Set(tables.map((name) => name.replace(/^.*-/, '')))].toSorted();
  return `DynamoDB ${operation} ${short.join('+')}`;
}

/** `local-commands-0001.fifo` is one of the `commands`. */
function queueKind(url: unknown): string {
  const name = typeof url === 'string' ? (url.split('/').at(-1) ?? '') : 'unknown';
  return name
    .replace(/\.fifo$/, '')
    .replace(/^[^-]*-/, '')
    .replace(/-\d+$/, '');
}

type Json = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asking(body: Json): Buffer {
  return Buffer.from(JSON.stringify({ ...body, ReturnConsumedCapacity: 'INDEXES' }));
}

function withoutCapacity({ ConsumedCapacity: _consumed, ...rest }: Json): Buffer {
  return Buffer.from(JSON.stringify(rest));
}

async function collect(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
