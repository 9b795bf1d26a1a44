import { randomUUID } from 'node:crypto';
import { makeTaskStoppedHandler, WORKER_CONTAINER } from '../../functions/taskStopped.ts';
import { composeTaskStopped } from '../../functions/eventComposition.ts';
import { createOperatorKey } from '../../shared/identity/apiKey.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { systemRandom } from '../../shared/kernel/random.ts';
import { makeDocumentClient } from '../../shared/platform/aws.ts';
import { fleetConfig } from '../../shared/platform/config.ts';
import { startChild, stopChild, type Child } from './childProcess.ts';
import { openDataFolder, type DataFolder } from './dataFolder.ts';
import { createQueues, queueUrlBase } from './queues.ts';
import { createTables, localCredentials } from './tables.ts';

/** The whole product on one machine: emulators, WhatsApp simulator, functions, workers, one process each. */
export interface StackOptions {
  readonly dataDir: string;
  /** Port of the API; 0 takes any free one. */
  readonly port: number;
  /** Talk to the real WhatsApp instead of the simulator. */
  readonly live: boolean;
  readonly workers: number;
  /** Settings of the workers that differ from those below. */
  readonly workerSettings?: Readonly<Record<string, string>>;
  /** Lines for a person: what a child has to complain about, and which worker was replaced. */
  readonly say: (line: string) => void;
  /** The stack cannot go on: one sentence. Called once; the caller stops it. */
  readonly onBroken: (reason: string) => void;
}

export interface RunningStack {
  readonly apiUrl: string;
  /** Undefined with `live`. */
  readonly whatsAppControlUrl: string | undefined;
  readonly dynamoDbEndpoint: string;
  readonly sqsEndpoint: string;
  readonly operatorKey: string;
  readonly workerIds: () => readonly string[];
  /** Sends a worker a signal, as ECS or an accident would; it is replaced. Resolves when its successor is ready. */
  readonly replaceWorker: (index: number, signal: NodeJS.Signals) => Promise<void>;
  /** Stops everything in order, workers first. Leaves no process behind. */
  readonly stop: () => Promise<void>;
  readonly kill: () => void;
}

const STAGE = 'local';
const SHARDS = '4';
const READY_MS = 30_000;
const STOP_MS = 10_000;
const WORKER_STOP_MS = 25_000;
const RESTART_WINDOW_MS = 60_000;
const RESTART_LIMIT = 3;
const REPEAT_AFTER_MS = 30_000;

/** Quicker than in production, where they are chosen for a network between the machines. */
const WORKER_SETTINGS = {
  HOLDFAST_HEARTBEAT_MS: '500',
  HOLDFAST_HEARTBEAT_TIMEOUT_MS: '1000',
  HOLDFAST_FENCE_MS: '6000',
  HOLDFAST_DEATH_MS: '10000',
  HOLDFAST_ORPHAN_CLAIM_MS: '15000',
  HOLDFAST_DRAIN_TIMEOUT_MS: '20000',
  HOLDFAST_LEADER_READ_MS: '250',
  HOLDFAST_GIVE_DEADLINE_MS: '8000',
  HOLDFAST_COMMAND_WAIT_SECONDS: '1',
  HOLDFAST_COMMAND_VISIBILITY_SECONDS: '10',
} as const;

