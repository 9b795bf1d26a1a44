import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Connection } from '../../shared/connection/connection.ts';
import { enqueueCommand } from '../../shared/message/command.ts';
import type { SentMessage } from '../../shared/message/message.ts';
import { makeQueueClient } from '../../shared/platform/aws.ts';
import { TcpProxy } from '../chaos/tcpProxy.ts';
import { createQueues, startQueues } from '../emulators/queues.ts';
import { aStoreConfig } from '../emulators/storeConfig.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';
import { startWhatsApp, type WhatsAppSimulator } from '../whatsapp/simulator.ts';
import { until } from '../whatsapp/until.ts';
import { startCore, type Core } from './sending/fakes.ts';
import { askedForQr, untilQr } from './pairedConnection.ts';
import { collectFacts, makeKeyFile, startWorkerProcess, type WorkerProcess } from './workerProcess.ts';

const OWN = '4915100000001';
const CONTACT = '4915100000002';
const correlationId = 'cor-test-1' as SentMessage['correlationId'];
const PATIENCE_MS = 30_000;

/** A real worker whose stores go silent for a while: it stays, keeps its socket, asks less, and goes on at once. */
describe('a worker while a store does not answer', () => {
  let core: Core;
  let queues: Awaited<ReturnType<typeof startQueues>>;
  let whatsApp: WhatsAppSimulator;
  let phones: WhatsAppClient;
  let keyFile: ReturnType<typeof makeKeyFile>;
  let published: ReturnType<typeof collectFacts>;
  let worker: WorkerProcess;
  let connection: Connection;
  let passages: Readonly<Record<'dynamodb' | 'sqs', TcpProxy>>;
  beforeAll(async () => {
    [core, queues, whatsApp] = await Promise.all([startCore(), startQueues(), startWhatsApp()]);
    await createQueues(queues.endpoint, 'test', 2);
    const proxyOf = async (endpoint: string): Promise<TcpProxy> => {
      const { hostname, port } = new URL(endpoint);
      return TcpProxy.start({ host: hostname, port: Number(port) });
    };
    passages = { dynamodb: await proxyOf(core.endpoint), sqs: await proxyOf(queues.endpoint) };
    phones = new WhatsAppClient(whatsApp.controlUrl);
    keyFile = makeKeyFile();
    published = collectFacts(makeQueueClient(aStoreConfig({ queues })), queues.queueUrlBase, core.recordResults);
    await phones.addPhone(OWN, 'Own');
    await phones.addPhone(CONTACT, 'Contact');
    worker = startWorkerProcess({
      HOLDFAST_STAGE: 'test',
      HOLDFAST_DYNAMODB_ENDPOINT: `http://127.0.0.1:${passages.dynamodb.port}`,
      HOLDFAST_SQS_ENDPOINT: `http://127.0.0.1:${passages.sqs.port}`,
      HOLDFAST_QUEUE_URL_BASE: queues.queueUrlBase,
      HOLDFAST_SHARD_COUNT: '1',
      HOLDFAST_KEY_FILE: keyFile.path,
      HOLDFAST_TASK_ID: 'task-silent',
      HOLDFAST_STORE_TIMEOUT_MS: '500',
      // Heartbeats are as far apart as by default, so that a silence of seconds closes no gate.
      HOLDFAST_HEARTBEAT_MS: '500',
      HOLDFAST_HEARTBEAT_TIMEOUT_MS: '1000',
      HOLDFAST_FENCE_MS: '30000',
      HOLDFAST_DEATH_MS: '40000',
      HOLDFAST_LEADER_READ_MS: '200',
      HOLDFAST_WATCH_MS: '100',
      HOLDFAST_COMMAND_WAIT_SECONDS: '1',
      HOLDFAST_COMMAND_VISIBILITY_SECONDS: '10',
      BAILEYS_RECONNECT_BASE_DELAY: '300',
      WHATSAPP_URL: whatsApp.webSocketUrl,
      WHATSAPP_ROOT_KEY: whatsApp.rootKey,
    });
    await worker.ready;
    connection = await pair();
  });
  afterEach(async () => {
    await Promise.all([passages.dynamodb.set('open'), passages.sqs.set('open')]);
  });
  afterAll(async () => {
    worker.signal('SIGKILL');
    await worker.exited;
    await published.stop();
    await Promise.all([passages.dynamodb.stop(), passages.sqs.stop()]);
    await Promise.all([whatsApp.stop(), queues.stop(), core.stop()]);
    keyFile.remove();
  });

  const stores = () => ({
    queue: makeQueueClient(aStoreConfig({ queues })),
    stage: 'test',
    queueUrlBase: queues.queueUrlBase,
  });
  const pair = async (): Promise<Connection> => {
    const made = await core.aConnection(askedForQr());
    const { tenantId, connectionId } = made;
    const command = { version: 1, kind: 'control', tenantId, connectionId, correlationId, control: 'pair' } as const;
    await enqueueCommand(stores(), 0, command, 'pair');
    await phones.scan(OWN, await untilQr({ table: core.table, stage: 'test' }, made, PATIENCE_MS));
    const online = await until(
      'online',
      () => core.connections.find(tenantId, connectionId),
      (row) => row?.status === 'online',
      PATIENCE_MS,
    );
    return online ?? made;
  };
  const send = async (text: string): Promise<SentMessage> => {
    const message = await core.aMessage(connection, text, { to: `${CONTACT}@s.whatsapp.net` });
    const { tenantId, connectionId, messageId } = message;
    const command = { version: 1, kind: 'send_message', tenantId, connectionId, correlationId, messageId } as const;
    await enqueueCommand(stores(), 0, command, messageId);
    return message;
  };
  const isSent = ({ connectionId, messageId }: SentMessage): Promise<unknown> =>
    until(
      'sent',
      () => core.stateOf(connectionId, messageId),
      (state) => state === 'sent',
      PATIENCE_MS,
    );
  const said = (message: string, dependency: string): number =>
    worker.lines.filter((line) => line['message'] === message && line['dependency'] === dependency).length;
  const logins = (): number => Object.values(whatsApp.stats().logins).flat().length;
  const states = async (): Promise<unknown> => (await worker.status('/health/ready')).json();

  it('lets commands wait while DynamoDB is silent, and sends them as soon as it answers', async () => {
    await isSent(await send('before'));
    const before = logins();

    await passages.dynamodb.set('silent');
    const during = await send('during');
    await until(
      'an open breaker',
      () => said('breaker opened', 'dynamodb'),
      (times) => times > 0,
      PATIENCE_MS,
    );
    const whileSilent = await states();
    await passages.dynamodb.set('open');
    await isSent(during);
    await until(
      'a closed breaker',
      () => said('breaker closed', 'dynamodb'),
      (times) => times > 0,
      PATIENCE_MS,
    );

    expect(whileSilent).toMatchObject({ status: 'ready', breakers: { dynamodb: expect.stringMatching(/open/) } });
    expect(await states()).toMatchObject({ status: 'ready', breakers: { dynamodb: 'closed' } });
    expect(logins()).toBe(before);
  });

  it('holds what it receives while SQS is silent, and publishes it as soon as it answers', async () => {
    const before = logins();
    const received = (): readonly string[] =>
      published.facts.flatMap((fact) =>
        fact.kind === 'message' && fact.content.type === 'text' && !fact.fromMe ? [fact.content.text.body] : [],
      );

    await passages.sqs.set('silent');
    await phones.write(CONTACT, OWN, 'hello in the silence');
    await until(
      'an open breaker',
      () => said('breaker opened', 'sqs'),
      (times) => times > 0,
      PATIENCE_MS,
    );
    await passages.sqs.set('open');
    await until('the fact', received, (texts) => texts.includes('hello in the silence'), PATIENCE_MS);
    await isSent(await send('after'));

    expect(received()).toEqual(['hello in the silence']);
    expect(logins()).toBe(before);
  });
});
