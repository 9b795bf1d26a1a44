import type { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Connection } from '../../shared/connection/connection.ts';
import { findPairingOffer } from '../../shared/connection/pairingOffer.ts';
import { readHistory } from '../../shared/connection/statusHistory.ts';
import { enqueueCommand, type Command } from '../../shared/message/command.ts';
import type { SentMessage } from '../../shared/message/message.ts';
import { makeQueueClient } from '../../shared/platform/aws.ts';
import { createQueues, startQueues } from '../emulators/queues.ts';
import { aStoreConfig } from '../emulators/storeConfig.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';
import { silenceConsole } from '../whatsapp/silenceConsole.ts';
import { startWhatsApp, type WhatsAppSimulator } from '../whatsapp/simulator.ts';
import { until } from '../whatsapp/until.ts';
import { startCore, type Core } from './commands/fakes.ts';
import { makeKeyFile, startWorkerProcess, type WorkerProcess } from './workerProcess.ts';

silenceConsole();
const CONTACT = '4915100000009';
const NUMBERS = ['4915100000001', '4915100000002', '4915100000003', '4915100000004', '4915100000005'] as const;
/** Their sends get no acks: the fewer of them, so that the fault may be the worker's. */
const STUCK = NUMBERS.slice(0, 2);
const DEADLINE_MS = 40_000;
const correlationId = 'cor-test-1' as SentMessage['correlationId'];

describe('a worker whose new sockets do not help', () => {
  let core: Core;
  let queues: Awaited<ReturnType<typeof startQueues>>;
  let queue: SQSClient;
  let whatsApp: WhatsAppSimulator;
  let phones: WhatsAppClient;
  let keyFile: ReturnType<typeof makeKeyFile>;
  const workers: WorkerProcess[] = [];
  beforeAll(async () => {
    [core, queues, whatsApp] = await Promise.all([startCore(), startQueues(), startWhatsApp()]);
    await createQueues(queues.endpoint, 'test', 1);
    queue = makeQueueClient(aStoreConfig({ queues }));
    phones = new WhatsAppClient(whatsApp.controlUrl);
    keyFile = makeKeyFile();
    for (const number of [...NUMBERS, CONTACT]) await phones.addPhone(number, number);
  });
  afterAll(async () => {
    for (const worker of workers) worker.signal('SIGKILL');
    for (const worker of workers) await worker.exited;
    await Promise.all([whatsApp.stop(), queues.stop(), core.stop()]);
    keyFile.remove();
  });

  const aWorker = (taskId: string): WorkerProcess => {
    const worker = startWorkerProcess({
      HOLDFAST_STAGE: 'test',
      HOLDFAST_DYNAMODB_ENDPOINT: core.endpoint,
      HOLDFAST_SQS_ENDPOINT: queues.endpoint,
      HOLDFAST_QUEUE_URL_BASE: queues.queueUrlBase,
      HOLDFAST_SHARD_COUNT: '1',
      HOLDFAST_KEY_FILE: keyFile.path,
      HOLDFAST_TASK_ID: taskId,
      HOLDFAST_HEARTBEAT_MS: '200',
      HOLDFAST_HEARTBEAT_TIMEOUT_MS: '1000',
      HOLDFAST_FENCE_MS: '4000',
      HOLDFAST_DEATH_MS: '8000',
      HOLDFAST_ORPHAN_CLAIM_MS: '1000',
      HOLDFAST_LEADER_READ_MS: '200',
      HOLDFAST_WATCH_MS: '100',
      HOLDFAST_COMMAND_WAIT_SECONDS: '1',
      HOLDFAST_SERVER_ACK_TIMEOUT_MS: '1000',
      HOLDFAST_SUPERVISE_EVERY_MS: '200',
      HOLDFAST_UNACKNOWLEDGED_LIMIT_MS: '2500',
      BAILEYS_RECONNECT_BASE_DELAY: '150',
      BAILEYS_RECONNECT_MAX_DELAY: '2000',
      WHATSAPP_URL: whatsApp.webSocketUrl,
      WHATSAPP_ROOT_KEY: whatsApp.rootKey,
    });
    workers.push(worker);
    return worker;
  };
  const command = (each: Command, deduplicationId: string): Promise<void> =>
    enqueueCommand({ queue, stage: 'test', queueUrlBase: queues.queueUrlBase }, 0, each, deduplicationId);
  const aPairedConnection = async (number: string): Promise<Connection> => {
    const connection = await core.aConnection({
      account: undefined,
      status: 'unpaired',
      statusCode: 'never_paired',
      pairing: { requestId: 'first', requestedAtMs: Date.now(), method: 'qr' },
    });
    const { tenantId, connectionId } = connection;
    await command(
      { version: 1, kind: 'control', tenantId, connectionId, correlationId, control: 'pair' },
      connectionId,
    );
    const offer = await until(
      'an offer',
      () => findPairingOffer({ table: core.table, stage: 'test' }, connectionId, Date.now()),
      (found) => found !== undefined,
      DEADLINE_MS,
    );
    await phones.scan(number, offer?.method === 'qr' ? offer.qr : '');
    await until(
      'online',
      () => core.connections.find(tenantId, connectionId),
      (row) => row?.status === 'online',
      DEADLINE_MS,
    );
    return connection;
  };
  const send = async (connection: Connection, text: string): Promise<SentMessage> => {
    const message = await core.aMessage(connection, text, { to: `${CONTACT}@s.whatsapp.net` });
    const { tenantId, connectionId, messageId } = message;
    await command({ version: 1, kind: 'send_message', tenantId, connectionId, correlationId, messageId }, messageId);
    return message;
  };

  it('drains: another worker takes its connections over, and what waited to be sent is sent once', async () => {
    const first = aWorker('first');
    await first.ready;
    const connections = await Promise.all(NUMBERS.map(aPairedConnection));
    const second = aWorker('second');
    await second.ready;
    for (const number of STUCK) await phones.fault({ kind: 'drop_acks', number });

    const messages = await Promise.all(connections.slice(0, STUCK.length).map((each, index) => send(each, `${index}`)));
    const code = await first.exited;
    await phones.clearFaults();
    for (const { connectionId, messageId } of messages) {
      await until(
        'sent by the other worker',
        () => core.stateOf(connectionId, messageId),
        (state) => state === 'sent' || state === 'delivered',
        DEADLINE_MS,
      );
    }
    const [connection] = connections;
    const history = await readHistory(
      { table: core.table, stage: 'test' },
      connection?.connectionId ?? ('' as Connection['connectionId']),
      Date.now(),
    );
    const shown = (await phones.messages(CONTACT)).filter(({ fromMe }) => !fromMe).map(({ text }) => text);
    const stats = await phones.stats();

    expect(code).toBe(0);
    expect(first.lines).toContainEqual(
      expect.objectContaining({ message: 'drains: new sockets do not help its connections', symptom: 'sends_stuck' }),
    );
    expect(history.filter(({ code: shownCode }) => shownCode === 'sends_stuck').length).toBeGreaterThanOrEqual(3);
    expect(shown.toSorted()).toEqual(['0', '1']);
    expect(stats).toMatchObject({ replaced: 0, overlap: 0 });
    expect(second.lines.filter(({ level }) => level === 'error')).toEqual([]);
  }, 150_000);
});