/** Starts the stack. Throws an Error with one clear sentence when a part does not start; nothing is left running then. */
export async function startStack(options: StackOptions): Promise<RunningStack> {
  const folder = openDataFolder(options.dataDir);
  const stack = new Stack(options, folder);
  try {
    await stack.start();
    return stack;
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

interface WorkerSlot {
  readonly index: number;
  taskId: string;
  child: Child | undefined;
  /** Resolves when the next process of this slot is ready. */
  replaced: PromiseWithResolvers<void>;
}

class Stack implements RunningStack {
  readonly #options: StackOptions;
  readonly #folder: DataFolder;
  readonly #children: Child[] = [];
  readonly #workers: WorkerSlot[] = [];
  readonly #exits: number[] = [];
  #settings: Record<string, string> = {};
  #workerSettings: Record<string, string> = {};
  #stopping = false;
  apiUrl = '';
  whatsAppControlUrl: string | undefined;
  dynamoDbEndpoint = '';
  sqsEndpoint = '';
  operatorKey = '';

  constructor(options: StackOptions, folder: DataFolder) {
    this.#options = { ...options, say: sayOnce(options.say) };
    this.#folder = folder;
  }

  async start(): Promise<void> {
    const { path, keyFile } = this.#folder;
    // The functions that the supervisor calls itself find them where the SDK looks; the emulators check none.
    process.env['AWS_ACCESS_KEY_ID'] ??= localCredentials.accessKeyId;
    process.env['AWS_SECRET_ACCESS_KEY'] ??= localCredentials.secretAccessKey;
    const emulators = await this.#child('emulators', 'infra/local/emulatorsHost.ts', ['--data', path], {});
    this.dynamoDbEndpoint = textOf(emulators.ready['dynamoDb']);
    this.sqsEndpoint = textOf(emulators.ready['sqs']);
    // A binary cannot watch its parent: when that was killed, the supervisor ends it.
    const dynamoDbPid = Number(emulators.ready['dynamoDbPid']);
    void emulators.exited.then(() => killIfRunning(dynamoDbPid));
    this.#settings = {
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: localCredentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: localCredentials.secretAccessKey,
      HOLDFAST_STAGE: STAGE,
      HOLDFAST_SHARD_COUNT: SHARDS,
      HOLDFAST_DYNAMODB_ENDPOINT: this.dynamoDbEndpoint,
      HOLDFAST_SQS_ENDPOINT: this.sqsEndpoint,
      HOLDFAST_QUEUE_URL_BASE: queueUrlBase(this.sqsEndpoint),
    };
    await createTables(this.dynamoDbEndpoint, STAGE);
    await createQueues(this.sqsEndpoint, STAGE, Number(SHARDS));
    await this.#prepareKey();
    await this.#buryEarlierWorkers();
    this.#workerSettings = { ...this.#settings, ...WORKER_SETTINGS, HOLDFAST_KEY_FILE: keyFile };
    if (!this.#options.live) await this.#startWhatsApp();
    Object.assign(this.#workerSettings, this.#options.workerSettings);
    const functions = await this.#child(
      'functions',
      'infra/local/functionsHost.ts',
      ['--port', String(this.#options.port)],
      this.#settings,
    );
    this.apiUrl = textOf(functions.ready['url']);
    const slots = Array.from({ length: this.#options.workers }, (_, index): WorkerSlot => ({
      index,
      taskId: '',
      child: undefined,
      replaced: Promise.withResolvers(),
    }));
    this.#workers.push(...slots);
    await Promise.all(slots.map((slot) => this.#startWorker(slot)));
  }

  workerIds(): readonly string[] {
    return this.#workers.map(({ child }) => textOf(child?.ready['workerId']));
  }

  async replaceWorker(index: number, signal: NodeJS.Signals): Promise<void> {
    const slot = this.#workers[index];
    if (slot?.child === undefined) throw new Error(`There is no worker ${index}.`);
    const { promise } = slot.replaced;
    slot.child.process.kill(signal);
    await promise;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const workers = this.#workers.flatMap(({ child }) => (child === undefined ? [] : [child]));
    await Promise.all(workers.map((child) => stopChild(child, WORKER_STOP_MS)));
    // What was started last knows the others, and goes first.
    for (const child of [...this.#children].reverse()) await stopChild(child, STOP_MS);
    this.#folder.release();
  }

  kill(): void {
    this.#stopping = true;
    for (const child of [...this.#workers.map((slot) => slot.child), ...this.#children]) child?.process.kill('SIGKILL');
    this.#folder.release();
  }

  async #startWhatsApp(): Promise<void> {
    const whatsApp = await this.#child(
      'whatsapp',
      'test/whatsapp/main.ts',
      ['--state-dir', `${this.#folder.path}/whatsapp`, '--control-port', this.#controlPort()],
      {},
    );
    this.whatsAppControlUrl = textOf(whatsApp.ready['controlUrl']);
    this.#workerSettings['WHATSAPP_URL'] = textOf(whatsApp.ready['webSocketUrl']);
    this.#workerSettings['WHATSAPP_ROOT_KEY'] = textOf(whatsApp.ready['rootKey']);
  }

  /** Beside the API's port, so that a README can name it. */
  #controlPort(): string {
    const { port } = this.#options;
    return String(port === 0 ? 0 : port + 1);
  }

  /** The operator key of the first start is shown again at each later one. */
  async #prepareKey(): Promise<void> {
    if (this.#folder.operatorKey !== undefined) {
      this.operatorKey = this.#folder.operatorKey;
      return;
    }
    const key = await createOperatorKey({
      table: this.#table(),
      stage: STAGE,
      clock: systemClock,
      random: systemRandom,
    });
    this.operatorKey = key.secret.reveal();
    this.#folder.keepOperatorKey(this.operatorKey);
  }

  #table() {
    return makeDocumentClient(fleetConfig({ ...this.#settings, HOLDFAST_LOG_LEVEL: 'warn' }));
  }

  /** Workers of a run that was killed cannot have told anybody; ECS would, so the supervisor does. */
  async #buryEarlierWorkers(): Promise<void> {
    for (const taskId of this.#folder.tasks) await this.#tellStopped(taskId);
    this.#folder.keepTasks([]);
  }

  async #tellStopped(taskId: string): Promise<void> {
    const handler = makeTaskStoppedHandler(
      composeTaskStopped(fleetConfig({ ...this.#settings, HOLDFAST_LOG_LEVEL: 'silent' })),
    );
    await handler({
      source: 'aws.ecs',
      'detail-type': 'ECS Task State Change',
      detail: {
        taskArn: `arn:aws:ecs:us-east-1:000000000000:task/local/${taskId}`,
        lastStatus: 'DEPROVISIONING',
        containers: [{ name: WORKER_CONTAINER, lastStatus: 'STOPPED' }],
      },
    });
  }

  async #startWorker(slot: WorkerSlot): Promise<void> {
    slot.taskId = randomUUID();
    this.#folder.keepTasks([...new Set([...this.#workers.map(({ taskId }) => taskId), slot.taskId])].filter(Boolean));
    const name = `worker-${slot.index + 1}`;
    const child = await startChild({
      name,
      file: 'worker/main.ts',
      env: { ...this.#workerSettings, HOLDFAST_TASK_ID: slot.taskId },
      logFile: `${this.#folder.logs}/${name}.log`,
      readyWithinMs: READY_MS,
      onTrouble: this.#options.say,
    });
    slot.child = child;
    slot.replaced.resolve();
    slot.replaced = Promise.withResolvers();
    void child.exited.then((exit) => this.#onWorkerExit(slot, exit.signal ?? `code ${exit.code}`, exit.last));
  }

  /** As ECS: says that the task is gone, and starts another one. A worker that keeps ending breaks the stack. */
  async #onWorkerExit(slot: WorkerSlot, how: string, last: string): Promise<void> {
    try {
      await this.#tellStopped(slot.taskId);
      if (this.#stopping) return;
      const nowMs = performance.now();
      this.#exits.push(nowMs);
      const recent = this.#exits.filter((atMs) => nowMs - atMs < RESTART_WINDOW_MS).length;
      if (recent > RESTART_LIMIT) {
        this.#options.onBroken(`Workers end again and again (${how}). ${last} See ${this.#folder.logs}`);
        return;
      }
      this.#options.say(`worker-${slot.index + 1} ended (${how}) and is replaced`);
      await this.#startWorker(slot);
    } catch (error) {
      if (!this.#stopping) this.#options.onBroken((error as Error).message);
    }
  }

  async #child(name: string, file: string, args: readonly string[], env: Record<string, string>): Promise<Child> {
    const child = await startChild({
      name,
      file,
      args,
      env,
      logFile: `${this.#folder.logs}/${name}.log`,
      readyWithinMs: READY_MS,
      onTrouble: this.#options.say,
    });
    this.#children.push(child);
    void child.exited.then(({ code, signal, last }) => {
      if (!this.#stopping) this.#options.onBroken(`${name} ended (${signal ?? `code ${code}`}). ${last}`);
    });
    return child;
  }
}

function killIfRunning(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone, as it should be.
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Passes a line on when it was not said in the last seconds: trouble repeats itself with every try. */
function sayOnce(say: (line: string) => void): (line: string) => void {
  const saidAtMs = new Map<string, number>();
  return (line) => {
    const nowMs = performance.now();
    if (nowMs - (saidAtMs.get(line) ?? -REPEAT_AFTER_MS) < REPEAT_AFTER_MS) return;
    saidAtMs.set(line, nowMs);
    say(line);
  };
}
