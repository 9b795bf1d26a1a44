import type { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Connection } from '../../shared/connection/connection.ts';
import { findPairingOffer } from '../../shared/connection/pairingOffer.ts';
import { enqueueCommand } from '../../shared/message/command.ts';
import type { SentMessage } from '../../shared/message/message.ts';
import { makeQueueClient } from '../../shared/platform/aws.ts';
import { createQueues, startQueues } from '../emulators/queues.ts';
import { aStoreConfig } from '../emulators/storeConfig.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';
import { startWhatsApp, type WhatsAppSimulator } from '../whatsapp/simulator.ts';
import { until } from '../whatsapp/until.ts';
import { startCore, type Core } from './commands/fakes.ts';
import { collectFacts, makeKeyFile, startWorkerProcess, type WorkerProcess } from './workerProcess.ts';

const OWN = '4915100000001';
const CONTACT = '4915100000002';
const correlationId = 'cor-test-1' as SentMessage['correlationId'];
const PATIENCE_MS = 30_000;

describe('a worker process that ends by itself', () => {
  let core: Core;
  let queues: Awaited<ReturnType<typeof startQueues>>;
  let queue: SQSClient;
  let whatsApp: WhatsAppSimulator;
  let phones: WhatsAppClient;
  let keyFile: ReturnType<typeof makeKeyFile>;
  let published: ReturnType<typeof collectFacts>;
  const workers: WorkerProcess[] = [];
  beforeAll(async () => {
    [core, queues, whatsApp] = await Promise.all([startCore(), startQueues(), startWhatsApp()]);
    await createQueues(queues.endpoint, 'test', 1);
    queue = makeQueueClient(aStoreConfig({ queues }));
    phones = new WhatsAppClient(whatsApp.controlUrl);
    keyFile = makeKeyFile();
    published = collectFacts(queue, queues.queueUrlBase);
    await phones.addPhone(OWN, 'Own');
    await phones.addPhone(CONTACT, 'Contact');
  });
  afterEach(async () => {
    for (const worker of workers) worker.signal('SIGKILL');
    for (const worker of workers.splice(0)) await worker.exited;
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
      HOLDFAST_TASK_ID: `recycle-${workers.length + 1}-${overrides['HOLDFAST_MAX_AGE_MS'] ?? 'calm'}`,
      HOLDFAST_HEARTBEAT_MS: '200',
      HOLDFAST_HEARTBEAT_TIMEOUT_MS: '1000',
      HOLDFAST_FENCE_MS: '4000',
      HOLDFAST_DEATH_MS: '8000',
      HOLDFAST_ORPHAN_CLAIM_MS: '1000',
      HOLDFAST_DRAIN_TIMEOUT_MS: '20000',
      HOLDFAST_LEADER_READ_MS: '200',
      HOLDFAST_WATCH_MS: '100',
      HOLDFAST_GIVE_DEADLINE_MS: '8000',
      HOLDFAST_REBALANCE_EVERY_MS: '1000',
      HOLDFAST_VITALS_EVERY_MS: '200',
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
  const send = async (connection: Connection, text: string): Promise<SentMessage> => {
    const message = await core.aMessage(connection, text, { to: `${CONTACT}@s.whatsapp.net` });
    const { tenantId, connectionId, messageId } = message;
    await enqueueCommand(
      { queue, stage: 'test', queueUrlBase: queues.queueUrlBase },
      0,
      { version: 1, kind: 'send_message', tenantId, connectionId, correlationId, messageId },
      messageId,
    );
    return message;
  };
  const aPairedConnection = async (): Promise<Connection> => {
    const connection = await core.aConnection({
      account: undefined,
      status: 'unpaired',
      statusCode: 'never_paired',
      pairing: { requestId: 'first', requestedAtMs: Date.now(), method: 'qr' },
    });
    const { tenantId, connectionId } = connection;
    const offer = await until(
      'an offer',
      () => findPairingOffer({ table: core.table, stage: 'test' }, connectionId, Date.now()),
      (found) => found?.method === 'qr',
      PATIENCE_MS,
    );
    await phones.scan(OWN, offer?.method === 'qr' ? offer.qr : '');
    const row = await until(
      'online',
      () => core.connections.find(tenantId, connectionId),
      (found) => found?.status === 'online',
      PATIENCE_MS,
    );
    return row ?? connection;
  };
  const says = ({ lines }: WorkerProcess, message: string): boolean =>
    lines.some((line) => line['message'] === message);
  const shown = async (): Promise<readonly string[]> =>
    (await phones.messages(CONTACT)).filter(({ fromMe }) => !fromMe).map(({ text }) => text);
  const received = (): readonly string[] =>
    published.facts.flatMap((fact) =>
      fact.kind === 'message' && fact.content.type === 'text' && !fact.fromMe ? [fact.content.text.body] : [],
    );

  it('waits with that until another one is there, hands over with nothing lost or doubled, and ends with 0', async () => {
    const old = aWorker({ HOLDFAST_MAX_AGE_MS: '500' });
    await old.ready;
    const connection = await aPairedConnection();
    await until('the wish', () => says(old, 'recycle wish changed'), Boolean, PATIENCE_MS);
    const sent = [await send(connection, 'alone')];
    await until('it is shown', shown, (texts) => texts.length === 1, PATIENCE_MS);
    const whileAlone = says(old, 'recycled because it is old');

    const heir = aWorker();
    const end = { hasCome: false };
    void old.exited.then(() => (end.hasCome = true));
    for (let number = 1; !end.hasCome; number += 1) {
      sent.push(await send(connection, `during ${number}`));
      await phones.write(CONTACT, OWN, `answer ${number}`);
      await until('its turn', shown, (texts) => end.hasCome || texts.length >= sent.length - 1, PATIENCE_MS);
    }
    sent.push(await send(connection, 'after'));
    await until('all shown', shown, (texts) => texts.length === sent.length, PATIENCE_MS);
    await until('all received', received, (texts) => texts.length === sent.length - 2, PATIENCE_MS);
    const stats = await phones.stats();

    expect(whileAlone).toBe(false);
    expect(await old.exited).toBe(0);
    expect(says(old, 'recycled because it is old')).toBe(true);
    expect(old.lines.filter((line) => line['WorkerRecycled'] === 1 && line['reason'] === 'age')).toHaveLength(1);
    const during = sent.slice(2).map((_, index) => index + 1);
    expect(await shown()).toEqual(['alone', ...during.map((number) => `during ${number}`), 'after']);
    expect(received()).toEqual(during.map((number) => `answer ${number}`));
    expect(stats).toMatchObject({ replaced: 0, overlap: 0, resent: 0, undecryptable: 0 });
    expect(says(heir, 'recycled because it is old')).toBe(false);
  }, 120_000);

  it('drains at once when its memory is nearly gone, and ends with 0 although nobody is there', async () => {
    const heavy = aWorker({ HOLDFAST_MEMORY_LIMIT_MIB: '10' });
    await heavy.ready;

    const code = await heavy.exited;

    expect(code).toBe(0);
    expect(says(heavy, 'drains because its memory is nearly gone')).toBe(true);
    expect(heavy.lines.some((line) => line['reason'] === 'memory_critical' && line['WorkerRecycled'] === 1)).toBe(true);
  }, 60_000);

  it('refuses limits of memory that contradict each other', async () => {
    const worker = aWorker({ HOLDFAST_MEMORY_RECYCLE_PERCENT: '95', HOLDFAST_MEMORY_FULL_PERCENT: '96' });

    expect(await worker.exited).toBe(1);
    expect(worker.errors()).toContain('HOLDFAST_MEMORY_FULL_PERCENT: must be at most HOLDFAST_MEMORY_RECYCLE_PERCENT');
    expect(worker.errors()).toContain('HOLDFAST_MEMORY_RECYCLE_PERCENT: must be below HOLDFAST_MEMORY_DRAIN_PERCENT');
  });
});
