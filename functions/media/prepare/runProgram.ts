import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { conversionMs, mostResidentBytes, tooHeavyCode } from './conversionJob.ts';

/** How a program ended. `too_costly`: it was ended, since it took too much time or memory. */
export type ProgramEnd =
  | { readonly end: 'ok'; readonly printed: string }
  | { readonly end: 'failed'; readonly complained: string }
  | { readonly end: 'too_costly'; readonly what: 'time' | 'memory' };

const WATCH_MS = 100;
const KEPT_UNITS = 65_536;

/**
 * Runs a program on a file of a stranger: without a shell, with no environment and nothing to read, for 30 s at most and within
 * a bound of memory. It is gone when this resolves. Throws when it cannot be started, and the signal's reason when that aborts.
 */
export async function runProgram(
  file: string,
  args: readonly string[],
  folder: string,
  signal: AbortSignal,
  limits: { readonly ms: number; readonly residentBytes: number } = {
    ms: conversionMs,
    residentBytes: mostResidentBytes,
  },
): Promise<ProgramEnd> {
  signal.throwIfAborted();
  const child = spawn(file, args, {
    cwd: folder,
    env: {},
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: false,
    windowsHide: true,
  });
  const [printed, complained] = [keepText(child.stdout), keepText(child.stderr)];
  let tooCostly: 'time' | 'memory' | undefined;
  const stop = (what?: 'time' | 'memory'): void => {
    tooCostly ??= what;
    child.kill('SIGKILL');
  };
  const onAbort = (): void => stop();
  signal.addEventListener('abort', onAbort);
  const deadline = setTimeout(() => stop('time'), limits.ms);
  const watch = setInterval(() => {
    void residentBytesOf(child).then((bytes) => {
      if (bytes > limits.residentBytes) stop('memory');
    });
  }, WATCH_MS);
  try {
    // It ends at the deadline at the latest. An error to start it is thrown here.
    const [code] = (await once(child, 'close')) as [number | null];
    signal.throwIfAborted();
    if (tooCostly !== undefined || code === tooHeavyCode) return { end: 'too_costly', what: tooCostly ?? 'memory' };
    return code === 0 ? { end: 'ok', printed: printed() } : { end: 'failed', complained: complained() };
  } finally {
    clearTimeout(deadline);
    clearInterval(watch);
    signal.removeEventListener('abort', onAbort);
  }
}

function keepText(stream: NodeJS.ReadableStream | null): () => string {
  let text = '';
  stream?.setEncoding('utf8');
  stream?.on('data', (some: string) => (text = `${text}${some}`.slice(-KEPT_UNITS)));
  return () => text;
}

const PAGE_BYTES = 4_096;

/** The memory that a process has, in bytes. Zero where the system does not say: there the converter watches itself. */
async function residentBytesOf({ pid }: ChildProcess): Promise<number> {
  if (process.platform !== 'linux' || pid === undefined) return 0;
  const text = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '');
  return Number(text.split(' ')[1] ?? 0) * PAGE_BYTES;
}
