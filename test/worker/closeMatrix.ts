import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { Connection } from '../../shared/connection/connection.ts';
import { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { findPairingOffer } from '../../shared/connection/pairingOffer.ts';
import { readHistory } from '../../shared/connection/statusHistory.ts';
import { ownershipKey } from '../../shared/fleet/fleetTable.ts';
import type { StatusFact } from '../../shared/event/facts/statusFact.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { makeId, type ConnectionId } from '../../shared/kernel/id.ts';
import { systemRandom } from '../../shared/kernel/random.ts';
import { makeDocumentClient, makeQueueClient } from '../../shared/platform/aws.ts';
import { makeLocalKeyProvider } from '../../shared/platform/keyProvider.ts';
import { silentMetrics } from '../../shared/platform/metrics.ts';
import { tableName } from '../../shared/platform/tables.ts';
import { openSession } from '../../worker/session/session.ts';
import { createTables, startDynamoDb } from '../emulators/dynamodb.ts';
import { createQueues, startQueues } from '../emulators/queues.ts';
import { aStoreConfig } from '../emulators/storeConfig.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';
import { startWhatsApp } from '../whatsapp/simulator.ts';
import { until } from '../whatsapp/until.ts';
import { openGate } from './fleet/gates.ts';
import { SCALE, SHARD_OF, STABLE_MS, type Outcome, type Trial } from './matrixTrial.ts';
import { startMatrixWorker } from './matrixWorker.ts';
import { collectFacts, makeKeyFile } from './workerProcess.ts';

const STAGE = 'test';
const MINE = 1;
const NEWER = 2;
const DEADLINE_MS = 90_000;
/** How many offers of one connection are scanned until one counts. */
const SCANS = 3;
const SETTLING_AT_ONCE = 8;

interface Subject {
  readonly trial: Trial;
  readonly number: string;
  readonly connection: Connection;
  readonly openedAtMs: number[];
  readonly closedAtMs: number[];
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
  readonly #stops: (() => Promise<unknown> | void)[] = [];
  #client!: WhatsAppClient;
  #stores!: { readonly table: ReturnType<typeof makeDocumentClient>; readonly stage: string };
  #connections!: ConnectionStore;
  #published!: ReturnType<typeof collectFacts>;
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
    this.#client = new WhatsAppClient(whatsApp.controlUrl);
    const keyFile = makeKeyFile();
    this.#keyFile = keyFile.path;
    this.#stops.push(keyFile.remove, dynamoDb.stop, queues.stop, () => whatsApp.stop());
    await Promise.all([createTables(dynamoDb.endpoint, STAGE), createQueues(queues.endpoint, STAGE, 3)]);
    const stores = aStoreConfig({ dynamoDb, queues });
    this.#stores = { table: makeDocumentClient(stores), stage: STAGE };
    this.#connections = new ConnectionStore(this.#stores);
    await Promise.all(trials.map((trial, index) => this.#subject(trial, index)));
    const refusedCodes = trials.filter(({ phase }) => phase === 'pairing_by_code').length;
    if (refusedCodes > 0) await this.#client.fault({ kind: 'iq_error', xmlns: 'md', code: 400, times: refusedCodes });
    this.#published = collectFacts(makeQueueClient(stores), queues.queueUrlBase);
    this.#stops.unshift(this.#published.stop);
    const { webSocketUrl: whatsappUrl, rootKey } = whatsApp;
    const shards = startMatrixWorker(
      stores,
      { keyFile: this.#keyFile, whatsappUrl, rootKey },
      {
        onOpen: (connectionId) => this.#subjectOf(connectionId)?.openedAtMs.push(Date.now()),
        onInput: (connectionId, type) => {
          const subject = this.#subjectOf(connectionId);
          if (type === 'socket_closed') subject?.closedAtMs.push(Date.now());
          else if (subject !== undefined) subject.onlineAtMs = Date.now();
        },
        onBroken: (error) => void this.#broken.push(error),
      },
    );
    this.#stops.unshift(() => shards.loseAll());
    for (const shard of Object.values(SHARD_OF)) shards.claimed(shard, MINE);
    // A pairing costs about a second of CPU. Fifty at once on a busy machine would be an outage of the stores, and no trial begins so.
    const waiting = [...this.#subjects];
    const settleNext = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await this.#settle(next);
    };
    await Promise.all(Array.from({ length: SETTLING_AT_ONCE }, settleNext));
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
    this.#subjects.push({ trial, number, connection, openedAtMs: [], closedAtMs: [], ...none });
  }

  #subjectOf(connectionId: ConnectionId): Subject | undefined {
    return this.#subjects.find(({ connection }) => connection.connectionId === connectionId);
  }

  #told({ connection }: Subject): readonly StatusFact[] {
    return this.#published.factsOf(connection.connectionId).filter((fact) => fact.kind === 'status');
  }

  /** Brings a connection to where its trial begins. */
  async #settle(subject: Subject): Promise<void> {
    const { trial } = subject;
    if (trial.phase === 'pairing_by_code') return;
    const qr = await this.#offer(subject, () => true);
    if (trial.phase === 'pairing') return;
    await this.#scan(subject, qr, SCANS);
    await this.#status(subject, 'online/open');
  }

  /** A socket for which a busy machine was too slow is followed by another one, whose QR is another one. */
  async #scan(subject: Subject, qr: string, scans: number): Promise<void> {
    try {
      await this.#client.scan(subject.number, qr);
    } catch (error) {
      if (scans === 1) throw error;
      await this.#scan(subject, await this.#offer(subject, (next) => next !== qr), scans - 1);
    }
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

  /** Begins to count. The last open is so long ago that delays are those of the rule alone, and all is forgiven. */
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
      () => this.#told(subject).map(nameOf),
      (names) => names.at(-1) === last,
    );
    subject.opensBefore = subject.openedAtMs.length;
    subject.closesBefore = subject.closedAtMs.length;
    subject.factsBefore = this.#told(subject).length;
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
          this.#told(subject).length,
        ]),
      ).then((seen) => JSON.stringify(seen));
    let seen = '';
    let sinceMs = Date.now();
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
    const { connection } = subject;
    const told = this.#told(subject).slice(subject.factsBefore);
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
    for (const stop of this.#stops) await stop();
  }
}

/** Longer than any delay of a trial: the third of a conflict is 120 s with the default settings. */
const REST_MS = 120_000 * SCALE + 400;

function nameOf({ status, code }: StatusFact): string {
  return `${status}/${code}`;
}
