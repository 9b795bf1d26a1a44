import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, describe, expect, it } from 'vitest';
import { TimeoutError } from '../../../shared/kernel/deadline.ts';
import {
  makeDocumentClient,
  makeHeartbeatClient,
  makePollingClient,
  makeQueueClient,
} from '../../../shared/platform/aws.ts';
import type { StoreConfig } from '../../../shared/platform/storeConfig.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';
import { startSlowServer, type Slowness, type SlowServer } from '../../emulators/slowServer.ts';
import { until } from '../../whatsapp/until.ts';

const CALL_MS = 600;
/** A machine that is busy with other tests; a call that is not bounded lasts for ever. */
const BUSY_MS = 10_000;
const get = new GetCommand({ TableName: 'x', Key: { pk: 'a' } });

let server: SlowServer | undefined;
afterEach(() => server?.stop());

async function configOf(slowness: Slowness): Promise<StoreConfig> {
  server = await startSlowServer(slowness, 50);
  const { endpoint } = server;
  return aStoreConfig(
    { dynamoDb: { endpoint }, queues: { endpoint, queueUrlBase: `${endpoint}/0/` } },
    { storeTimeoutMs: CALL_MS },
  );
}

async function failureOf(call: () => Promise<unknown>): Promise<{ readonly error: unknown; readonly tookMs: number }> {
  const startedMs = performance.now();
  const error = await call().then(
    () => 'it answered',
    (failure: unknown) => failure,
  );
  return { error, tookMs: performance.now() - startedMs };
}

const sendTo = (config: StoreConfig) =>
  new SendMessageCommand({ QueueUrl: `${config.queueUrlBase}q.fifo`, MessageBody: 'x', MessageGroupId: 'g' });

describe('a store call as a whole', () => {
  it.each<[string, Slowness, (config: StoreConfig) => Promise<unknown>, string]>([
    ['a read', 'silent', (config) => makeDocumentClient(config).send(get), 'DynamoDB Get'],
    ['a read', 'trickling', (config) => makeDocumentClient(config).send(get), 'DynamoDB Get'],
    [
      'a write',
      'silent',
      (config) => makeDocumentClient(config).send(new PutCommand({ TableName: 'x', Item: { pk: 'a' } })),
      'DynamoDB Put',
    ],
    ['a message', 'silent', (config) => makeQueueClient(config).send(sendTo(config)), 'SQS SendMessage'],
    ['a message', 'trickling', (config) => makeQueueClient(config).send(sendTo(config)), 'SQS SendMessage'],
    ['a heartbeat', 'silent', (config) => makeHeartbeatClient(config, 200).send(get), 'DynamoDB Get'],
    ['a heartbeat', 'trickling', (config) => makeHeartbeatClient(config, 200).send(get), 'DynamoDB Get'],
  ])('ends in a typed time-out: %s, and the server is %s', async (_name, slowness, call, what) => {
    const config = await configOf(slowness);

    const { error, tookMs } = await failureOf(() => call(config));

    expect(error).toBeInstanceOf(TimeoutError);
    expect((error as TimeoutError).what).toContain(what);
    expect(tookMs).toBeLessThan(BUSY_MS);
    await until(
      'the end of its connections',
      () => server?.open(),
      (open) => open === 0,
    );
  });

  it('leaves a try that hangs early enough for another one on a new connection', async () => {
    const config = await configOf('silent');

    // Another try needs what is left of the call, also on a machine that is busy with other tests.
    await failureOf(() => makeDocumentClient({ ...config, storeTimeoutMs: 5 * CALL_MS }).send(get));

    expect(server?.requests()).toBeGreaterThan(1);
  });

  it('lets no further try begin after the deadline', async () => {
    const config = await configOf('silent');
    const asked: number[] = [];
    const table = makeDocumentClient(config, { beforeTry: () => asked.push(performance.now()) });

    await failureOf(() => table.send(get));
    const requests = server?.requests();
    await new Promise((resolve) => setTimeout(resolve, 2 * CALL_MS));

    expect(asked.length).toBeGreaterThan(1);
    expect(server?.requests()).toBe(requests);
  });

  it('lasts no longer than the gate is sure to stay open', async () => {
    const config = await configOf('silent');
    const table = makeDocumentClient(config, { timeLeftMs: () => 50 });

    const { error } = await failureOf(() => table.send(get));

    expect(error).toBeInstanceOf(TimeoutError);
    expect((error as TimeoutError).deadlineMs).toBe(50);
  });

  it('is not made when the gate is closed', async () => {
    const config = await configOf('silent');
    const table = makeDocumentClient(config, {
      beforeTry: () => {
        throw new Error('closed');
      },
      timeLeftMs: () => 0,
    });

    await expect(table.send(get)).rejects.toThrow('closed');

    expect(server?.requests()).toBe(0);
  });

  it('heeds the signal of its caller, too', async () => {
    const config = await configOf('trickling');
    const caller = new AbortController();
    const call = failureOf(() =>
      makeDocumentClient({ ...config, storeTimeoutMs: 60_000 }).send(get, { abortSignal: caller.signal }),
    );
    await until(
      'a request',
      () => server?.requests() ?? 0,
      (requests) => requests > 0,
    );

    caller.abort();

    expect((await call).tookMs).toBeLessThan(BUSY_MS);
  });

  it('bounds a long poll past its wait', async () => {
    const config = await configOf('trickling');
    const polling = makePollingClient(config, 1, 0.1);

    const { error } = await failureOf(() =>
      polling.send(new ReceiveMessageCommand({ QueueUrl: `${config.queueUrlBase}q.fifo` })),
    );

    expect(error).toBeInstanceOf(TimeoutError);
    expect((error as TimeoutError).what).toBe('SQS ReceiveMessage');
  });
});
