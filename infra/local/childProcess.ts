import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { Scope } from '../../shared/kernel/scope.ts';

/** One Node process of the embedded stack: it says when it is ready, its log goes to a file, it does not outlive us. */
export interface Child {
  readonly name: string;
  readonly process: ChildProcess;
  /** What the child said when it was ready. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** Resolves when the process is gone, with the last thing it said on standard error. */
  readonly exited: Promise<{
    readonly code: number | null;
    readonly signal: NodeJS.Signals | null;
    readonly last: string;
  }>;
}

export interface ChildOptions {
  readonly name: string;
  /** File of the repository, for example `worker/main.ts`. */
  readonly file: string;
  readonly args?: readonly string[];
  /** Flags of node. */
  readonly nodeFlags?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly readyWithinMs: number;
  /** Lines of its log that a person should see. */
  readonly onTrouble: (line: string) => void;
  /** Every line that it prints on standard output. */
  readonly onLine?: (line: string) => void;
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const readySchema = z.object({ ready: z.literal(true) }).loose();
const troubleSchema = z.object({
  level: z.enum(['warn', 'error']),
  message: z.string(),
  error: z.object({ message: z.string() }).optional(),
});
const LOG_LIMIT_BYTES = 50 * 1_024 * 1_024;

/** Starts a child and waits until it is ready. Throws an Error with one clear sentence when it does not get there. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const dieWithParent = fileURLToPath(new URL('dieWithParent.ts', import.meta.url));
  const { nodeFlags = [], file, args = [] } = options;
  const child = spawn(process.execPath, [...nodeFlags, '--import', dieWithParent, file, ...args], {
    cwd: root,
    // A child must not get settings that were meant for another kind of process.
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TZ: process.env['TZ'], ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Ctrl-C is for the supervisor alone, which stops the children in order.
    detached: process.platform !== 'win32',
  });
  const scope = new Scope(options.name);
  const log = createWriteStream(options.logFile, { mode: 0o600, flags: 'a' });
  scope.hold('stream', () => void log.end());
  scope.hold('process', () => void child.kill('SIGKILL'));
  let last = '';
  const exited: Child['exited'] = new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: 1, signal: null, last: error.message }));
    child.once('close', (code, signal) => resolve({ code, signal, last }));
  });
  createInterface({ input: child.stderr ?? process.stdin }).on('line', (line) => {
    last = line;
    write(log, line);
  });
  const ready = new Promise<Record<string, unknown>>((resolve) => {
    createInterface({ input: child.stdout ?? process.stdin }).on('line', (line) => {
      write(log, line);
      options.onLine?.(line);
      const parsed = readySchema.safeParse(parseJson(line));
      if (parsed.success) resolve(parsed.data);
      else {
        const trouble = troubleSchema.safeParse(parseJson(line));
        if (trouble.success) options.onTrouble(describeTrouble(options.name, trouble.data));
      }
    });
  });
  const late = Promise.withResolvers<Error>();
  const endDeadline = scope.timeout(options.readyWithinMs, () => {
    late.resolve(new Error(`${options.name} was not ready in time. See ${options.logFile}`));
  });
  // Whether it got ready or not: its log is closed when it is gone.
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

/** Asks a child to stop, and makes it stop when it takes longer than that. */
export async function stopChild(child: Child, withinMs: number): Promise<void> {
  if (child.process.exitCode !== null || child.process.signalCode !== null) return;
  await using scope = new Scope('stopping a child');
  scope.timeout(withinMs, () => child.process.kill('SIGKILL'));
  child.process.kill('SIGTERM');
  await child.exited;
}

function describeTrouble(name: string, { level, message, error }: z.infer<typeof troubleSchema>): string {
  return `${name}: ${level}: ${message}${error === undefined ? '' : ` (${error.message})`}`;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function write(log: WriteStream, line: string): void {
  if (log.bytesWritten < LOG_LIMIT_BYTES) log.write(`${line}\n`);
}
