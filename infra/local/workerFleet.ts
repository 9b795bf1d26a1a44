import { randomUUID } from 'node:crypto';
import { Scope } from '../../shared/kernel/scope.ts';
import { startChild, stopChild, type Child } from './childProcess.ts';
import { endsTooOften } from './restartLimit.ts';
import type { Trouble } from './trouble.ts';

/** One worker process of the embedded stack. */
export interface LocalWorker {
  /** The place of the worker, for as long as the stack runs: a successor takes the same place. */
  readonly index: number;
  readonly workerId: string;
  readonly pid: number;
}

export interface WorkerFleetOptions {
  readonly settings: Readonly<Record<string, string>>;
  /** The folder of the log files. */
  readonly logs: string;
  /** Whether the end of a worker is reported, as ECS does; `reportStops` changes it for one place. */
  readonly reportStops: boolean;
  readonly tellStopped: (taskId: string) => Promise<void>;
  /** Remembers, for the next start, the tasks whose end is not reported yet. */
  readonly keepTasks: (taskIds: readonly string[]) => void;
  readonly say: (line: string) => void;
  readonly onTrouble: (trouble: Trouble) => void;
  readonly onLogFailed: (sentence: string) => void;
  /** Called for every line that a worker prints on standard output. */
  readonly onMetrics: (line: string) => void;
  readonly onBroken: (reason: string) => void;
  /** The time between SIGTERM and SIGKILL of a task that is stopped, in milliseconds. */
  readonly taskStopMs: number;
}

const READY_MS = 30_000;
const STOP_MS = 25_000;
/** The time that Fargate allows a task between SIGTERM and SIGKILL, in milliseconds. */
const TASK_STOP_MS = 120_000;

/** A place for a worker: while the place is kept, each worker that ends here is followed by another. */
interface Place {
  readonly index: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly endedAtMs: number[];
  running: { readonly child: Child; readonly taskId: string } | undefined;
  isKept: boolean;
  reportsStops: boolean;
  /**
   * Settled when the end of the present worker has been dealt with: reported, and the worker replaced if the place is
   * kept.
   */
  followed: PromiseWithResolvers<void>;
}

/**
 * The workers of the embedded stack, run as an ECS service runs them: started, watched, replaced, and reported when one
 * has ended.
 */
export class WorkerFleet {
  readonly #options: WorkerFleetOptions;
  readonly #places = new Map<number, Place>();
  readonly #starting = new Set<Promise<void>>();
  /** Tasks that have started and whose end was not reported. */
  readonly #untold = new Set<string>();
  #nextIndex = 0;
  #stopping = false;

  constructor(options: WorkerFleetOptions) {
    this.#options = options;
  }

  /** The workers that run now, by their places. */
  workers(): readonly LocalWorker[] {
    return [...this.#places.values()].flatMap(({ index, running }) =>
      running === undefined ? [] : [toLocalWorker(index, running.child)],
    );
  }

  /**
   * Starts one more worker. Resolves when it is ready.
   * @param settings extra settings of this worker and of its successors
   */
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

  /**
   * Sends a worker a signal and gives its place up. Resolves when the process is gone and, where ends are reported, its
   * end is reported.
   */
  async remove(index: number, signal: NodeJS.Signals): Promise<void> {
    const { place, child } = this.#find(index);
    place.isKept = false;
    const { promise } = place.followed;
    await using scope = new Scope('stopping a worker');
    scope.timeout(TASK_STOP_MS, () => child.process.kill('SIGKILL'));
    child.process.kill(signal);
    await promise;
  }

  /**
   * Sends a worker a signal, as ECS or an accident would; the worker is replaced. Resolves when its successor is ready.
   */
  async replace(index: number, signal: NodeJS.Signals): Promise<void> {
    const { place, child } = this.#find(index);
    const { promise } = place.followed;
    child.process.kill(signal);
    await promise;
  }

  /**
   * Stops a task as ECS does: SIGTERM, and SIGKILL when that was not enough. The worker is replaced. Returns at once,
   * without waiting for the end. Throws an Error when no such task runs.
   */
  stopTask(taskId: string): void {
    const running = [...this.#places.values()].find((place) => place.running?.taskId === taskId)?.running;
    if (running === undefined) throw new Error(`There is no task ${taskId}.`);
    void stopChild(running.child, this.#options.taskStopMs);
  }

  /**
   * Sets whether the end of workers at this place is reported from now on. Otherwise the other workers must observe
   * their deaths.
   */
  reportStops(index: number, isReported: boolean): void {
    this.#find(index).place.reportsStops = isReported;
  }

  /** Stops all workers, also the ones that are just starting. Resolves when their ends are reported. */
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
    const { settings, logs, say, onTrouble, onLogFailed, onMetrics } = this.#options;
    const taskId = randomUUID();
    this.#untold.add(taskId);
    this.#options.keepTasks([...this.#untold]);
    const name = nameOf(place);
    const started = startChild({
      name,
      file: 'worker/main.ts',
      env: { ...settings, ...place.settings, HOLDFAST_TASK_ID: taskId },
      logFile: `${logs}/${name}.log`,
      readyWithinMs: READY_MS,
      onTrouble,
      onLogAside: say,
      onLogFailed,
      onMetrics,
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

  /**
   * Does as ECS does: reports that the task is gone, and starts another one. A worker that keeps ending breaks the
   * stack.
   */
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

  /** Starts the next worker of a place. Throws when the workers of this place end too often. */
  async #follow(place: Place, how: string, last: string): Promise<void> {
    const nowMs = performance.now();
    place.endedAtMs.push(nowMs);
    if (endsTooOften(place.endedAtMs, nowMs)) {
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

/** Makes the promise of the end. Often nobody waits for it, and then its rejection must not end the process. */
function makeFollowed(): PromiseWithResolvers<void> {
  const followed = Promise.withResolvers<void>();
  followed.promise.catch(() => undefined);
  return followed;
}
