import { resolve } from 'node:path';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Connection } from '../../shared/connection/connection.ts';
import { readHistory } from '../../shared/connection/statusHistory.ts';
import type { FleetView } from '../../shared/fleet/fleetView.ts';
import { enqueueCommand, type Command } from '../../shared/message/command.ts';
import type { SentMessage } from '../../shared/message/message.ts';
import { makeQueueClient } from '../../shared/platform/aws.ts';
import type { ObjectConfig } from '../../shared/platform/objectConfig.ts';
import type { StoreConfig } from '../../shared/platform/storeConfig.ts';
import { FleetStore } from '../../worker/fleet/fleetStore.ts';
import { createQueues, startQueues } from '../emulators/queues.ts';
import { aStoreConfig } from '../emulators/storeConfig.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';
import { startWhatsApp, type WhatsAppSimulator } from '../whatsapp/simulator.ts';
import { until } from '../whatsapp/until.ts';
import { startCore, type Core } from './sending/fakes.ts';
import { askedForQr, untilQr } from './pairedConnection.ts';
import {
  collectFacts,
  makeKeyFile,
  startWorkerProcess,
  type WorkerProcess,
  type WorkerProgram,
} from './workerProcess.ts';

const PATIENCE_MS = 40_000;
const correlationId = 'cor-test-1' as SentMessage['correlationId'];

/** Real worker processes of one shard, between the emulators and the WhatsApp simulator. */
export class WorkerRoom {
  readonly core: Core;
  readonly phones: WhatsAppClient;
  readonly workers: WorkerProcess[] = [];
  readonly #queues: Awaited<ReturnType<typeof startQueues>>;
  readonly #queue: SQSClient;
  readonly #whatsApp: WhatsAppSimulator;
  readonly #keyFile = makeKeyFile();
  readonly #published: ReturnType<typeof collectFacts>;

  private constructor(core: Core, queues: Awaited<ReturnType<typeof startQueues>>, whatsApp: WhatsAppSimulator) {
    this.core = core;
    this.#queues = queues;
    this.#queue = makeQueueClient(aStoreConfig({ queues }));
    this.#whatsApp = whatsApp;
    this.#published = collectFacts(this.#queue, queues.queueUrlBase, core.recordResults);
    this.phones = new WhatsAppClient(whatsApp.controlUrl);
  }

  /** @param numbers of the phones */
  static async start(numbers: readonly string[]): Promise<WorkerRoom> {
    const [core, queues, whatsApp] = await Promise.all([startCore(), startQueues(), startWhatsApp()]);
    await createQueues(queues.endpoint, 'test', 1);
    const room = new WorkerRoom(core, queues, whatsApp);
    for (const number of numbers) await room.phones.addPhone(number, number);
    return room;
  }

