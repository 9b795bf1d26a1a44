import { spawn, type ChildProcess } from 'node:child_process';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Scope } from '../../shared/kernel/scope.ts';
import { listenTo, splitLines } from './childOutput.ts';
import { diskSentenceIn } from './diskTrouble.ts';
import { LogFile } from './logFile.ts';
import { MEMORY_ENVIRONMENT, NODE_FLAGS, programFile } from './programs.ts';
import type { Trouble } from './trouble.ts';

/**
 * One Node process of the embedded stack: it says when it is ready, its log goes to a file, and it does not outlive the
 * supervisor.
 */
export interface Child {
  readonly name: string;
  readonly process: ChildProcess;
  /** The fields that the child reported when it was ready. */
  readonly ready: Readonly<Record<string, unknown>>;
  /**
   * Resolves when the process is gone, with the reason that it gave on standard error; as a sentence where one is
   * known.
   */
  readonly exited: Promise<{
    readonly code: number | null;
    readonly signal: NodeJS.Signals | null;
    readonly last: string;
  }>;
}

export interface ChildOptions {
  readonly name: string;
  /** The file of the repository to run, for example `worker/main.ts`. */
  readonly file: string;
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly readyWithinMs: number;
  /** Called for each line of the child's log that a person should see. */
  readonly onTrouble: (trouble: Trouble) => void;
  /**
   * Called with one sentence for a person when the log file is full for the first time: it is put aside, and the log
   * goes on in a new file.
   */
  readonly onLogAside: (sentence: string) => void;
  /** Called once, with one sentence, when the log cannot be written any more because the disk accepts nothing. */
  readonly onLogFailed: (sentence: string) => void;
  /** Called for each line that may hold metrics. */
  readonly onMetrics: (line: string) => void;
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const LOADED_FIRST = ['privateFiles.ts', 'dieWithParent.ts'] as const;
/** The number of last lines of standard error that are kept, enough to find the reason in. */
const LINES_KEPT = 40;

/** Starts a child and waits until it is ready. Throws an Error with one clear sentence when it does not get there. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { file, args = [] } = options;
  const imported = LOADED_FIRST.flatMap((name) => ['--import', programFile(`infra/local/${name}`)]);
  const child = spawn(process.execPath, [...NODE_FLAGS, ...imported, programFile(file), ...args], {
    cwd: root,
    // A child must not get settings that were meant for another kind of process.
    env: { ...fromUs('PATH', 'HOME', 'TZ', 'NODE_COMPILE_CACHE'), ...MEMORY_ENVIRONMENT, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Ctrl-C is for the supervisor alone, which stops the children in order.
    detached: process.platform !== 'win32',
  });
  const scope = new Scope(options.name);
  const { name, logFile, onLogAside, onLogFailed } = options;
  const log = new LogFile({ name, file: logFile, onLogAside, onLogFailed });
  scope.hold('stream', () => log.end());
  scope.hold('process', () => void child.kill('SIGKILL'));
  const { ready, said } = hear(child, log, options);
  const exited: Child['exited'] = new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: 1, signal: null, last: error.message }));
    child.once('close', (code, signal) => {
      // The caller that waits for the child may end this process next.
      log.end();
      resolve({ code, signal, last: reasonIn(said, options.logFile) });
    });
  });
  const late = Promise.withResolvers<Error>();
  const endDeadline = scope.timeout(options.readyWithinMs, () => {
    late.resolve(new Error(`${options.name} was not ready in time. See ${options.logFile}`));
  });
  // The log is closed when the child is gone, whether the child became ready or not.
  void exited.then(() => scope.close());
  const outcome = await Promise.race([
    ready,
    exited.then((exit) => new Error(`${options.name} did not start: ${exit.last || `exit code ${exit.code}`}`)),
    late.promise,
  ]);
  if (outcome instanceof Error) {
    await scope.close();
    throw outcome;
  }
  void endDeadline();
  return { name: options.name, process: child, ready: outcome, exited };
}

/**
 * Logs what a child prints, and tells of its troubles and metrics. Keeps the last lines of standard error; `ready`
 * resolves with the line in which the child says that it is ready.
 */
function hear(child: ChildProcess, log: LogFile, { name, onTrouble, onMetrics }: ChildOptions) {
  const [output, errors] = [child.stdout, child.stderr] as readonly [Readable, Readable];
  const said: string[] = [];
  splitLines(errors, (lines) => {
    said.push(...lines.toString().trimEnd().split('\n'));
    said.splice(0, said.length - LINES_KEPT);
    log.writeLines(lines);
  });
  const ready = new Promise<Readonly<Record<string, unknown>>>((onReady) => {
    listenTo(output, name, { onLines: (lines) => log.writeLines(lines), onReady, onTrouble, onMetrics });
  });
  return { ready, said };
}

/** Asks a child to stop, and makes it stop when it takes longer than that. */
export async function stopChild(child: Child, withinMs: number): Promise<void> {
  if (child.process.exitCode !== null || child.process.signalCode !== null) return;
  await using scope = new Scope('stopping a child');
  scope.timeout(withinMs, () => child.process.kill('SIGKILL'));
  child.process.kill('SIGTERM');
  await child.exited;
}

/**
 * The line that names the error out of a stack trace of Node; otherwise the last line. A full disk is named as such.
 */
function reasonIn(lines: readonly string[], logFile: string): string {
  const sentence = diskSentenceIn(lines.join('\n'), dirname(dirname(logFile)));
  if (sentence !== undefined) return sentence;
  const named = lines.findLast((line) => /^(Uncaught )?\w*(Error|Exception)\b.*:/.test(line));
  return named ?? lines.findLast((line) => line.trim() !== '') ?? '';
}

/** These of our own environment variables, where they are set. */
function fromUs(...names: readonly string[]): NodeJS.ProcessEnv {
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}
