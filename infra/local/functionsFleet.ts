import { startChild, stopChild, type Child, type ChildOptions } from './childProcess.ts';
import { onFirstFile } from './firstFile.ts';
import { endsTooOften } from './restartLimit.ts';

export interface FunctionsFleetOptions extends Pick<
  ChildOptions,
  'onTrouble' | 'onLogAside' | 'onLogFailed' | 'onMetrics' | 'env'
> {
  /** The number of processes, apart from that of the media function. */
  readonly count: number;
  /** The port of the API, which all of them share; 0 takes any free one. */
  readonly port: number;
  /** The address of the simulator's phones; undefined where there is none. */
  readonly phonesUrl: string | undefined;
  /** The folder of the log files. */
  readonly logs: string;
  readonly say: (line: string) => void;
  /** Called for each process that has started, apart from that of the media function. */
  readonly onStarted: (child: Child) => void;
  readonly onBroken: (reason: string) => void;
}

const READY_MS = 30_000;
const STOP_MS = 10_000;

/** A place for a process: each one that ends here is followed by another. */
interface Place {
  readonly name: string;
  readonly file: string;
  readonly args: () => readonly string[];
  readonly endedAtMs: number[];
  running: Child | undefined;
}

/**
 * The processes that run the functions, as Lambda would: one that ends is followed by another, under the same port and
 * with the same queues. What it had in hand comes again when its visibility timeout is over, and callers of the API whose
 * connection broke ask again. The media function has a process of its own, from the first file on.
 *
 * - It ends again and again: more than three times a minute at one place is a fault of its own, and the stack ends.
 * - It ends while the stack stops: nothing follows.
 */
export class FunctionsFleet {
  readonly #options: FunctionsFleetOptions;
  readonly #places: readonly Place[];
  readonly #media: Place;
  readonly #starting = new Set<Promise<unknown>>();
  #port: number;
  #stopping = false;
  #hasMedia = false;

  constructor(options: FunctionsFleetOptions) {
    this.#options = options;
    this.#port = options.port;
    const { count, phonesUrl } = options;
    const phones = phonesUrl === undefined ? [] : ['--phones', phonesUrl];
    this.#places = Array.from({ length: count }, (_, index) => ({
      name: count === 1 ? 'functions' : `functions-${index + 1}`,
      file: 'infra/local/functionsHost.ts',
      args: () => ['--port', String(this.#port), '--place', String(index), '--of', String(count), ...phones],
      endedAtMs: [],
      running: undefined,
    }));
    const args = (): readonly string[] => [];
    this.#media = { name: 'media', file: 'infra/local/mediaHost.ts', args, endedAtMs: [], running: undefined };
  }

  /** Starts all of them. Resolves with the URL of the API. */
  async start(): Promise<string> {
    const [first, ...others] = this.#places;
    if (first === undefined) throw new Error('The functions need a process.');
    const url = String((await this.#startAt(first)).ready['url']);
    this.#port = Number(new URL(url).port);
    await Promise.all(others.map((place) => this.#startAt(place)));
    return url;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.allSettled(this.#starting);
    await Promise.all(this.#running().map((child) => stopChild(child, STOP_MS)));
  }

  kill(): void {
    this.#stopping = true;
    for (const child of this.#running()) child.process.kill('SIGKILL');
  }

  #running(): readonly Child[] {
    return [...this.#places, this.#media].flatMap(({ running }) => (running === undefined ? [] : [running]));
  }

  /** Starts the process of the media function, unless that was done before. */
  readonly #onFirstFile = (): void => {
    if (this.#stopping || this.#hasMedia) return;
    this.#hasMedia = true;
    this.#startAt(this.#media).catch((error: unknown) => this.#break(error));
  };

  async #startAt(place: Place): Promise<Child> {
    const { env, logs, onTrouble, onLogAside, onLogFailed, onMetrics, onStarted } = this.#options;
    const { name, file } = place;
    const started = startChild({
      name,
      file,
      args: place.args(),
      env,
      logFile: `${logs}/${name}.log`,
      readyWithinMs: READY_MS,
      onTrouble,
      onLogAside,
      onLogFailed,
      onMetrics,
    });
    this.#starting.add(started);
    try {
      const child = await started;
      place.running = child;
      if (place !== this.#media) {
        onFirstFile(child.process, this.#onFirstFile);
        onStarted(child);
      }
      void child.exited.then(({ code, signal, last }) => this.#follow(place, signal ?? `code ${code}`, last));
      return child;
    } finally {
      this.#starting.delete(started);
    }
  }

  async #follow(place: Place, how: string, last: string): Promise<void> {
    const { say, logs } = this.#options;
    const { name } = place;
    place.running = undefined;
    if (this.#stopping) return;
    try {
      place.endedAtMs.push(performance.now());
      if (endsTooOften(place.endedAtMs, performance.now())) {
        throw new Error(`${name} ends again and again (${how}). ${last} See ${logs}`);
      }
      say(`${name} ended (${how}) and is replaced`);
      await this.#startAt(place);
    } catch (error) {
      this.#break(error);
    }
  }

  #break(error: unknown): void {
    if (!this.#stopping) this.#options.onBroken((error as Error).message);
  }
}
