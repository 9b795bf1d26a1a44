import type { Plans } from '../../shared/platform/planConfig.ts';
import type { LocalWorker } from './workerFleet.ts';

/** The whole product on one machine: emulators, WhatsApp simulator, functions, workers, one process each. */
export interface StackOptions {
  readonly dataDir: string;
  /** The port of the API; 0 takes any free port. */
  readonly port: number;
  /** Whether the workers talk to the real WhatsApp instead of the simulator. */
  readonly live: boolean;
  /** Whether the simulator's phones give the keys of what devices share by themselves, as real ones do; when they are told to, when left out. */
  readonly phonesGiveKeys?: boolean;
  readonly workers: number;
  /** The number of shards, each with room for 50 connections; 4 when left out. */
  readonly shards?: number;
  /** The number of processes for functions; as `functionsProcesses` says when left out. */
  readonly functions?: number;
  /** A folder with Amazon's DynamoDB Local, which keeps nothing, in place of our emulator. */
  readonly dynamoDbLocal?: string | undefined;
  /** The plans of tenants; none when left out, so that what is usual holds. */
  readonly plans?: Plans;
  /** The number of queues for events; 1 when left out. */
  readonly eventQueues?: number;
  /**
   * The set of timings of the workers; `local` when left out. The timings of production are slower, as they allow for a
   * network between the machines.
   */
  readonly workerTimings?: 'local' | 'production';
  /** Settings of the workers that replace the ones below. */
  readonly workerSettings?: Readonly<Record<string, string>>;
  /** Settings of the watchdog that replace the ones below; with false there is no watchdog. */
  readonly watchdogSettings?: Readonly<Record<string, string>> | false;
  /**
   * Whether the end of a worker is reported at once, as ECS does; true when left out. `reportStops` changes it while
   * the stack runs.
   */
  readonly reportStops?: boolean;
  /**
   * Puts something between the workers and the parts that they reach, for example proxies. Called once, before the
   * first worker starts.
   */
  readonly between?: (reached: WorkerReach) => Promise<WorkerReach>;
  /**
   * Puts something between all processes and the emulators, for example a recorder of calls. Called once, before the
   * first call.
   */
  readonly inFront?: (emulators: EmulatorReach) => Promise<EmulatorReach>;
  /** Prints a line for a person: a complaint of a child, or the replacement of a worker. */
  readonly say: (line: string) => void;
  /** Called once, with one sentence, when the stack cannot go on; the caller then stops it. */
  readonly onBroken: (reason: string) => void;
}

/** Base URLs of the emulators, for example `http://127.0.0.1:8000`. */
export interface EmulatorReach {
  readonly dynamoDb: string;
  readonly sqs: string;
  readonly s3: string;
}

/** The URLs under which the workers reach the other parts. */
export interface WorkerReach {
  readonly dynamoDbEndpoint: string;
  /** The address of the simulator; undefined with `live`. */
  readonly whatsAppUrl: string | undefined;
}

export interface RunningStack {
  readonly apiUrl: string;
  /** The address of the simulator's control API; undefined with `live`. */
  readonly whatsAppControlUrl: string | undefined;
  readonly dynamoDbEndpoint: string;
  readonly sqsEndpoint: string;
  readonly s3Endpoint: string;
  readonly operatorKey: string;
  /** Whether the data folder was empty before. */
  readonly isNew: boolean;
  /** The prefix of the names of queues and tables. */
  readonly stage: string;
  readonly logs: string;
  /** The workers that run now. */
  readonly workers: () => readonly LocalWorker[];
  /**
   * Starts one more worker. Resolves when it is ready.
   * @param settings extra settings of this worker and of its successors
   */
  readonly addWorker: (settings?: Readonly<Record<string, string>>) => Promise<LocalWorker>;
  /**
   * Sends a worker a signal without replacing it. Resolves when the process is gone and, where ends are reported, its
   * end is reported.
   */
  readonly removeWorker: (index: number, signal: NodeJS.Signals) => Promise<void>;
  /**
   * Sends a worker a signal, as ECS or an accident would; the worker is replaced. Resolves when its successor is ready.
   */
  readonly replaceWorker: (index: number, signal: NodeJS.Signals) => Promise<void>;
  /** Sets whether the end of this worker, and of its successors, is reported from now on. */
  readonly reportStops: (index: number, isReported: boolean) => void;
  /** Stops everything in order, workers first. Leaves no process behind. */
  readonly stop: () => Promise<void>;
  readonly kill: () => void;
}
