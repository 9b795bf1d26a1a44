import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Connection } from '../../shared/connection/connection.ts';
import { readHistory } from '../../shared/connection/statusHistory.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { makeId, type StanzaId } from '../../shared/kernel/id.ts';
import { systemRandom } from '../../shared/kernel/random.ts';
import { enqueueCommand } from '../../shared/message/command.ts';
import type { SentMessage } from '../../shared/message/message.ts';
import { makePollingClient, makeQueueClient } from '../../shared/platform/aws.ts';
import { workerConfig } from '../../shared/platform/config.ts';
import { makeLocalKeyProvider } from '../../shared/platform/keyProvider.ts';
import { Scope } from '../../shared/kernel/scope.ts';
import { silentMetrics } from '../../shared/platform/metrics.ts';
import { askedForQr, untilQr } from './pairedConnection.ts';
import { neverRefused } from './fleet/neverRefused.ts';
import { makeOwnedShards } from '../../worker/shardComposition.ts';
import type { FactPublisher } from '../../worker/facts/factPublisher.ts';
import { OpenMeter } from '../../worker/runner/openMeter.ts';
import type { OwnedShards } from '../../worker/commands/ownedShards.ts';
import type { ProcessSymptom } from '../../worker/runner/supervision.ts';
import { Supervisor } from '../../worker/runner/supervisor.ts';
import { openSocket } from '../../worker/socket/openSocket.ts';
import { prepareProcess } from '../../worker/socket/repairs/prepareProcess.ts';
import { createQueues, startQueues } from '../emulators/queues.ts';
import { aStoreConfig } from '../emulators/storeConfig.ts';
import { makeWatchedLogger } from '../quiet/watchedLogger.ts';
import { keepingMetrics } from '../shared/platform/keepingMetrics.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';
import { startWhatsApp, type WhatsAppSimulator } from '../whatsapp/simulator.ts';
import { until } from '../whatsapp/until.ts';
import { startCore, type Core } from './sending/fakes.ts';
import { makeSwitchGate } from './fleet/gates.ts';
import { collectFacts, makeKeyFile } from './workerProcess.ts';

const STAGE = 'test';
const correlationId = 'cor-test-1' as SentMessage['correlationId'];
export const OWN = '4915100000001';
export const CONTACT = '4915100000002';

/**
 * Times of the supervisor are shrunk, and the deadlines inside the socket that would see the same are put off for ever: what
 * is seen here, the supervisor sees alone.
 */
const settings = {
  HOLDFAST_KEEP_ALIVE_MS: '3600000',
  HOLDFAST_OPEN_WITHIN_MS: '3600000',
  HOLDFAST_STABLE_AFTER_MS: '60000',
  HOLDFAST_SERVER_ACK_TIMEOUT_MS: '1000',
  HOLDFAST_COMMAND_WAIT_SECONDS: '1',
  HOLDFAST_SUPERVISE_EVERY_MS: '100',
  HOLDFAST_PROBE_AFTER_MS: '500',
  HOLDFAST_SUCCESS_WITHIN_MS: '8000',
  HOLDFAST_SILENCE_LIMIT_MS: '5000',
  HOLDFAST_UNHANDLED_LIMIT_MS: '5000',
  HOLDFAST_UNACKNOWLEDGED_LIMIT_MS: '5000',
  HOLDFAST_LOCK_LIMIT_MS: '60000',
  BAILEYS_RECONNECT_BASE_DELAY: '150',
  BAILEYS_RECONNECT_MAX_DELAY: '9000',
} as const;

/** A worker in this process that owns one shard without a lease, and its supervisor. All that it does is real. */
export class SupervisedWorker {
  readonly core: Core;
  readonly whatsApp: WhatsAppSimulator;
  readonly phones: WhatsAppClient;
  readonly gate = makeSwitchGate();
  readonly metrics = keepingMetrics();
  readonly broken: unknown[] = [];
  readonly unwell: ProcessSymptom[] = [];
  readonly shards: OwnedShards;
  /** Sockets that were opened. */
  opens = 0;
  /** Comes before each publish; the port that a test lets hang. */
  beforePublish: () => Promise<void> = async () => undefined;
  readonly #queue: SQSClient;
  readonly #queueUrlBase: string;
  readonly #published: ReturnType<typeof collectFacts>;
  readonly #supervisor: Supervisor;
  readonly #stops: readonly (() => unknown)[];

