import { randomUUID } from 'node:crypto';
import { Scope } from '../../shared/kernel/scope.ts';
import { WORKER_NODE_FLAGS } from '../../shared/platform/workerNodeFlags.ts';
import { startChild, stopChild, type Child } from './childProcess.ts';
import type { Trouble } from './trouble.ts';

/** One worker process of the embedded stack. */
export interface LocalWorker {
  /** Its place, for as long as the stack runs: a successor has the same. */
  readonly index: number;
  readonly workerId: string;
  readonly pid: number;
}

export interface WorkerFleetOptions {
  readonly settings: Readonly<Record<string, string>>;
  /** Folder of the log files. */
  readonly logs: string;
  /** Whether the end of a worker is told, as ECS does; `reportStops` changes it for one place. */
  readonly reportStops: boolean;
  readonly tellStopped: (taskId: string) => Promise<void>;
  /** Remembers tasks whose end is not told yet, for the next start. */
  readonly keepTasks: (taskIds: readonly string[]) => void;
  readonly say: (line: string) => void;
  readonly onTrouble: (trouble: Trouble) => void;
  readonly onLogFailed: (sentence: string) => void;
  /** Every line that a worker prints on standard output. */
  readonly onLine: (line: string) => void;
  readonly onBroken: (reason: string) => void;
  /** Between SIGTERM and SIGKILL of a task that is stopped. */
  readonly taskStopMs: number;
}

const READY_MS = 30_000;
const STOP_MS = 25_000;
/** What Fargate allows a task between SIGTERM and SIGKILL. */
const TASK_STOP_MS = 120_000;
const RESTART_WINDOW_MS = 60_000;
const RESTART_LIMIT = 3;

/** A place for a worker: while it is kept, each worker that ends here is followed by another. */
interface Place {
  readonly index: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly endedAtMs: number[];
  running: { readonly child: Child; readonly taskId: string } | undefined;
  isKept: boolean;
  reportsStops: boolean;
  /** Settled when the end of the present worker has been dealt with: told, and followed if the place is kept. */
  followed: PromiseWithResolvers<void>;
}

/** The workers of the embedded stack, as an ECS service runs them: starts, watches, replaces, and tells when one has ended. */
export class WorkerFleet {
  readonly #options: WorkerFleetOptions;
  readonly #places = new Map<number, Place>();
  readonly #starting = new Set<Promise<void>>();
  /** Tasks that have started and whose end was not told. */
  readonly #untold = new Set<string>();
  #nextIndex = 0;
  #stopping = false;

  constructor(options: WorkerFleetOptions) {
    this.#options = options;
  }

  /** Those that run now, by their places. */
  workers(): readonly LocalWorker[] {
    return [...this.#places.values()].flatMap(({ index, running }) =>
      running === undefined ? [] : [toLocalWorker(index, running.child)],
    );
  }

