import type { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Connection } from '../../shared/connection/connection.ts';
import { findPairingOffer } from '../../shared/connection/pairingOffer.ts';
import { enqueueCommand, type Command } from '../../shared/message/command.ts';
import type { SentMessage } from '../../shared/message/message.ts';
import { makeQueueClient } from '../../shared/platform/aws.ts';
import { markTaskDead } from '../../shared/fleet/fleetLease.ts';
import { assertQuiet } from '../quiet/findSecrets.ts';
import { createQueues, startQueues } from '../emulators/queues.ts';
import { aStoreConfig } from '../emulators/storeConfig.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';
import { startWhatsApp, type WhatsAppSimulator } from '../whatsapp/simulator.ts';
import { until } from '../whatsapp/until.ts';
import { startCore, type Core } from './sending/fakes.ts';
import { askedForQr } from './pairedConnection.ts';
import { collectFacts, makeKeyFile, startWorkerProcess, type WorkerProcess } from './workerProcess.ts';

const OWN = '4915100000001';
const CONTACT = '4915100000002';
const correlationId = 'cor-test-1' as SentMessage['correlationId'];

describe('worker processes', () => {
  let core: Core;
  let queues: Awaited<ReturnType<typeof startQueues>>;
  let queue: SQSClient;
  let whatsApp: WhatsAppSimulator;
  let phones: WhatsAppClient;
  let keyFile: ReturnType<typeof makeKeyFile>;
  let published: ReturnType<typeof collectFacts>;
  let tasks = 0;
  let sequence = 0;
  const workers: WorkerProcess[] = [];
  beforeAll(async () => {
    [core, queues, whatsApp] = await Promise.all([startCore(), startQueues(), startWhatsApp()]);
    await createQueues(queues.endpoint, 'test', 2);
    queue = makeQueueClient(aStoreConfig({ queues }));
    phones = new WhatsAppClient(whatsApp.controlUrl);
    keyFile = makeKeyFile();
    published = collectFacts(queue, queues.queueUrlBase, core.recordResults);
    await phones.addPhone(OWN, 'Own');
    await phones.addPhone(CONTACT, 'Contact');
  });
  afterEach(async () => {
    for (const worker of workers) worker.signal('SIGKILL');
    for (const worker of workers.splice(0)) {
      await worker.exited;
      assertQuiet(worker.lines.map((line) => JSON.stringify(line)).join('\n'));
      await markTaskDead({ table: core.table, stage: 'test' }, worker.taskId, Date.now());
    }
  });
  afterAll(async () => {
    await published.stop();
    await Promise.all([whatsApp.stop(), queues.stop(), core.stop()]);
    keyFile.remove();
  });

  const aWorker = (overrides: Readonly<Record<string, string>> = {}): WorkerProcess => {
    const worker = startWorkerProcess({
      HOLDFAST_STAGE: 'test',
      HOLDFAST_DYNAMODB_ENDPOINT: core.endpoint,
      HOLDFAST_SQS_ENDPOINT: queues.endpoint,
      HOLDFAST_QUEUE_URL_BASE: queues.queueUrlBase,
      HOLDFAST_SHARD_COUNT: '1',
      HOLDFAST_KEY_FILE: keyFile.path,
      HOLDFAST_TASK_ID: `task-${(tasks += 1)}`,
      HOLDFAST_LOG_LEVEL: 'debug',
      HOLDFAST_HEARTBEAT_MS: '200',
      HOLDFAST_HEARTBEAT_TIMEOUT_MS: '1000',
      HOLDFAST_FENCE_MS: '4000',
      HOLDFAST_DEATH_MS: '8000',
      HOLDFAST_ORPHAN_CLAIM_MS: '1000',
      HOLDFAST_DRAIN_TIMEOUT_MS: '20000',
      HOLDFAST_LEADER_READ_MS: '200',
      HOLDFAST_WATCH_MS: '100',
      HOLDFAST_GIVE_DEADLINE_MS: '8000',
      HOLDFAST_COMMAND_WAIT_SECONDS: '1',
      HOLDFAST_COMMAND_VISIBILITY_SECONDS: '10',
      BAILEYS_RECONNECT_BASE_DELAY: '300',
      WHATSAPP_URL: whatsApp.webSocketUrl,
      WHATSAPP_ROOT_KEY: whatsApp.rootKey,
      ...overrides,
    });
    workers.push(worker);
    return worker;
  };
  const rowOf = ({ tenantId, connectionId }: Connection): Promise<Connection | undefined> =>
    core.connections.find(tenantId, connectionId);
  const isOnline = (row: Connection | undefined): boolean => row?.status === 'online';
  const command = (command: Command, deduplicationId: string): Promise<void> =>
    enqueueCommand({ queue, stage: 'test', queueUrlBase: queues.queueUrlBase }, 0, command, deduplicationId);
  const control = ({ tenantId, connectionId }: Connection, kind: 'pair' | 'unlink'): Promise<void> =>
    command(
      { version: 1, kind: 'control', tenantId, connectionId, correlationId, control: kind },
      `control-${(sequence += 1)}`,
    );
  const send = async (connection: Connection, text: string): Promise<SentMessage> => {
    const message = await core.aMessage(connection, text, { to: `${CONTACT}@s.whatsapp.net` });
    const { tenantId, connectionId, messageId } = message;
    await command({ version: 1, kind: 'send_message', tenantId, connectionId, correlationId, messageId }, messageId);
    return message;
  };
  /** A connection for which a QR offer is asked by row and command, as the API does. */
  const aConnectionThatPairs = async (): Promise<Connection> => {
    const connection = await core.aConnection(askedForQr());
    await control(connection, 'pair');
    return connection;
  };
  /** The QR text or the code that is out. */
  const anOffer = async ({ connectionId }: Connection, method: 'qr' | 'code'): Promise<string> => {
    const offer = await until(
      'an offer',
      () => findPairingOffer({ table: core.table, stage: 'test' }, connectionId, Date.now()),
      (found) => found?.method === method,
    );
    return offer?.method === 'code' ? offer.code : offer?.method === 'qr' ? offer.qr : '';
  };
  const aPairedConnection = async (): Promise<Connection> => {
    const connection = await aConnectionThatPairs();
    await phones.scan(OWN, await anOffer(connection, 'qr'));
    const row = await until('online', () => rowOf(connection), isOnline);
    return row ?? connection;
  };
  const isSent = async (message: SentMessage): Promise<void> => {
    await until(
      'sent',
      () => core.stateOf(message.connectionId, message.messageId),
      (state) => state === 'sent',
    );
  };
  const shown = async (): Promise<readonly string[]> =>
    (await phones.messages(CONTACT)).filter(({ fromMe }) => !fromMe).map(({ text }) => text);
  const received = (): readonly string[] =>
    published.facts.flatMap((fact) =>
      fact.kind === 'message' && fact.content.type === 'text' && !fact.fromMe ? [fact.content.text.body] : [],
    );
  const remove = async (connection: Connection): Promise<void> => {
    await core.connections.setWanted(connection.tenantId, connection.connectionId, 'deleted');
    await control(connection, 'unlink');
    await until(
      'removal',
      () => rowOf(connection),
      (row) => row === undefined,
    );
  };

  it('pair by QR, send, receive, hand off on SIGTERM without a lost or doubled message, and unlink', async () => {
    const first = aWorker();
    const workerId = await first.ready;
    const connection = await aPairedConnection();
    const before = await send(connection, 'before the hand-off');
    await isSent(before);
    await phones.write(CONTACT, OWN, 'hello from outside');
    await until('the inbound fact', received, (texts) => texts.length === 1);
    const second = aWorker();
    await second.ready;
    const readiness = await first.status('/health/ready');
    const metrics = await (await first.status('/metrics')).text();

    first.signal('SIGTERM');
    const during = await Promise.all(['one', 'two', 'three'].map((text) => send(connection, `during: ${text}`)));
    await phones.write(CONTACT, OWN, 'hello in between');
    const code = await first.exited;
    for (const message of during) await isSent(message);
    const after = await send(connection, 'after the hand-off');
    await isSent(after);
    await until('the second inbound fact', received, (texts) => texts.length === 2);
    await until('all shown', shown, (texts) => texts.length === 5);
    const stats = await phones.stats();
    await remove(connection);
    const [own] = await phones.phones();

    expect(code).toBe(0);
    expect(first.lines[0]).toMatchObject({ ready: true, workerId });
    expect(readiness.status).toBe(200);
    expect(metrics).toMatch(/holdfast_messages_sent_total{stage="test"} 1\n/);
    expect(metrics).toMatch(/holdfast_open_succeeded_total{stage="test"} [1-9]/);
    expect((await shown())[0]).toBe('before the hand-off');
    expect((await shown()).at(-1)).toBe('after the hand-off');
    expect(new Set(await shown()).size).toBe(5);
    expect(received()).toEqual(['hello from outside', 'hello in between']);
    expect(stats).toMatchObject({ replaced: 0, overlap: 0, resent: 0, undecryptable: 0 });
    const [firstToken = 0, secondToken = 0, ...others] = published.tokens;
    expect(secondToken).toBeGreaterThan(firstToken);
    expect(others).toEqual([]);
    expect(own?.devices).toEqual([]);
  });

  it.each(['drain', 'restart'] as const)(
    'leave a connection unpaired whose device the phone removed a moment after the pairing, through a %s',
    async (how) => {
      const first = aWorker();
      await first.ready;
      const connection = await aConnectionThatPairs();
      const { device } = await phones.scan(OWN, await anOffer(connection, 'qr'));
      await until('online', () => rowOf(connection), isOnline);
      await phones.removeDevice(OWN, device);
      const isUnpaired = (row: Connection | undefined): boolean => row?.status === 'unpaired';
      await until('unpaired', () => rowOf(connection), isUnpaired);
      if (how === 'drain') await aWorker().ready;
      first.signal('SIGTERM');
      await first.exited;
      const heir = how === 'drain' ? workers.at(-1) : aWorker();
      // The listing at the claim has looked at every record of the shard by then.
      const message = await core.aMessage(connection, 'never', { to: `${CONTACT}@s.whatsapp.net` });
      const { tenantId, connectionId, messageId } = message;
      await command({ version: 1, kind: 'send_message', tenantId, connectionId, correlationId, messageId }, messageId);
      await until(
        'an heir that works',
        () => core.stateOf(connectionId, messageId),
        (state) => state?.startsWith('failed') === true,
      );
      await new Promise((resolve) => setTimeout(resolve, 1_000));

      expect(heir?.lines.filter(({ to }) => to === 'pairing')).toEqual([]);
      expect(await rowOf(connection)).toMatchObject({ status: 'unpaired', statusCode: 'logged_out' });
      expect(await findPairingOffer({ table: core.table, stage: 'test' }, connectionId, Date.now())).toBeUndefined();
      await remove(connection);
    },
  );

  it('take over from one that was killed, once its task is known to be stopped', async () => {
    const first = aWorker();
    await first.ready;
    const connection = await aPairedConnection();
    const second = aWorker();
    await second.ready;
    const countBefore = (await shown()).length;

    first.signal('SIGKILL');
    await first.exited;
    const message = await send(connection, 'while nobody owns it');
    await markTaskDead({ table: core.table, stage: 'test' }, first.taskId, Date.now());

    await isSent(message);
    await until('shown', shown, (texts) => texts.length === countBefore + 1);
    const stats = await phones.stats();
    expect(stats.stanzas[message.stanzaId]).toBe(1);
    expect(stats.overlap).toBe(0);
    await remove(connection);
  });

  it('close their sockets and end with 2 when their lease is dead, and write nothing more', async () => {
    const worker = aWorker();
    await worker.ready;
    const connection = await aPairedConnection();

    await markTaskDead({ table: core.table, stage: 'test' }, worker.taskId, Date.now());

    expect(await worker.exited).toBe(2);
    expect((await rowOf(connection))?.status).toBe('online');
    const heir = aWorker();
    await heir.ready;
    await until(
      'a new owner',
      () => published.tokens.size,
      (size) => size >= 1,
    );
    await remove(connection);
  });

  it('say which setting is wrong, and end with 1', async () => {
    const worker = aWorker({ HOLDFAST_FENCE_MS: '100', HOLDFAST_KEY_FIEL: '/nowhere' });

    expect(await worker.exited).toBe(1);
    expect(worker.errors()).toContain('HOLDFAST_HEARTBEAT_MS: must be at most a third of HOLDFAST_FENCE_MS');
    expect(worker.errors()).toContain('HOLDFAST_KEY_FIEL: there is no such setting');
    expect(worker.lines).toEqual([]);
  });

  it('end with 1 when the store cannot be reached', async () => {
    const worker = aWorker({ HOLDFAST_DYNAMODB_ENDPOINT: 'http://127.0.0.1:1' });

    expect(await worker.exited).toBe(1);
    expect(worker.lines.at(-1)).toMatchObject({ level: 'error', message: 'worker could not start' });
  });

  it('pair by a code that replaces a QR offer, and log neither texts nor numbers nor offers', async () => {
    const worker = aWorker();
    await worker.ready;
    const connection = await aConnectionThatPairs();
    const { tenantId, connectionId } = connection;
    const first = await anOffer(connection, 'qr');
    await core.connections.setPairing(tenantId, connectionId, {
      requestId: 'second',
      requestedAtMs: Date.now(),
      method: 'code',
      phoneNumber: OWN,
    });
    await control(connection, 'pair');
    const second = await anOffer(connection, 'code');
    await phones.typeCode(OWN, second);
    await until('online', () => rowOf(connection), isOnline);
    const message = await send(connection, 'a secret text');
    await isSent(message);

    const log = worker.lines.map((line) => JSON.stringify(line)).join('\n');

    expect(log).toContain(message.messageId);
    expect(log).toContain(correlationId);
    expect(log).not.toContain('a secret text');
    expect(log).not.toContain(CONTACT);
    expect(log).not.toContain(OWN);
    expect(log).not.toContain(first);
    expect(log).not.toContain(second);
    await remove(connection);
  });

  it('end with 1 when they are asked twice, or when the drain takes too long', async () => {
    // The shard has no connections: its poll is out for 20 s and is waited for, so the drain cannot be over.
    const settings = { HOLDFAST_SHARD_COUNT: '2', HOLDFAST_COMMAND_WAIT_SECONDS: '20' };
    const says = (worker: WorkerProcess, message: string, shard?: number): boolean =>
      worker.lines.some((line) => line['message'] === message && line['shard'] === shard);
    const patient = aWorker(settings);
    await until('a claim', () => says(patient, 'shard claimed', 1), Boolean);
    patient.signal('SIGTERM');
    await until('the drain', () => says(patient, 'drain started'), Boolean);
    patient.signal('SIGTERM');
    const asked = await patient.exited;
    await markTaskDead({ table: core.table, stage: 'test' }, patient.taskId, Date.now());
    const late = aWorker({ ...settings, HOLDFAST_DRAIN_TIMEOUT_MS: '300', HOLDFAST_GIVE_DEADLINE_MS: '100' });
    await until('a claim', () => says(late, 'shard claimed', 1), Boolean);
    late.signal('SIGTERM');

    expect(asked).toBe(1);
    expect(await late.exited).toBe(1);
    expect(late.lines.filter(({ message }) => message !== undefined).at(-1)).toMatchObject({
      message: 'drain did not finish',
    });
  });
});
