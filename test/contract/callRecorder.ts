import { Agent, createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A call of the SDK as it went over the wire. */
export interface RecordedCall {
  /** The caller that signed it. */
  readonly caller: string;
  /** For example `DynamoDB_20120810.PutItem`; of S3 `S3.PutObject`. */
  readonly target: string;
  readonly body: unknown;
}

export interface CallRecorder {
  readonly dynamoDb: string;
  readonly sqs: string;
  readonly s3: string;
  readonly stop: () => Promise<void>;
}

/** One that needs no answer from here on is answered with this. */
const UNAVAILABLE = { status: 503, body: '{"__type":"ServiceUnavailable","message":"refused by the test"}' } as const;

/**
 * Stands in front of the emulators, hands every call to `onCall` and passes it on unchanged. Who called is in the signature.
 * @param onCall may answer `refuse`: the caller gets 503, as from a service that is down, and nothing is passed on
 */
export async function startCallRecorder(
  emulators: { readonly dynamoDb: string; readonly sqs: string; readonly s3: string },
  onCall: (call: RecordedCall) => 'pass' | 'refuse',
): Promise<CallRecorder> {
  const agent = new Agent({ keepAlive: true });
  const start = async (to: string) => {
    const server = createServer((request, response) => void pass(to, agent, onCall, request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server;
  };
  const servers = await Promise.all([start(emulators.dynamoDb), start(emulators.sqs), start(emulators.s3)]);
  const [dynamoDb, sqs, s3] = servers;
  const urlOf = (server: (typeof servers)[0]): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    dynamoDb: urlOf(dynamoDb),
    sqs: urlOf(sqs),
    s3: urlOf(s3),
    stop: async () => {
      agent.destroy();
      for (const server of servers) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

async function pass(
  to: string,
  agent: Agent,
  onCall: (call: RecordedCall) => 'pass' | 'refuse',
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  // An address that is used counts as a call of whoever made it.
  const signed = `${request.headers.authorization ?? ''} ${request.url ?? ''}`;
  const caller = /Credential=([^/%]+)(?:\/|%2F)/.exec(signed)?.[1] ?? 'unsigned';
  const target = String(request.headers['x-amz-target'] ?? `S3.${objectOperation(request)}`);
  if (onCall({ caller, target, body: parseJson(body.toString()) }) === 'refuse') {
    response.writeHead(UNAVAILABLE.status, { 'content-type': 'application/x-amz-json-1.0' }).end(UNAVAILABLE.body);
    return;
  }
  const { method = 'POST', url = '/', headers } = request;
  const onward = forward(new URL(url, to), { method, headers, agent }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  // The caller sees a broken connection, as it would without us.
  onward.on('error', () => response.destroy());
  response.on('close', () => onward.destroy());
  onward.end(body);
}

/** The operation of S3, which only its method and its query say. */
function objectOperation({ method = 'GET', url = '/' }: IncomingMessage): string {
  const query = new URL(url, 'http://127.0.0.1').searchParams;
  if (query.has('uploads')) return 'CreateMultipartUpload';
  if (query.has('uploadId')) {
    const ofUpload = { GET: 'ListParts', PUT: 'UploadPart', POST: 'CompleteMultipartUpload' };
    return { ...ofUpload, DELETE: 'AbortMultipartUpload' }[method] ?? method;
  }
  return (
    { GET: 'GetObject', HEAD: 'HeadObject', PUT: 'PutObject', DELETE: 'DeleteObject' }[method] ?? `${method} of S3`
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
