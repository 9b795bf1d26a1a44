import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { guardCalls, type CallBounds, type ClientGuards } from './callGuards.ts';
import { clientSettings, makeHandler, storeBounds } from './clientSettings.ts';
import { carryCalls } from './storeCalls.ts';
import { dynamoDbProtocol, sqsProtocol } from './storeCommands.ts';
import type { StoreConfig } from './storeConfig.ts';

/**
 * The one factory of SDK clients: one client for each service, process and purpose, a bounded pool of kept-alive
 * sockets, and deadlines that are enforced. The client of ECS has a file of its own, so that no worker loads it.
 */
/** The longest wait of the SDK between two tries of a heartbeat, in milliseconds. */
const RETRY_PAUSE_MS = 250;
/** How long past the end of a long poll its deadline is, in milliseconds; SQS answers by its end. */
const POLL_SLACK_MS = 5_000;

/** Makes the client of DynamoDB, for everything but heartbeats. */
export function makeDocumentClient(config: StoreConfig, guards: ClientGuards = {}): DynamoDBDocumentClient {
  return dynamoDb(config, config.maxConnections, storeBounds(config), guards);
}

/**
 * Makes the client of DynamoDB for heartbeats and ownership: it has a deadline of its own and one retry, so that
 * traffic cannot delay a lease.
 */
export function makeHeartbeatClient(config: StoreConfig, tryMs: number): DynamoDBDocumentClient {
  return dynamoDb(config, 8, { callMs: 2 * tryMs + RETRY_PAUSE_MS, tryMs, attempts: 2 }, {});
}

/** Makes the client of SQS for sending, deleting and changing visibility. */
export function makeQueueClient(config: StoreConfig, guards: ClientGuards = {}): SQSClient {
  return sqs(config, config.maxConnections, storeBounds(config), guards);
}

/**
 * Makes the client of SQS for long polls only: it has a socket for each queue that is polled at once, and a deadline
 * past the wait.
 */
export function makePollingClient(config: StoreConfig, queues: number, waitSeconds: number): SQSClient {
  const callMs = waitSeconds * 1_000 + POLL_SLACK_MS;
  return sqs(config, queues + 4, { callMs, tryMs: callMs, attempts: 1 }, {});
}

/** Makes the client of KMS, for wrapping and unwrapping data keys. */
export function makeKeyClient(config: StoreConfig, guards: ClientGuards = {}): KMSClient {
  const bounds = storeBounds(config);
  const handler = makeHandler(10, bounds);
  const client = new KMSClient(clientSettings(config, undefined, handler, bounds));
  return guardCalls(client, handler, 'kms', bounds.callMs, guards);
}

function dynamoDb(config: StoreConfig, sockets: number, bounds: CallBounds, guards: ClientGuards) {
  const handler = makeHandler(sockets, bounds);
  const client = new DynamoDBClient(clientSettings(config, config.dynamoDbEndpoint, handler, bounds));
  const guarded = guardCalls(client, handler, 'dynamodb', bounds.callMs, guards);
  const table = DynamoDBDocumentClient.from(guarded, { marshallOptions: { removeUndefinedValues: true } });
  const { region, dynamoDbEndpoint: endpoint } = config;
  return carryCalls(table, { protocol: dynamoDbProtocol, region, endpoint, handler, bounds, guards });
}

function sqs(config: StoreConfig, sockets: number, bounds: CallBounds, guards: ClientGuards): SQSClient {
  const handler = makeHandler(sockets, bounds);
  const client = new SQSClient(clientSettings(config, config.sqsEndpoint, handler, bounds));
  const guarded = guardCalls(client, handler, 'sqs', bounds.callMs, guards);
  const { region, sqsEndpoint: endpoint } = config;
  return carryCalls(guarded, { protocol: sqsProtocol, region, endpoint, handler, bounds, guards });
}