  /** Starts one more worker. @param settings that only this one gets, and its successors. Resolves when it is ready. */
  async add(settings: Readonly<Record<string, string>> = {}): Promise<LocalWorker> {
    const index = this.#nextIndex;
    this.#nextIndex += 1;
    const place: Place = {
      index,
      settings,
      endedAtMs: [],
      running: undefined,
      isKept: true,
      reportsStops: this.#options.reportStops,
      followed: makeFollowed(),
    };
    this.#places.set(index, place);
    try {
      return toLocalWorker(index, await this.#start(place));
    } catch (error) {
      this.#places.delete(index);
      throw error;
    }
  }

  /** Sends a worker a signal and gives its place up. Resolves when the process is gone and, if it is to be, told so. */
  async remove(index: number, signal: NodeJS.Signals): Promise<void> {
    const { place, child } = this.#find(index);
    place.isKept = false;
    const { promise } = place.followed;
    await using scope = new Scope('stopping a worker');
    scope.timeout(TASK_STOP_MS, () => child.process.kill('SIGKILL'));
    child.process.kill(signal);
    await promise;
  }

  /** Sends a worker a signal, as ECS or an accident would; it is replaced. Resolves when its successor is ready. */
  async replace(index: number, signal: NodeJS.Signals): Promise<void> {
    const { place, child } = this.#find(index);
    const { promise } = place.followed;
    child.process.kill(signal);
    await promise;
  }

  /**
   * What ECS does when it is asked to stop a task: SIGTERM, and SIGKILL when that was not enough. The worker is replaced. Does
   * not wait for it. Throws an Error when no such task runs.
   */
  stopTask(taskId: string): void {
    const running = [...this.#places.values()].find((place) => place.running?.taskId === taskId)?.running;
    if (running === undefined) throw new Error(`There is no task ${taskId}.`);
    void stopChild(running.child, this.#options.taskStopMs);
  }

  /** Whether the end of workers at this place is told from now on. Without it their deaths must be observed. */
  reportStops(index: number, isReported: boolean): void {
    this.#find(index).place.reportsStops = isReported;
  }

  /** Stops all, those that are just starting too. Resolves when their ends are told. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.allSettled(this.#starting);
    const places = [...this.#places.values()].filter(({ running }) => running !== undefined);
    const followed = places.map(({ followed: { promise } }) => promise);
    await Promise.all(
      places.flatMap(({ running }) => (running === undefined ? [] : [stopChild(running.child, STOP_MS)])),
    );
    await Promise.allSettled(followed);
  }

  kill(): void {
    this.#stopping = true;
    for (const { running } of this.#places.values()) running?.child.process.kill('SIGKILL');
  }

  #find(index: number): { readonly place: Place; readonly child: Child } {
    const place = this.#places.get(index);
    if (place?.running === undefined) throw new Error(`There is no worker ${index}.`);
    return { place, child: place.running.child };
  }

  async #start(place: Place): Promise<Child> {
    const { settings, logs, say, onTrouble, onLogFailed, onLine } = this.#options;
    const taskId = randomUUID();
    this.#untold.add(taskId);
    this.#options.keepTasks([...this.#untold]);
    const name = nameOf(place);
    const started = startChild({
      name,
      file: 'worker/main.ts',
      nodeFlags: WORKER_NODE_FLAGS,
      env: { ...settings, ...place.settings, HOLDFAST_TASK_ID: taskId },
      logFile: `${logs}/${name}.log`,
      readyWithinMs: READY_MS,
      onTrouble,
      onLogAside: say,
      onLogFailed,
      onLine,
    }).then((child) => {
      place.running = { child, taskId };
      void child.exited.then(({ code, signal, last }) => this.#onExit(place, signal ?? `code ${code}`, last));
      return child;
    });
    const settled = started.then(
      () => undefined,
      () => undefined,
    );
    this.#starting.add(settled);
    void settled.then(() => this.#starting.delete(settled));
    return started;
  }

  /** As ECS: says that the task is gone, and starts another one. A worker that keeps ending breaks the stack. */
  async #onExit(place: Place, how: string, last: string): Promise<void> {
    const { followed, running } = place;
    place.running = undefined;
    place.followed = makeFollowed();
    try {
      if (running !== undefined && place.reportsStops) await this.#tellStopped(running.taskId);
      if (!place.isKept) this.#places.delete(place.index);
      else if (!this.#stopping) await this.#follow(place, how, last);
      followed.resolve();
    } catch (error) {
      followed.reject(error);
      if (!this.#stopping) this.#options.onBroken((error as Error).message);
    }
  }

  async #tellStopped(taskId: string): Promise<void> {
    await this.#options.tellStopped(taskId);
    this.#untold.delete(taskId);
    this.#options.keepTasks([...this.#untold]);
  }

  /** Throws when the workers of this place end too often. */
  async #follow(place: Place, how: string, last: string): Promise<void> {
    const nowMs = performance.now();
    place.endedAtMs.push(nowMs);
    const recent = place.endedAtMs.filter((atMs) => nowMs - atMs < RESTART_WINDOW_MS).length;
    if (recent > RESTART_LIMIT) {
      throw new Error(`${nameOf(place)} ends again and again (${how}). ${last} See ${this.#options.logs}`);
    }
    this.#options.say(`${nameOf(place)} ended (${how}) and is replaced`);
    await this.#start(place);
  }
}

function nameOf({ index }: Place): string {
  return `worker-${index + 1}`;
}

function toLocalWorker(index: number, { process, ready }: Child): LocalWorker {
  return { index, workerId: String(ready['workerId']), pid: process.pid ?? 0 };
}

/** Often nobody waits for it, and then its rejection is nobody's fault. */
function makeFollowed(): PromiseWithResolvers<void> {
  const followed = Promise.withResolvers<void>();
  followed.promise.catch(() => undefined);
  return followed;
}
