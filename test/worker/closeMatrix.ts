import type { Connection } from '../../shared/connection/connection.ts';
import { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { findPairingOffer } from '../../shared/connection/pairingOffer.ts';
import { readHistory } from '../../shared/connection/statusHistory.ts';
import { ownershipKey } from '../../shared/fleet/fleetTable.ts';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { InternalEvent, InternalEventBatch } from '../../shared/event/internalEvent.ts';
import { internalEventBatchSchema } from '../../shared/event/internalEvent.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { makeId, type ConnectionId } from '../../shared/kernel/id.ts';
import { systemRandom } from '../../shared/kernel/random.ts';
import { makeDocumentClient, makePollingClient, makeQueueClient } from '../../shared/platform/aws.ts';
import { workerConfig } from '../../shared/platform/config.ts';
import { makeLocalKeyProvider } from '../../shared/platform/keyProvider.ts';
import { silentLogger } from '../../shared/platform/logger.ts';
import { silentMetrics } from '../../shared/platform/metrics.ts';
import { eventQueueName } from '../../shared/platform/queues.ts';
import { tableName } from '../../shared/platform/tables.ts';
import { DeleteMessageCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { makeOwnedShards } from '../../worker/composition.ts';
import { OpenMeter } from '../../worker/runner/openMeter.ts';
import { openSession } from '../../worker/session/session.ts';
import { openSocket } from '../../worker/socket/openSocket.ts';
import { prepareProcess } from '../../worker/socket/prepareProcess.ts';
import { createTables, startDynamoDb } from '../emulators/dynamodb.ts';
import { createQueues, startQueues } from '../emulators/queues.ts';
import { aStoreConfig } from '../emulators/storeConfig.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';
import type { Strike } from '../whatsapp/faults.ts';
import { startWhatsApp, type WhatsAppSimulator } from '../whatsapp/simulator.ts';
import { until } from '../whatsapp/until.ts';
import { openGate } from './fleet/gates.ts';
import { makeKeyFile } from './workerProcess.ts';

/** Delays are this part of what they are with the default base delay of 5 s. */
const BASE_DELAY_MS = 150;
export const SCALE = BASE_DELAY_MS / 5_000;
export const SPACING_MS = 30_000 * SCALE;
const STABLE_MS = 60_000 * SCALE;
const STAGE = 'test';
const MINE = 1;
const NEWER = 2;
const SHARD_OF = { owner: 0, other: 1, taken: 2 } as const;
const DEADLINE_MS = 30_000;

/**
 * `owner`: nobody else has the connection. `other`: another worker has claimed the shard, and has done nothing yet.
 * `taken`: another worker has claimed it, recorded a status and raised the epoch of the credentials.
 */
export type Ownership = keyof typeof SHARD_OF;

/** What one connection goes through: it is paired or shows an offer, and then this happens to its socket. */
export interface Trial {
  readonly name: string;
  readonly ownership: Ownership;
  readonly phase: 'linked' | 'pairing' | 'pairing_by_code';
  /** What each socket is struck with, one after the other. */
  readonly strikes: readonly Strike[];
  /** Logins after the first strike that are refused with this number. */
  readonly refusals?: readonly number[];
}

/** What came of it. */
export interface Outcome {
  /** Sockets that were opened after the first strike. */
  readonly opens: number;
  /** From the close of each socket to the next attempt, as published; where an attempt was promised. */
  readonly delaysMs: readonly number[];
  /** From the first close to the next open. */
  readonly awayMs: number | undefined;
  readonly credentials: 'kept' | 'none';
  /** As the record shows it. */
  readonly status: string;
  /** Changes of status after the first strike, oldest first, with the number of the close. */
  readonly history: readonly string[];
  /** Statuses that tenants were told after the first strike. */
  readonly events: readonly string[];
}

interface Subject {
  readonly trial: Trial;
  readonly number: string;
  readonly connection: Connection;
  readonly openedAtMs: number[];
  readonly closedAtMs: number[];
  readonly facts: (InternalEvent & { readonly kind: 'status' })[];
  onlineAtMs: number;
  opensBefore: number;
  closesBefore: number;
  factsBefore: number;
  transitionsBefore: number;
}

/**
 * Many connections of one real worker against one simulator, each with a fate of its own. Everything between the record
 * and the wire is real; time is shrunk by settings, and chance is fixed so that each delay is the longest of its range.
 */
export class CloseMatrix {
  readonly #subjects: Subject[] = [];
  readonly #broken: unknown[] = [];
  readonly #stopping = new AbortController();
  readonly #stops: (() => Promise<unknown> | void)[] = [];
  #whatsApp!: WhatsAppSimulator;
  #client!: WhatsAppClient;
  #stores!: { readonly table: ReturnType<typeof makeDocumentClient>; readonly stage: string };
  #connections!: ConnectionStore;
  #keyFile = '';

  /** Lets all trials happen side by side. Returns what came of each, by name. */
  static async run(trials: readonly Trial[]): Promise<ReadonlyMap<string, Outcome>> {
    const matrix = new CloseMatrix();
    try {
      await matrix.#prepare(trials);
      await matrix.#strikeAll();
      return await matrix.#outcomes();
    } finally {
      await matrix.#stop();
    }
  }

  async #prepare(trials: readonly Trial[]): Promise<void> {
    const [dynamoDb, queues, whatsApp] = await Promise.all([startDynamoDb(), startQueues(), startWhatsApp()]);
    this.#whatsApp = whatsApp;
    this.#client = new WhatsAppClient(whatsApp.controlUrl);
    const keyFile = makeKeyFile();
    this.#keyFile = keyFile.path;
    this.#stops.push(keyFile.remove, dynamoDb.stop, queues.stop, () => whatsApp.stop());
    await Promise.all([createTables(dynamoDb.endpoint, STAGE), createQueues(queues.endpoint, STAGE, 3)]);
    prepareProcess({ rootKey: Buffer.from(whatsApp.rootKey, 'hex') });
    const stores = aStoreConfig({ dynamoDb, queues });
    this.#stores = { table: makeDocumentClient(stores), stage: STAGE };
    this.#connections = new ConnectionStore(this.#stores);
    await Promise.all(trials.map((trial, index) => this.#subject(trial, index)));
    const refusedCodes = trials.filter(({ phase }) => phase === 'pairing_by_code').length;
    if (refusedCodes > 0) await this.#client.fault({ kind: 'iq_error', xmlns: 'md', code: 400, times: refusedCodes });
    const queue = makeQueueClient(stores);
    const listening = this.#listen(queue, `${queues.queueUrlBase}${eventQueueName(STAGE)}`);
    this.#stops.unshift(() => listening);
    const shards = this.#startWorker(stores, queues.queueUrlBase);
    this.#stops.unshift(() => shards.loseAll());
    for (const shard of Object.values(SHARD_OF)) shards.claimed(shard, MINE);
    await Promise.all(this.#subjects.map((subject) => this.#settle(subject)));
  }

  async #subject(trial: Trial, index: number): Promise<void> {
    const number = String(4915100000000 + index);
    await this.#client.addPhone(number, trial.name);
    const byCode = { method: 'code', phoneNumber: number } as const;
    const connection: Connection = {
      tenantId: makeId('tnt', Date.now(), systemRandom),
      connectionId: makeId('con', Date.now(), systemRandom),
      label: undefined,
      shard: SHARD_OF[trial.ownership],
      wanted: 'online',
      pairing: {
        requestId: 'first',
        requestedAtMs: Date.now(),
        ...(trial.phase === 'pairing_by_code' ? byCode : { method: 'qr' }),
      },
      account: undefined,
      status: 'unpaired',
      statusCode: 'never_paired',
      statusSinceMs: 0,
      createdAtMs: Date.now(),
      parkedCount: 0,
    };
    await this.#connections.create(connection, trial.name.length + 1_000);
    const none = { onlineAtMs: 0, opensBefore: 0, closesBefore: 0, factsBefore: 0, transitionsBefore: 0 };
    this.#subjects.push({ trial, number, connection, openedAtMs: [], closedAtMs: [], facts: [], ...none });
  }

  #startWorker(stores: ReturnType<typeof aStoreConfig>, queueUrlBase: string) {
    const config = workerConfig({
      HOLDFAST_STAGE: STAGE,
      HOLDFAST_QUEUE_URL_BASE: queueUrlBase,
      HOLDFAST_KEY_FILE: this.#keyFile,
      HOLDFAST_TASK_ID: 'matrix',
      HOLDFAST_COMMAND_WAIT_SECONDS: '1',
      HOLDFAST_KEEP_ALIVE_MS: '1000',
      HOLDFAST_STABLE_AFTER_MS: String(STABLE_MS),
      BAILEYS_RECONNECT_BASE_DELAY: String(BASE_DELAY_MS),
      BAILEYS_RECONNECT_MAX_DELAY: String(300_000 * SCALE),
      WHATSAPP_URL: this.#whatsApp.webSocketUrl,
      WHATSAPP_ROOT_KEY: this.#whatsApp.rootKey,
    });
    return makeOwnedShards({
      config,
      logger: silentLogger,
      workerId: makeId('wrk', Date.now(), systemRandom),
      gate: openGate,
      takeTurn: async () => () => undefined,
      onBroken: (error) => void this.#broken.push(error),
      opens: new OpenMeter(silentMetrics, systemClock.monotonicMs),
      metrics: silentMetrics,
      world: {
        clock: systemClock,
        random: { ...systemRandom, unit: () => 1 - Number.EPSILON },
        fleetTable: this.#stores.table,
        connect: () => ({ table: this.#stores.table, acting: makeQueueClient(stores) }),
        polling: makePollingClient(stores, 3, 1),
        keyProvider: makeLocalKeyProvider(this.#keyFile),
        joinFleet: () => Promise.reject(new Error('this worker owns its shards without a lease')),
        openSocket: (options) => {
          const subject = this.#subjectOf(options.connection.connectionId);
          subject?.openedAtMs.push(Date.now());
          return openSocket({
            ...options,
            emit: (input) => {
              if (input.type === 'socket_closed') subject?.closedAtMs.push(Date.now());
              if (subject !== undefined && input.type === 'socket_opened') subject.onlineAtMs = Date.now();
              options.emit(input);
            },
          });
        },
      },
    });
  }

  #subjectOf(connectionId: ConnectionId): Subject | undefined {
    return this.#subjects.find(({ connection }) => connection.connectionId === connectionId);
  }

  /** Takes what the worker publishes out of the queue. */
  async #listen(queue: SQSClient, QueueUrl: string): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const answer = await queue.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
      );
      for (const { Body = '', ReceiptHandle } of answer.Messages ?? []) {
        this.#note(internalEventBatchSchema.parse(JSON.parse(Body)));
        await queue.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    }
  }

  #note({ connectionId, events }: InternalEventBatch): void {
    for (const fact of events) if (fact.kind === 'status') this.#subjectOf(connectionId)?.facts.push(fact);
  }

  /** Brings a connection to where its trial begins. */
  async #settle(subject: Subject): Promise<void> {
    const { trial, number } = subject;
    if (trial.phase === 'pairing_by_code') return;
    const qr = await this.#offer(subject, () => true);
    if (trial.phase === 'pairing') return;
    await this.#client.scan(number, qr);
    await this.#status(subject, 'online/open');
  }

  async #offer({ connection, trial }: Subject, fits: (qr: string) => boolean): Promise<string> {
    const offer = await until(
      `an offer for ${trial.name}`,
      () => findPairingOffer(this.#stores, connection.connectionId, Date.now()),
      (found) => found?.method === 'qr' && fits(found.qr),
      DEADLINE_MS,
    );
    return offer?.method === 'qr' ? offer.qr : '';
  }

  async #status({ connection, trial }: Subject, wanted: string): Promise<void> {
    await until(
      `${wanted} of ${trial.name}`,
      () => this.#shown(connection),
      (shown) => shown === wanted,
      DEADLINE_MS,
    );
  }

  async #shown({ tenantId, connectionId }: Connection): Promise<string> {
    const row = await this.#connections.find(tenantId, connectionId);
    return `${row?.status}/${row?.statusCode}`;
  }

  async #strikeAll(): Promise<void> {
    const owned = this.#subjects.filter(({ trial }) => trial.ownership === 'owner');
    const lost = this.#subjects.filter(({ trial }) => trial.ownership !== 'owner');
    for (const subject of this.#subjects) await this.#begin(subject);
    if (lost.length > 0) await this.#takeOver(lost);
    await Promise.all([...owned, ...lost].map((subject) => this.#strike(subject)));
  }

  /** From here on is counted. The last open is so long ago that delays are those of the rule alone, and all is forgiven. */
  async #begin(subject: Subject): Promise<void> {
    if (subject.trial.phase === 'pairing_by_code') return;
    await until(
      'a stable socket',
      () => Date.now() - Math.max(subject.onlineAtMs, subject.openedAtMs.at(-1) ?? Infinity),
      (ageMs) => ageMs > STABLE_MS,
    );
    const { tenantId, connectionId } = subject.connection;
    const row = await this.#connections.find(tenantId, connectionId);
    const last = `${row?.status}/${row?.statusCode}`;
    await until(
      'the last event',
      () => subject.facts.map(nameOf),
      (names) => names.at(-1) === last,
    );
    subject.opensBefore = subject.openedAtMs.length;
    subject.closesBefore = subject.closedAtMs.length;
    subject.factsBefore = subject.facts.length;
    subject.transitionsBefore = row?.transitions ?? 0;
  }

  /** Another worker claims the shards; of those that are taken it has begun to work. */
  async #takeOver(lost: readonly Subject[]): Promise<void> {
    for (const shard of [SHARD_OF.other, SHARD_OF.taken]) {
      await this.#stores.table.send(
        new PutCommand({
          TableName: tableName(STAGE, 'fleet'),
          Item: { ...ownershipKey(shard), owner: 'wrk_other', ownerTask: 'other', epoch: NEWER },
        }),
      );
    }
    for (const { connection, trial } of lost.filter(({ trial: { ownership } }) => ownership === 'taken')) {
      const owned = { ...connection, token: NEWER };
      const session = await this.#session(connection, NEWER);
      if (trial.phase === 'linked') await session.raiseEpoch();
      await this.#connections.recordStatus(owned, {
        status: 'connecting',
        code: 'opening',
        sinceMs: Date.now(),
        transitions: 100,
        nextAttemptAtMs: undefined,
      });
    }
  }

  #session({ tenantId, connectionId, shard }: Connection, token: number) {
    return openSession(
      { tenantId, connectionId, shard, token },
      {
        ...this.#stores,
        gate: openGate,
        clock: systemClock,
        random: systemRandom,
        keyProvider: makeLocalKeyProvider(this.#keyFile),
        storeTimeoutMs: 5_000,
        metrics: silentMetrics,
      },
    );
  }

  async #strike(subject: Subject): Promise<void> {
    const { trial, number } = subject;
    for (const reason of trial.refusals ?? []) {
      await this.#client.fault({ kind: 'refuse_login', number, reason, times: 1 });
    }
    let qr = '';
    for (const [index, strike] of trial.strikes.entries()) {
      if (trial.phase === 'linked') {
        await this.#caughtUp(subject, index);
        await this.#client.strike({ ...strike, number });
      } else {
        qr = await this.#offer(subject, (shown) => shown !== qr);
        await this.#client.strike({ kind: 'strike_registration', shown: qr, strike });
      }
      await until(
        `close ${index + 1} of ${trial.name}`,
        () => subject.closedAtMs.length - subject.closesBefore,
        (closes) => closes > index,
        DEADLINE_MS,
      );
    }
  }

  /** The socket that is to be struck is logged in at the simulator. */
  async #caughtUp(subject: Subject, index: number): Promise<void> {
    await until(
      `login ${index + 1} of ${subject.trial.name}`,
      () => subject.openedAtMs.length - subject.opensBefore,
      (opens) => opens >= index,
      DEADLINE_MS,
    );
    if (index > 0) await this.#status(subject, 'online/open');
  }

  /** Waits until nothing is on its way any more: no socket between two states, no delay that runs, no event unheard. */
  async #outcomes(): Promise<ReadonlyMap<string, Outcome>> {
    const stillAtMs = (): Promise<string> =>
      Promise.all(
        this.#subjects.map(async (subject) => [
          await this.#shown(subject.connection),
          subject.openedAtMs.length,
          subject.facts.length,
        ]),
      ).then((seen) => JSON.stringify(seen));
    let seen = '';
    let sinceMs = Date.now();
    // Longer than the longest delay of a trial that does not end in a rest: 440 for the fourth time ends in none.
    await until(
      'rest',
      async () => {
        const now = await stillAtMs();
        if (now !== seen) sinceMs = Date.now();
        seen = now;
        return Date.now() - sinceMs;
      },
      (restMs) => restMs > REST_MS,
      DEADLINE_MS,
    );
    if (this.#broken.length > 0) throw new Error(`the worker broke: ${String(this.#broken[0])}`);
    const outcomes = await Promise.all(this.#subjects.map((subject) => this.#outcome(subject)));
    return new Map(outcomes.map((outcome, index) => [this.#subjects[index]?.trial.name ?? '', outcome]));
  }

  async #outcome(subject: Subject): Promise<Outcome> {
    const { connection, facts } = subject;
    const told = facts.slice(subject.factsBefore);
    const closes = subject.closedAtMs.slice(subject.closesBefore);
    const history = await readHistory(this.#stores, connection.connectionId, Date.now());
    const session = await this.#session(connection, NEWER);
    const nextOpen = subject.openedAtMs[subject.opensBefore];
    return {
      opens: subject.openedAtMs.length - subject.opensBefore,
      delaysMs: told.flatMap(({ nextAttemptAtMs, atMs }) => {
        const closedAtMs = closes.findLast((closeMs) => closeMs <= atMs) ?? NaN;
        return nextAttemptAtMs === undefined ? [] : [nextAttemptAtMs - closedAtMs];
      }),
      awayMs: nextOpen === undefined || closes[0] === undefined ? undefined : nextOpen - closes[0],
      credentials: session.isPaired ? 'kept' : 'none',
      status: await this.#shown(connection),
      history: history
        .filter(({ number }) => number > subject.transitionsBefore)
        .map(({ status, code, closeCode }) => `${status}/${code}${closeCode === undefined ? '' : ` ${closeCode}`}`)
        .reverse(),
      events: told.map(nameOf),
    };
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    for (const stop of this.#stops) await stop();
  }
}

const REST_MS = 4_000;

function nameOf({ status, code }: InternalEvent & { readonly kind: 'status' }): string {
  return `${status}/${code}`;
}
