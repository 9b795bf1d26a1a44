import { randomBytes } from 'node:crypto';
import { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import type { Connection } from '../../shared/connection/connection.ts';
import { factBatchSchema, type FactBatch } from '../../shared/event/factBatch.ts';
import { markTaskDead, requestHandOffs } from '../../shared/fleet/fleetLease.ts';
import type { HandOffRequest } from '../../shared/fleet/fleetView.ts';
import { makeId, type ConnectionId, type MessageId, type WorkerId } from '../../shared/kernel/id.ts';
import { Scope } from '../../shared/kernel/scope.ts';
import { acceptMessage } from '../../shared/message/acceptMessage.ts';
import { isDone, type SendState } from '../../shared/message/message.ts';
import { MessageStore } from '../../shared/message/messageStore.ts';
import { workerConfig, type WorkerConfig } from '../../shared/platform/config.ts';
import { MESSAGE_PREFIX } from '../../shared/platform/keys.ts';
import type { KeyProvider } from '../../shared/platform/keyProvider.ts';
import type { Logger, LogFields } from '../../shared/platform/logger.ts';
import { silentMetrics } from '../../shared/platform/metrics.ts';
import { commandQueueName, eventQueueName } from '../../shared/platform/queues.ts';
import { startWorker, type RunningWorker } from '../../worker/composition.ts';
import { startFleetMember } from '../../worker/fleet/fleetMember.ts';
import { openSession } from '../../worker/session/session.ts';
import type { WorkerWorld } from '../../worker/world.ts';
import { FakeWhatsApp } from './fakeWhatsApp.ts';
import { Ledger } from './ledger.ts';
import { Machine, type Pause } from './machine.ts';
import { Network } from './network.ts';
import { makeSeededRandom, type SeededRandom } from './seededRandom.ts';
import { QUEUE_URL_BASE, SimulatedAws, STAGE } from './simulatedAws.ts';
import { ACCOUNT, SimulatedSocket } from './simulatedSocket.ts';
import type { Variant } from './variants.ts';
import { VirtualTime } from './virtualTime.ts';

/** One worker process in the simulated world. */
export interface SimulatedWorker {
  readonly machine: Machine;
  readonly taskId: string;
  readonly generation: number;
  readonly running: () => RunningWorker | undefined;
  /** SIGTERM. */
  readonly terminate: () => void;
  /** Whether ECS was asked not to stop its task, and may not yet. */
  readonly isProtected: () => boolean;
  /** How much of its memory it uses from now on, 0 to 1. */
  readonly setMemoryShare: (share: number) => void;
}

export interface FleetOptions {
  readonly random: SeededRandom;
  readonly variant: Variant;
  readonly shardCount: number;
  readonly connections: number;
  /** The open budget of each worker; small when left out, so that few connections feel it. */
  readonly opensPerSecond?: number;
  /** The open budget of the fleet; production's if left out. */
  readonly fleetOpensPerSecond?: number;
  /** Whether ECS's agent protects tasks, refuses to, or is not there, which is what it is if left out. */
  readonly protection?: 'works' | 'fails';
  /** Production's if left out. */
  readonly maxAgeMs?: number;
  /** Called with what happens, in words. */
  readonly say: (who: string, what: string) => void;
}

const TENANT = makeId('tnt', 1, makeSeededRandom(0));
const OPENS_PER_SECOND = 2;
/** ECS's agent answers within these. */
const AGENT_MS = [50, 1_000] as const;
/** Wall clocks are wrong by up to this. */
const CLOCK_SKEW_MS = 60_000;
export const SHARD_CAP = 4;
const ROOT_KEY = randomBytes(32);

/** Data keys as they are; sealing is not what is tested here. */
const plainKeys: KeyProvider = {
  generateDataKey: async () => ({ plaintext: ROOT_KEY, wrapped: ROOT_KEY }),
  unwrapDataKey: async (wrapped) => wrapped,
};

/**
 * The product in a world without time: the real worker (`startWorker`, with everything above the socket library), the real
 * accepting of messages, on fake stores, queues and WhatsApp, each on a machine of its own behind a network with faults.
 */
export class SimulatedFleet {
  readonly time = new VirtualTime();
  readonly network: Network;
  readonly aws: SimulatedAws;
  readonly whatsApp: FakeWhatsApp;
  readonly ledger: Ledger;
  readonly workers: SimulatedWorker[] = [];
  /** Names of those that were replaced because of their age or memory, in order. */
  readonly recycled: string[] = [];
  readonly connections: Connection[] = [];
  readonly accepted: { readonly connectionId: ConnectionId; readonly messageId: MessageId; readonly text: string }[] =
    [];
  readonly written: { readonly connectionId: ConnectionId; readonly id: string }[] = [];
  /** Machines whose network to WhatsApp is cut. */
  readonly cutFromWhatsApp = new Set<Machine>();
  /** WhatsApp reaches nobody. */
  isWhatsAppCut = false;
  readonly #options: FleetOptions;
  readonly #ops: Machine;
  #tasks = 0;

  constructor(options: FleetOptions) {
    const { random, variant, shardCount } = options;
    this.#options = options;
    this.network = new Network(this.time, random.fork());
    this.aws = new SimulatedAws(this.time, this.network, shardCount, variant.rewrite ?? ((command) => command));
    this.ledger = new Ledger(
      () => this.time.nowMs,
      (connectionId) => this.connections.find((found) => found.connectionId === connectionId)?.shard ?? -1,
    );
    this.whatsApp = new FakeWhatsApp((stanza) => this.ledger.onStanza(stanza));
    this.aws.dynamoDb.watch((change) => this.ledger.onTableChange(change));
    this.aws.watch((command, arrival) => this.ledger.onEffect(command, arrival));
    this.#ops = new Machine(this.time, 'ops', 0);
  }

  /** Makes the connections, linked, with credentials that no owner has touched. */
  async prepare(): Promise<void> {
    const { connections: count, shardCount } = this.#options;
    const { table, random, clock, stage } = this.#opsStores();
    const store = new ConnectionStore({ table, stage });
    for (let index = 0; index < count; index += 1) {
      const connectionId = makeId('con', index + 1, random);
      const connection: Connection = {
        tenantId: TENANT,
        connectionId,
        label: undefined,
        shard: index % shardCount,
        wanted: 'online',
        pairing: undefined,
        account: ACCOUNT,
        status: 'connecting',
        statusCode: 'opening',
        statusSinceMs: 0,
        createdAtMs: 0,
        parkedCount: 0,
      };
      this.connections.push(connection);
      await this.#complete(store.create(connection, SHARD_CAP * 100));
      const gate = {
        isOpen: () => true,
        assertOpen: () => undefined,
        timeLeftMs: () => 60_000,
        openForMs: () => Infinity,
        whenOpen: async () => undefined,
      };
      const owned = { tenantId: TENANT, connectionId, shard: connection.shard, token: 1 };
      const session = await this.#complete(
        openSession(owned, {
          table,
          stage,
          gate,
          clock,
          random,
          metrics: silentMetrics,
          storeTimeoutMs: 5_000,
          keyProvider: plainKeys,
        }),
      );
      await this.#complete(session.storeNewCredentials({ me: ACCOUNT.phoneJid }));
    }
  }

  /** Starts a worker process on a machine of its own. */
  startWorker(generation: number): SimulatedWorker {
    const { random, say, variant } = this.#options;
    const skewMs = variant.skewMs ?? CLOCK_SKEW_MS;
    const number = (this.#tasks += 1);
    const machine = new Machine(this.time, `worker-${number}`, random.between(-skewMs, skewMs));
    let running: RunningWorker | undefined;
    let terminating = false;
    let recycling = false;
    let memoryShare = 0;
    let protectedUntilMs = -Infinity;
    const protect = async (minutes: number | undefined): Promise<void> => {
      await machine.clock.sleep(random.between(...AGENT_MS));
      if (this.#options.protection === 'fails') throw new Error('the agent refuses');
      protectedUntilMs = minutes === undefined ? -Infinity : this.time.nowMs + minutes * 60_000;
    };
    const exit = (why: string): void => {
      if (machine.isDead) return;
      say(machine.name, `exits: ${why}`);
      machine.kill();
      // A task that ends by itself is replaced, as ECS does.
      if (!terminating) this.time.after(random.between(5_000, 20_000), () => void this.startWorker(generation));
    };
    const drain = (): void => {
      if (terminating) return;
      terminating = true;
      if (running === undefined) exit('stopped before it was ready');
      else if (!recycling) empty(running);
    };
    const empty = (worker: RunningWorker): void => {
      worker.drain().then(
        () => exit('drained'),
        (error: unknown) => exit(`drain failed: ${String(error)}`),
      );
    };
    const recycle = (reason: string): void => {
      if (terminating || recycling || running === undefined) return;
      recycling = true;
      this.recycled.push(machine.name);
      say(machine.name, `is recycled: ${reason}`);
      empty(running);
    };
    const config = configOf(`task-${number}`, generation, this.#options);
    startWorker(
      {
        config,
        logger: this.#loggerOf(machine),
        metrics: silentMetrics,
        scope: new Scope('worker', machine.clock),
        vitals: { memoryLimitBytes: 1, read: () => ({ memoryBytes: memoryShare, loopDelayMs: 0 }) },
        onFenced: () => {
          void running?.closeSockets().then(
            () => exit('fenced'),
            () => exit('fenced'),
          );
        },
        onBroken: (error) => exit(`broken: ${String(error)}`),
        onDrainRequested: (reason) => {
          // A worker that ends by itself is replaced, as ECS does.
          if (reason === 'operator') drain();
          else recycle(reason);
        },
        onUnwell: drain,
      },
      { ...this.#worldOf(machine, config), protectTask: this.#options.protection && protect },
    ).then(
      (started) => {
        running = started;
        this.ledger.register(machine, started.workerId);
        if (terminating) {
          terminating = false;
          drain();
        }
      },
      (error: unknown) => exit(`could not start: ${String(error)}`),
    );
    say(machine.name, `starts, generation ${generation}`);
    const worker = {
      machine,
      taskId: config.taskId,
      generation,
      running: () => running,
      terminate: () => machine.arrive(drain),
      isProtected: () => this.time.nowMs < protectedUntilMs,
      setMemoryShare: (share: number) => {
        memoryShare = share;
      },
    };
    this.workers.push(worker);
    return worker;
  }

  living(): readonly SimulatedWorker[] {
    return this.workers.filter(({ machine }) => !machine.isDead);
  }

  pause(worker: SimulatedWorker, kind: Pause): void {
    worker.machine.pause(kind);
  }

  /** What ECS tells: the container of a task has stopped. */
  reportStopped({ taskId }: SimulatedWorker): void {
    const { table, stage, clock } = this.#opsStores();
    markTaskDead({ table, stage }, taskId, clock.nowMs()).catch((error: unknown) => {
      this.ledger.report('visible', `a stopped task could not be reported: ${String(error)}`);
    });
  }

  /** The watchdog wants others to own these shards of a worker; or none any more. */
  requestHandOffs({ taskId }: SimulatedWorker, workerId: WorkerId, requests: readonly HandOffRequest[]): void {
    const { table, stage } = this.#opsStores();
    requestHandOffs({ table, stage }, { taskId, workerId }, requests).catch((error: unknown) => {
      this.ledger.report('visible', `hand-offs could not be requested: ${String(error)}`);
    });
  }

  /** A tenant sends a message. What is not accepted is not promised. */
  send(connection: Connection, text: string): void {
    const stores = this.#opsStores();
    const queue = this.aws.queueClient(this.#ops, { deadlineMs: 5_000, attempts: 3 });
    const messages = new MessageStore(stores);
    const find = new ConnectionStore(stores).find(connection.tenantId, connection.connectionId);
    find
      .then((now) =>
        acceptMessage(
          { ...stores, messages, queue, queueUrlBase: QUEUE_URL_BASE },
          {
            connection: now ?? connection,
            body: { to: '+4915200000000', type: 'text', text: { body: text } },
            idempotencyKey: undefined,
            correlationId: makeId('cor', stores.clock.nowMs(), stores.random),
          },
        ),
      )
      .then(
        ({ messageId }) => this.accepted.push({ connectionId: connection.connectionId, messageId, text }),
        // The caller gets an error and was promised nothing.
        () => undefined,
      );
  }

  /** A contact writes to an account. */
  write({ connectionId }: Connection, id: string): void {
    this.written.push({ connectionId, id });
    this.whatsApp.write(connectionId, id, `text of ${id}`);
  }

  /** Ids of inbound messages in the events queue, in the order of their first publish, by connection. */
  published(): ReadonlyMap<ConnectionId, readonly string[]> {
    const found = new Map<ConnectionId, string[]>();
    for (const { body } of this.aws.sqs.messages(`${QUEUE_URL_BASE}${eventQueueName(STAGE)}`)) {
      const { connectionId, events: facts } = factBatchSchema.parse(JSON.parse(body));
      const ids = found.get(connectionId) ?? [];
      for (const fact of facts) {
        if (fact.kind === 'message' && !ids.includes(fact.stanzaId)) ids.push(fact.stanzaId);
      }
      found.set(connectionId, ids);
    }
    return found;
  }

  /** Accepted messages whose rows are not at their end, and of which no end is published that ingest would write there. */
  unfinished(): readonly MessageId[] {
    const rows = this.aws.dynamoDb.items(`${STAGE}-core`).filter(({ sk }) => String(sk).startsWith(MESSAGE_PREFIX));
    const states = new Map(rows.map((item) => [item['messageId'], item['state'] as SendState]));
    const open = this.accepted.map(({ messageId }) => messageId).filter((id) => !isDone(states.get(id) ?? 'queued'));
    const told = open.length === 0 ? new Set<MessageId>() : this.#toldEnds();
    return open.filter((id) => !told.has(id));
  }

  /** Messages of which an end is published. */
  #toldEnds(): ReadonlySet<MessageId> {
    const bodies = this.aws.sqs.messages(`${QUEUE_URL_BASE}${eventQueueName(STAGE)}`);
    const facts = bodies.flatMap(({ body }) => (JSON.parse(body) as FactBatch).events);
    return new Set(facts.flatMap((fact) => (fact.kind === 'send_result' ? [fact.messageId] : [])));
  }

  /** Commands that are in the queue of a shard. */
  commandsLeft(shard: number): number {
    return this.aws.sqs.messages(`${QUEUE_URL_BASE}${commandQueueName(STAGE, shard)}`).length;
  }

  isOwnedByTheLiving(shard: number): boolean {
    const owner: WorkerId | undefined = this.ledger.ownerOf(shard);
    return this.living().some(({ machine, running }) => !machine.isPaused && running()?.workerId === owner);
  }

  #worldOf(machine: Machine, { ownership, connections: settings }: WorkerConfig): WorkerWorld {
    const { variant } = this.#options;
    const random = this.#options.random.fork();
    const order = { commitAfterWire: false, skipGateAfterCommit: false, makeAnew: false, ...variant.order };
    const world: WorkerWorld = {
      clock: machine.clock,
      random,
      fleetTable: this.aws.documentClient(machine, { deadlineMs: ownership.heartbeatTimeoutMs, attempts: 2 }),
      connect: ({ assertOpen: beforeTry }) => ({
        table: this.aws.documentClient(machine, { deadlineMs: 5_000, attempts: 3, beforeTry }),
        acting: this.aws.queueClient(machine, { deadlineMs: 5_000, attempts: 3, beforeTry }),
      }),
      polling: this.aws.queueClient(machine, { deadlineMs: settings.commandWaitSeconds * 1_000 + 5_000, attempts: 1 }),
      keyProvider: plainKeys,
      joinFleet: async (options) => {
        const member = await startFleetMember(variant.hooks?.member?.(options, world) ?? options);
        const gate = variant.hooks?.gate?.(member.gate) ?? member.gate;
        return {
          gate,
          ownedShards: () => member.ownedShards(),
          drain: () => member.drain(),
          stop: () => member.stop(),
        };
      },
      openSocket: (options) =>
        new SimulatedSocket(options, {
          time: this.time,
          network: this.network,
          whatsApp: this.whatsApp,
          machine,
          order,
          onWire: (connectionId, issuedAtMs) => this.ledger.onWire(machine, connectionId, issuedAtMs),
          latencyMs: () => random.between(5, 60),
          isCut: () => this.isWhatsAppCut || this.cutFromWhatsApp.has(machine),
        }),
    };
    return world;
  }

  #opsStores() {
    const table = this.aws.documentClient(this.#ops, { deadlineMs: 5_000, attempts: 3 });
    return { table, stage: STAGE, clock: this.#ops.clock, random: this.#options.random };
  }

  /** Lets time pass until something is done. */
  async #complete<Result>(work: Promise<Result>): Promise<Result> {
    let done = false;
    const settled = work.finally(() => {
      done = true;
    });
    settled.catch(() => undefined);
    await this.time.run(this.time.nowMs + 60_000, () => done);
    return settled;
  }

  #loggerOf(machine: Machine): Logger {
    const { say } = this.#options;
    const line =
      (level: string) =>
      (message: string, fields: LogFields = {}): void => {
        if (level !== 'debug') say(machine.name, `${message} ${describe(fields)}`);
      };
    const make = (bound: LogFields): Logger => ({
      debug: () => undefined,
      info: (message, fields) => line('info')(message, { ...bound, ...fields }),
      warn: (message, fields) => line('warn')(message, { ...bound, ...fields }),
      error: (message, fields) => line('error')(message, { ...bound, ...fields }),
      child: (fields) => make({ ...bound, ...fields }),
    });
    return make({});
  }
}

const SHOWN_FIELDS = [
  'connectionId',
  'shard',
  'epoch',
  'from',
  'input',
  'to',
  'reason',
  'outcome',
  'operation',
  'code',
  'error',
];

function describe(fields: LogFields): string {
  return SHOWN_FIELDS.filter((name) => fields[name] !== undefined)
    .map((name) => {
      const value = fields[name];
      return `${name}=${value instanceof Error ? value.message : String(value).slice(-40)}`;
    })
    .join(' ');
}

/** Production's settings, but for shards that hold few connections and an open budget that they can feel. */
function configOf(
  taskId: string,
  generation: number,
  { shardCount, opensPerSecond = OPENS_PER_SECOND, fleetOpensPerSecond, maxAgeMs }: FleetOptions,
): WorkerConfig {
  return workerConfig({
    HOLDFAST_STAGE: STAGE,
    HOLDFAST_PACE_BUDGETS: 'off',
    HOLDFAST_QUEUE_URL_BASE: QUEUE_URL_BASE,
    HOLDFAST_SHARD_COUNT: String(shardCount),
    HOLDFAST_SHARD_CAP: String(SHARD_CAP),
    HOLDFAST_KEY_FILE: 'none',
    HOLDFAST_TASK_ID: taskId,
    HOLDFAST_GENERATION: String(generation),
    HOLDFAST_OPENS_PER_SECOND: String(opensPerSecond),
    ...(fleetOpensPerSecond === undefined ? {} : { HOLDFAST_FLEET_OPENS_PER_SECOND: String(fleetOpensPerSecond) }),
    ...(maxAgeMs === undefined ? {} : { HOLDFAST_MAX_AGE_MS: String(maxAgeMs) }),
  });
}

/** Ten handshakes at once are the default. */
export const openRules = { perSecond: OPENS_PER_SECOND, burst: SHARD_CAP, handshakes: 10 } as const;