  private constructor(
    core: Core,
    whatsApp: WhatsAppSimulator,
    queues: Awaited<ReturnType<typeof startQueues>>,
    overrides: Readonly<Record<string, string>>,
  ) {
    this.core = core;
    this.whatsApp = whatsApp;
    this.phones = new WhatsAppClient(whatsApp.controlUrl);
    this.#queueUrlBase = queues.queueUrlBase;
    const stores = aStoreConfig({ dynamoDb: { endpoint: core.endpoint }, queues });
    this.#queue = makeQueueClient(stores);
    this.#published = collectFacts(this.#queue, queues.queueUrlBase, this.core.recordResults);
    const keyFile = makeKeyFile();
    const logger = makeWatchedLogger((problem) => void this.broken.push(problem));
    const config = workerConfig({
      ...settings,
      HOLDFAST_STAGE: STAGE,
      HOLDFAST_QUEUE_URL_BASE: queues.queueUrlBase,
      HOLDFAST_KEY_FILE: keyFile.path,
      HOLDFAST_TASK_ID: 'supervised',
      WHATSAPP_URL: whatsApp.webSocketUrl,
      WHATSAPP_ROOT_KEY: whatsApp.rootKey,
      ...overrides,
    });
    this.shards = makeOwnedShards({
      config,
      logger,
      workerId: makeId('wrk', Date.now(), systemRandom),
      gate: this.gate,
      takeTurn: async () => () => undefined,
      onBroken: (error) => void this.broken.push(error),
      opens: new OpenMeter(silentMetrics, systemClock.monotonicMs),
      metrics: this.metrics,
      versions: neverRefused,
      scope: new Scope('worker'),
      world: {
        clock: systemClock,
        random: systemRandom,
        fleetTable: core.table,
        connect: () => ({ table: core.table, acting: makeQueueClient(stores) }),
        polling: makePollingClient(stores, 1, 1),
        keyProvider: makeLocalKeyProvider(keyFile.path),
        joinFleet: () => Promise.reject(new Error('this worker owns its shard without a lease')),
        openSocket: (options) => {
          this.opens += 1;
          return openSocket({ ...options, publisher: this.#hangable(options.publisher) });
        },
      },
    });
    this.#supervisor = new Supervisor({
      config: config.liveness,
      opensPerSecond: config.ownership.opensPerSecond,
      connections: () => this.shards.connections(),
      isOpen: this.gate.isOpen,
      clock: systemClock,
      logger,
      metrics: this.metrics,
      onUnwell: (symptom) => void this.unwell.push(symptom),
    });
    this.#stops = [
      () => this.#supervisor.stop(),
      () => this.shards.loseAll(),
      this.#published.stop,
      () => whatsApp.stop(),
      queues.stop,
      core.stop,
      keyFile.remove,
    ];
  }

  /** Starts everything, with two phones. */
  static async start(overrides: Readonly<Record<string, string>> = {}): Promise<SupervisedWorker> {
    const [core, queues, whatsApp] = await Promise.all([startCore(), startQueues(), startWhatsApp()]);
    await createQueues(queues.endpoint, STAGE, 1);
    prepareProcess({ rootKey: Buffer.from(whatsApp.rootKey, 'hex') });
    const worker = new SupervisedWorker(core, whatsApp, queues, overrides);
    await worker.phones.addPhone(OWN, 'Own');
    await worker.phones.addPhone(CONTACT, 'Contact');
    worker.shards.claimed(0, 1);
    void worker.#supervisor.run();
    return worker;
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops) await stop();
  }

  /** A connection that is paired and online. */
  async aConnection(): Promise<Connection> {
    const connection = await this.core.aConnection(askedForQr());
    const { tenantId, connectionId } = connection;
    await this.#command(
      { version: 1, kind: 'control', tenantId, connectionId, correlationId, control: 'pair' },
      connectionId,
    );
    await this.phones.scan(OWN, await untilQr({ table: this.core.table, stage: STAGE }, connection, DEADLINE_MS));
    await this.online(connection);
    return connection;
  }

  /** Waits until a connection is online and its record says so. */
  async online({ tenantId, connectionId }: Connection): Promise<void> {
    await until(
      'online',
      () => this.core.connections.find(tenantId, connectionId),
      (row) => row?.status === 'online',
      DEADLINE_MS,
    );
  }

  /** Waits until the history of a connection shows this, as `status/code`. */
  async shows({ connectionId }: Connection, wanted: string): Promise<void> {
    await until(
      wanted,
      () => this.history(connectionId),
      (seen) => seen.includes(wanted),
      DEADLINE_MS,
    );
  }

  /** Changes of status, oldest first. */
  async history(connectionId: Connection['connectionId']): Promise<readonly string[]> {
    const found = await readHistory({ table: this.core.table, stage: STAGE }, connectionId, Date.now());
    return found.map(({ status, code }) => `${status}/${code}`).toReversed();
  }

  /** Sends a text to the contact, as the API does. */
  async send(connection: Connection, text: string): Promise<SentMessage & { readonly stanzaId: StanzaId }> {
    const message = await this.core.aMessage(connection, text, { to: `${CONTACT}@s.whatsapp.net` });
    const { tenantId, connectionId, messageId } = message;
    await this.#command(
      { version: 1, kind: 'send_message', tenantId, connectionId, correlationId, messageId },
      messageId,
    );
    return message;
  }

  async sent({ connectionId, messageId }: SentMessage): Promise<void> {
    await until(
      'sent',
      () => this.core.stateOf(connectionId, messageId),
      (state) => state === 'sent' || state === 'delivered',
      DEADLINE_MS,
    );
  }

  /** Texts that were published, in order. */
  received(): readonly string[] {
    return this.#published.facts.flatMap((fact) =>
      fact.kind === 'message' && fact.content.type === 'text' && !fact.fromMe ? [fact.content.text.body] : [],
    );
  }

  /** Texts that the contact's phone shows from us. */
  async shown(): Promise<readonly string[]> {
    return (await this.phones.messages(CONTACT)).filter(({ fromMe }) => !fromMe).map(({ text }) => text);
  }

  #command(command: Parameters<typeof enqueueCommand>[2], deduplicationId: string): Promise<void> {
    return enqueueCommand(
      { queue: this.#queue, stage: STAGE, queueUrlBase: this.#queueUrlBase },
      0,
      command,
      deduplicationId,
    );
  }

  #hangable(publisher: FactPublisher): FactPublisher {
    return {
      publish: async (...facts) => {
        await this.beforePublish();
        await publisher.publish(...facts);
      },
    };
  }
}

const DEADLINE_MS = 30_000;