  async stop(): Promise<void> {
    await this.killAll();
    await this.#published.stop();
    this.#queue.destroy();
    await Promise.all([this.#whatsApp.stop(), this.#queues.stop(), this.core.stop()]);
    this.#keyFile.remove();
  }

  /** The queues are gone, with all that is in them. */
  loseQueues(): Promise<void> {
    return this.#queues.stop();
  }

  async killAll(): Promise<void> {
    for (const worker of this.workers) worker.signal('SIGKILL');
    for (const worker of this.workers.splice(0)) await worker.exited;
  }

  /** Has all workers end as on a deploy, so that what follows meets no lease of theirs. */
  async dismissAll(): Promise<void> {
    for (const worker of this.workers) worker.signal('SIGTERM');
    for (const worker of this.workers.splice(0)) await worker.exited;
  }

  get fleetTable() {
    return { table: this.core.table, stage: 'test' } as const;
  }

  /** Settings of whoever calls the stores. */
  stores() {
    return {
      HOLDFAST_STAGE: 'test',
      HOLDFAST_DYNAMODB_ENDPOINT: this.core.endpoint,
      HOLDFAST_SQS_ENDPOINT: this.#queues.endpoint,
      HOLDFAST_QUEUE_URL_BASE: this.#queues.queueUrlBase,
      HOLDFAST_SHARD_COUNT: '1',
      HOLDFAST_HEARTBEAT_MS: '200',
      HOLDFAST_FENCE_MS: '4000',
    } as const;
  }

  /** How stores and queues are reached from this process. */
  config(): StoreConfig & ObjectConfig {
    return aStoreConfig({ dynamoDb: this.core, queues: this.#queues }, { shardCount: 1 });
  }

  /** @param program the worker's own, from its sources, if left out; a path is one of the repository */
  aWorker(
    taskId: string,
    settings: Readonly<Record<string, string>> = {},
    program?: string | WorkerProgram,
  ): WorkerProcess {
    const environment = {
      ...this.stores(),
      HOLDFAST_KEY_FILE: this.#keyFile.path,
      HOLDFAST_TASK_ID: taskId,
      HOLDFAST_HEARTBEAT_TIMEOUT_MS: '1000',
      HOLDFAST_DEATH_MS: '8000',
      HOLDFAST_ORPHAN_CLAIM_MS: '1000',
      HOLDFAST_LEADER_READ_MS: '200',
      HOLDFAST_WATCH_MS: '100',
      HOLDFAST_COMMAND_WAIT_SECONDS: '1',
      HOLDFAST_COMMAND_VISIBILITY_SECONDS: '10',
      BAILEYS_RECONNECT_BASE_DELAY: '300',
      WHATSAPP_URL: this.#whatsApp.webSocketUrl,
      WHATSAPP_ROOT_KEY: this.#whatsApp.rootKey,
      ...settings,
    };
    const folder = resolve(import.meta.dirname, '../..');
    const worker = startWorkerProcess(environment, typeof program === 'string' ? { folder, file: program } : program);
    this.workers.push(worker);
    return worker;
  }

  fleet(): Promise<FleetView> {
    return new FleetStore(this.core.table, 'test').read(1);
  }

  async aPairedConnection(number: string): Promise<Connection> {
    const connection = await this.core.aConnection(askedForQr());
    const { tenantId, connectionId } = connection;
    const pair = { version: 1, kind: 'control', tenantId, connectionId, correlationId, control: 'pair' } as const;
    await this.#command(pair, connectionId);
    await this.phones.scan(number, await untilQr({ table: this.core.table, stage: 'test' }, connection, PATIENCE_MS));
    await this.untilOnline(connection);
    return connection;
  }

  rowOf({ tenantId, connectionId }: Connection): Promise<Connection | undefined> {
    return this.core.connections.find(tenantId, connectionId);
  }

  untilOnline(connection: Connection): Promise<Connection | undefined> {
    return until(
      'online',
      () => this.rowOf(connection),
      (row) => row?.status === 'online',
      PATIENCE_MS,
    );
  }

  /** The statuses of a connection so far, oldest first, as `status/code`. */
  async history({ connectionId }: Connection): Promise<readonly string[]> {
    const history = await readHistory({ table: this.core.table, stage: 'test' }, connectionId, Date.now());
    return history.map(({ status, code }) => `${status}/${code}`).toReversed();
  }

  /** Accepts a message to somebody, as the API does. */
  async send(connection: Connection, text: string, contact: string): Promise<SentMessage> {
    const message = await this.core.aMessage(connection, text, { to: `${contact}@s.whatsapp.net` });
    const { tenantId, connectionId, messageId } = message;
    await this.#command(
      { version: 1, kind: 'send_message', tenantId, connectionId, correlationId, messageId },
      messageId,
    );
    return message;
  }

  async untilSent(message: SentMessage): Promise<void> {
    await until(
      'sent',
      () => this.core.stateOf(message.connectionId, message.messageId),
      (state) => state === 'sent' || state === 'delivered' || state === 'read',
      PATIENCE_MS,
    );
  }

  /** Texts that a phone shows, of those that were sent to it. */
  async shownTo(contact: string): Promise<readonly string[]> {
    return (await this.phones.messages(contact)).filter(({ fromMe }) => !fromMe).map(({ text }) => text);
  }

  /** What the workers published, until it is stopped. */
  collectFacts(): ReturnType<typeof collectFacts> {
    return this.#published;
  }

  #command(command: Command, deduplicationId: string): Promise<void> {
    const { queueUrlBase } = this.#queues;
    return enqueueCommand({ queue: this.#queue, stage: 'test', queueUrlBase }, 0, command, deduplicationId);
  }
}
