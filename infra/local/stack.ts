import { createOperatorKey } from '../../shared/identity/apiKey.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { systemRandom } from '../../shared/kernel/random.ts';
import { makeDocumentClient } from '../../shared/platform/aws.ts';
import { fleetConfig } from '../../shared/platform/config.ts';
import { asCaller, environmentOf } from './callers.ts';
import { startChild, stopChild, type Child } from './childProcess.ts';
import { openDataFolder, type DataFolder } from './dataFolder.ts';
import { programFile } from './programs.ts';
import { createQueues, queueUrlBase } from './queues.ts';
import { killIfRunning } from './killIfRunning.ts';
import { FunctionsFleet } from './functionsFleet.ts';
import { functionsProcesses } from './functionsProcesses.ts';
import { FiguresDesk } from './ops/figuresDesk.ts';
import type { EmulatorReach, RunningStack, StackOptions, WorkerReach } from './stackOptions.ts';
import { createTables } from './tables.ts';
import { portTrouble } from './ports.ts';
import { tellStopped } from './tellStopped.ts';
import { Terminal } from './terminal.ts';
import { TASK_STOP_MS, WATCHDOG_TIMINGS, WORKER_TIMINGS } from './timings.ts';
import { startWatchdog } from './watchdogSchedule.ts';
import { WorkerFleet, type LocalWorker } from './workerFleet.ts';

const STAGE = 'local';
const MEDIA_BUCKET = `${STAGE}-media`;
const SHARDS = 4;
const READY_MS = 30_000;
const STOP_MS = 10_000;

