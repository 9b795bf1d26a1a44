import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

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
  const child = spawn(process.execPath, ['--import', dieWithParent, options.file, ...(options.args ?? [])], {
    cwd: root,
    // A child must not get settings that were meant for another kind of process.
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TZ: process.env['TZ'], ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Ctrl-C is for the supervisor alone, which stops the children in order.
    detached: process.platform !== 'win32',
  });
  const log = createWriteStream(options.logFile, { mode: 0o600, flags: 'a' });
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
  const outcome = await Promise.race([
    ready,
    exited.then((exit) => new Error(`${options.name} did not start: ${exit.last || `exit code ${exit.code}`}`)),
    deadline(options.readyWithinMs).then(
      () => new Error(`${options.name} was not ready in time. See ${options.logFile}`),
    ),
  ]);
  if (outcome instanceof Error) {
    child.kill('SIGKILL');
    throw outcome;
  }
  void exited.then(() => log.end());
  return { name: options.name, process: child, ready: outcome, exited };
}

/** Asks a child to stop, and makes it stop when it takes longer than that. */
export async function stopChild(child: Child, withinMs: number): Promise<void> {
  if (child.process.exitCode !== null || child.process.signalCode !== null) return;
  child.process.kill('SIGTERM');
  const forced = setTimeout(() => child.process.kill('SIGKILL'), withinMs);
  await child.exited;
  clearTimeout(forced);
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

function deadline(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
