import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { StoreConfig } from './config.ts';

/**
 * The one factory of SDK clients (PROTOCOL.md §4): one client per service, process and purpose, a bounded pool of
 * kept-alive sockets, and deadlines that are enforced. Without `throwOnRequestTimeout` the SDK only warns.
 */
const CONNECT_TIMEOUT_MS = 5_000;
const IDLE_SOCKET_MS = 30_000;

interface Purpose {
  readonly sockets: number;
  readonly deadlineMs: number;
  /** Tries in all, the first one included. */
  readonly attempts: number;
}

function handler(purpose: Purpose): NodeHttpHandler {
  const pool = { keepAlive: true, maxSockets: purpose.sockets, timeout: Math.max(IDLE_SOCKET_MS, purpose.deadlineMs) };
  return new NodeHttpHandler({
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: purpose.deadlineMs,
    throwOnRequestTimeout: true,
    httpAgent: new HttpAgent(pool),
    httpsAgent: new HttpsAgent(pool),
  });
}

function common(config: StoreConfig, endpoint: string | undefined, purpose: Purpose) {
  return {
    region: config.region,
    maxAttempts: purpose.attempts,
    requestHandler: handler(purpose),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(config.credentials === undefined ? {} : { credentials: config.credentials }),
  };
}

/** Asked before each try of each call, the SDK's own retries included. Throws when the call must not be made. */
export type BeforeTry = () => void;

/** DynamoDB, for everything but heartbeats: 5 s a try, three tries. */
export function makeDocumentClient(config: StoreConfig, beforeTry?: BeforeTry): DynamoDBDocumentClient {
  const purpose = { sockets: config.maxConnections, deadlineMs: config.storeTimeoutMs, attempts: 3 };
  return toDocument(askingBefore(new DynamoDBClient(common(config, config.dynamoDbEndpoint, purpose)), beforeTry));
}

/** DynamoDB for heartbeats and ownership: a deadline of its own and one retry, so that traffic cannot delay a lease. */
export function makeHeartbeatClient(config: StoreConfig, deadlineMs: number): DynamoDBDocumentClient {
  const purpose = { sockets: 8, deadlineMs, attempts: 2 };
  return toDocument(new DynamoDBClient(common(config, config.dynamoDbEndpoint, purpose)));
}

/** SQS for sending, deleting and changing visibility. */
export function makeQueueClient(config: StoreConfig, beforeTry?: BeforeTry): SQSClient {
  const purpose = { sockets: config.maxConnections, deadlineMs: config.storeTimeoutMs, attempts: 3 };
  return askingBefore(new SQSClient(common(config, config.sqsEndpoint, purpose)), beforeTry);
}

/** SQS for long polls only: a socket per queue that is polled at once, and a deadline past the wait. */
export function makePollingClient(config: StoreConfig, queues: number, waitSeconds: number): SQSClient {
  const purpose = { sockets: queues + 4, deadlineMs: waitSeconds * 1_000 + 5_000, attempts: 1 };
  return new SQSClient(common(config, config.sqsEndpoint, purpose));
}

/** KMS, for wrapping and unwrapping data keys. */
export function makeKeyClient(config: StoreConfig): KMSClient {
  return new KMSClient(common(config, undefined, { sockets: 10, deadlineMs: config.storeTimeoutMs, attempts: 3 }));
}

/** What is asked once before a call is old when the SDK tries again, for example after the process was frozen. */
function askingBefore<Client extends DynamoDBClient | SQSClient>(
  client: Client,
  beforeTry: BeforeTry | undefined,
): Client {
  if (beforeTry === undefined) return client;
  const ask =
    <Input, Output>(next: (input: Input) => Promise<Output>) =>
    async (input: Input): Promise<Output> => {
      beforeTry();
      return next(input);
    };
  // The last step before the request is sent: behind the retry, which runs in the same step with a higher priority.
  // Both clients have the same stack; their types do not say so together.
  (client as DynamoDBClient).middlewareStack.add(ask, {
    step: 'finalizeRequest',
    priority: 'low',
    name: 'askBeforeTry',
  });
  return client;
}

function toDocument(client: DynamoDBClient): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
}

/** For the client in `taskClient.ts`, which has a file of its own so that no worker loads it. */
export { common as clientSettings };