/** Starts the stack. Throws an Error with one clear sentence when a part does not start; nothing is left running then. */
export async function startStack(options: StackOptions): Promise<RunningStack> {
  const folder = openDataFolder(options.dataDir);
  // The folder is opened first: ports that a second start on it finds taken are its own.
  const trouble = await portTrouble({ port: options.port, isPair: !options.live });
  if (trouble !== undefined) {
    folder.release();
    throw new Error(trouble);
  }
  const stack = new Stack(options, folder);
  try {
    await stack.start();
    return stack;
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

/** The simulator, as the parts reach it. */
interface LocalWhatsApp {
  readonly url: string;
  readonly rootKey: string;
  /** The host of its files. */
  readonly filesUrl: string;
}

class Stack implements RunningStack {
  readonly #options: StackOptions;
  readonly #folder: DataFolder;
  readonly #children: Child[] = [];
  readonly #shards: number;
  readonly #terminal: Terminal;
  readonly isNew: boolean;
  readonly stage = STAGE;
  readonly logs: string;
  #settings: Record<string, string> = {};
  #fleet: WorkerFleet | undefined;
  #functions: FunctionsFleet | undefined;
  #watchdog: { readonly stop: () => Promise<void> } | undefined;
  #dynamoDbPid: number | undefined;
  #stopping = false;
  apiUrl = '';
  whatsAppControlUrl: string | undefined;
  dynamoDbEndpoint = '';
  sqsEndpoint = '';
  s3Endpoint = '';
  operatorKey = '';

  constructor(options: StackOptions, folder: DataFolder) {
    this.#options = options;
    this.#folder = folder;
    this.#terminal = new Terminal(options.say);
    this.isNew = folder.operatorKey === undefined;
    this.#shards = options.shards ?? SHARDS;
    this.logs = folder.logs;
  }

  async start(): Promise<void> {
    const emulators = await this.#startEmulators();
    await createTables(emulators.dynamoDb, STAGE);
    await createQueues(emulators.sqs, STAGE, this.#shards, this.#options.eventQueues);
    const { dynamoDb, sqs, s3 } = (await this.#options.inFront?.(emulators)) ?? emulators;
    this.dynamoDbEndpoint = dynamoDb;
    this.sqsEndpoint = sqs;
    this.s3Endpoint = s3;
    this.#settings = {
      AWS_REGION: 'us-east-1',
      HOLDFAST_STAGE: STAGE,
      HOLDFAST_SHARD_COUNT: String(this.#shards),
      HOLDFAST_EVENT_QUEUES: String(this.#options.eventQueues ?? 1),
      HOLDFAST_PLANS: JSON.stringify(this.#options.plans ?? {}),
      HOLDFAST_DYNAMODB_ENDPOINT: this.dynamoDbEndpoint,
      HOLDFAST_SQS_ENDPOINT: this.sqsEndpoint,
      HOLDFAST_QUEUE_URL_BASE: queueUrlBase(this.sqsEndpoint),
      HOLDFAST_S3_ENDPOINT: this.s3Endpoint,
      HOLDFAST_MEDIA_BUCKET: MEDIA_BUCKET,
      HOLDFAST_CONVERTER_FILE: programFile('functions/media/prepare/converter/main.ts'),
    };
    this.#terminal.findLabelsIn(asCaller(fleetConfig(this.#settings), 'stack'));
    await this.#prepareKey();
    await this.#buryEarlierWorkers();
    const whatsApp = this.#options.live ? undefined : await this.#startWhatsApp();
    await this.#startFunctions(whatsApp);
    await this.#startWorkers(whatsApp);
    this.#startWatchdog();
    this.#folder.keepAddresses({
      HOLDFAST_API_URL: this.apiUrl,
      HOLDFAST_STAGE: STAGE,
      HOLDFAST_SHARD_COUNT: String(this.#shards),
      HOLDFAST_EVENT_QUEUES: String(this.#options.eventQueues ?? 1),
      HOLDFAST_DYNAMODB_ENDPOINT: this.dynamoDbEndpoint,
      HOLDFAST_SQS_ENDPOINT: this.sqsEndpoint,
      HOLDFAST_QUEUE_URL_BASE: queueUrlBase(this.sqsEndpoint),
    });
  }

  workers(): readonly LocalWorker[] {
    return this.#fleet?.workers() ?? [];
  }

  addWorker(settings?: Readonly<Record<string, string>>): Promise<LocalWorker> {
    return this.#running().add(settings);
  }

  removeWorker(index: number, signal: NodeJS.Signals): Promise<void> {
    return this.#running().remove(index, signal);
  }

  replaceWorker(index: number, signal: NodeJS.Signals): Promise<void> {
    return this.#running().replace(index, signal);
  }

  reportStops(index: number, isReported: boolean): void {
    this.#running().reportStops(index, isReported);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#watchdog?.stop();
    await this.#fleet?.stop();
    await this.#functions?.stop();
    // The part that was started last depends on the others, and is stopped first.
    for (const child of [...this.#children].reverse()) await stopChild(child, STOP_MS);
    await this.#terminal.stop();
    this.#folder.release();
  }

  kill(): void {
    this.#stopping = true;
    void this.#watchdog?.stop();
    void this.#terminal.stop();
    this.#fleet?.kill();
    this.#functions?.kill();
    for (const child of this.#children) child.process.kill('SIGKILL');
    // The process that started the emulator was killed and cannot end it, and this process may be gone before it
    // notices that.
    if (this.#dynamoDbPid !== undefined) killIfRunning(this.#dynamoDbPid);
    this.#folder.release();
  }

  /** Metrics are lines in the logs: CloudWatch finds them there on AWS, and the page at `/ops` gets them from here. */
  readonly #figures = new FiguresDesk(STAGE);

  /** A disk that accepts no log can hardly store anything else, so the stack is broken. */
  readonly #onLogFailed = (sentence: string): void => {
    if (!this.#stopping) this.#options.onBroken(sentence);
  };

  #running(): WorkerFleet {
    if (this.#fleet === undefined) throw new Error('The stack is not up.');
    return this.#fleet;
  }

  async #startEmulators(): Promise<EmulatorReach> {
    const { dynamoDbLocal } = this.#options;
    const args = [
      '--data',
      this.#folder.path,
      '--bucket',
      MEDIA_BUCKET,
      ...(dynamoDbLocal === undefined ? [] : ['--dynamodb-local', dynamoDbLocal]),
    ];
    const emulators = await this.#child('emulators', 'infra/local/emulatorsHost.ts', args, {});
    // The emulator's binary cannot watch its parent: when that process was killed, the supervisor ends the binary.
    const dynamoDbPid = Number(emulators.ready['dynamoDbPid']);
    this.#dynamoDbPid = dynamoDbPid;
    void emulators.exited.then(() => {
      this.#dynamoDbPid = undefined;
      killIfRunning(dynamoDbPid);
    });
    const urlOf = (name: string): string => textOf(emulators.ready[name]);
    return { dynamoDb: urlOf('dynamoDb'), sqs: urlOf('sqs'), s3: urlOf('s3') };
  }

  async #startWhatsApp(): Promise<LocalWhatsApp> {
    const whatsApp = await this.#child(
      'whatsapp',
      'test/whatsapp/main.ts',
      [
        '--state-dir',
        `${this.#folder.path}/whatsapp`,
        '--control-port',
        this.#controlPort(),
        ...(this.#options.phonesGiveKeys === true ? ['--gives-keys'] : []),
      ],
      {},
    );
    this.whatsAppControlUrl = textOf(whatsApp.ready['controlUrl']);
    const [filesHost] = whatsApp.ready['mediaHosts'] as readonly string[];
    return {
      url: textOf(whatsApp.ready['webSocketUrl']),
      rootKey: textOf(whatsApp.ready['rootKey']),
      filesUrl: `http://${textOf(filesHost)}`,
    };
  }

  async #startFunctions(whatsApp: LocalWhatsApp | undefined): Promise<void> {
    const { port, functions: count = functionsProcesses() } = this.#options;
    this.#functions = new FunctionsFleet({
      count,
      port,
      phonesUrl: this.whatsAppControlUrl,
      env: { ...this.#settings, ...(whatsApp === undefined ? {} : { WHATSAPP_FILES_URL: whatsApp.filesUrl }) },
      logs: this.logs,
      say: this.#terminal.say,
      onTrouble: this.#terminal.tell,
      onLogAside: this.#terminal.say,
      onLogFailed: this.#onLogFailed,
      onMetrics: this.#figures.add,
      onStarted: ({ process: child }) => this.#figures.serve(child),
      onBroken: this.#options.onBroken,
    });
    this.apiUrl = await this.#functions.start();
    // A restart must not look like a loss, and nobody waits for that.
    this.#figures.readEarlier(this.#folder.previousLogs).catch(() => {
      this.#terminal.say('The figures of the last run could not be read.');
    });
  }

  async #startWorkers(whatsApp: LocalWhatsApp | undefined): Promise<void> {
    const { workers, workerTimings = 'local', workerSettings, reportStops = true, between } = this.#options;
    const direct: WorkerReach = { dynamoDbEndpoint: this.dynamoDbEndpoint, whatsAppUrl: whatsApp?.url };
    const { dynamoDbEndpoint, whatsAppUrl } = (await between?.(direct)) ?? direct;
    const fleet = new WorkerFleet({
      settings: {
        ...this.#settings,
        ...WORKER_TIMINGS[workerTimings],
        HOLDFAST_KEY_FILE: this.#folder.keyFile,
        HOLDFAST_DYNAMODB_ENDPOINT: dynamoDbEndpoint,
        ...environmentOf('worker'),
        ...(whatsAppUrl === undefined ? {} : { WHATSAPP_URL: whatsAppUrl }),
        ...(whatsApp === undefined ? {} : { WHATSAPP_ROOT_KEY: whatsApp.rootKey }),
        ...workerSettings,
      },
      logs: this.logs,
      reportStops,
      taskStopMs: TASK_STOP_MS[workerTimings],
      tellStopped: (taskId) => tellStopped(this.#settings, taskId),
      keepTasks: this.#folder.keepTasks,
      say: this.#terminal.say,
      onTrouble: this.#terminal.tell,
      onMetrics: this.#figures.add,
      onLogFailed: this.#onLogFailed,
      onBroken: this.#options.onBroken,
    });
    this.#fleet = fleet;
    await Promise.all(Array.from({ length: workers }, () => fleet.add()));
  }

  #startWatchdog(): void {
    const { watchdogSettings = {}, workerTimings = 'local', workerSettings } = this.#options;
    if (watchdogSettings === false) return;
    this.#watchdog = startWatchdog({
      settings: { ...this.#settings, ...WATCHDOG_TIMINGS[workerTimings], ...workerSettings, ...watchdogSettings },
      log: {
        file: `${this.logs}/watchdog.log`,
        onLogAside: this.#terminal.say,
        onLogFailed: this.#onLogFailed,
      },
      stopTask: (taskId) => this.#running().stopTask(taskId),
    });
  }

  /** The address of the control API: beside the API's port, so that a README can name it. */
  #controlPort(): string {
    const { port } = this.#options;
    return String(port === 0 ? 0 : port + 1);
  }

  /** Shows the operator key. The key of the first start is shown again at each later one. */
  async #prepareKey(): Promise<void> {
    if (this.#folder.operatorKey !== undefined) {
      this.operatorKey = this.#folder.operatorKey;
      return;
    }
    const identity = { table: this.#table(), stage: STAGE, clock: systemClock, random: systemRandom };
    const key = await createOperatorKey(identity, { operatorRole: 'admin', by: 'embedded-stack' });
    this.operatorKey = key.secret.reveal();
    this.#folder.keepOperatorKey(this.operatorKey);
  }

  #table() {
    return makeDocumentClient(asCaller(fleetConfig({ ...this.#settings, HOLDFAST_LOG_LEVEL: 'warn' }), 'operations'));
  }

  /** Reports the end of the workers of a run that was killed. ECS would report it on AWS; here the supervisor does. */
  async #buryEarlierWorkers(): Promise<void> {
    for (const taskId of this.#folder.tasks) await tellStopped(this.#settings, taskId);
    this.#folder.keepTasks([]);
  }

  async #child(name: string, file: string, args: readonly string[], env: Record<string, string>): Promise<Child> {
    const child = await startChild({
      name,
      file,
      args,
      env,
      logFile: `${this.#folder.logs}/${name}.log`,
      readyWithinMs: READY_MS,
      onTrouble: this.#terminal.tell,
      onLogAside: this.#terminal.say,
      onLogFailed: this.#onLogFailed,
      onMetrics: this.#figures.add,
    });
    this.#children.push(child);
    void child.exited.then(({ code, signal, last }) => {
      if (!this.#stopping) this.#options.onBroken(`${name} ended (${signal ?? `code ${code}`}). ${last}`);
    });
    return child;
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
