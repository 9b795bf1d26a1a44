import { execFile } from 'node:child_process';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keptFolder } from '../../scripts/keptFolder.ts';
import { BUILT_WORKER_NODE_FLAGS } from '../../shared/platform/workerNodeFlags.ts';

/**
 * The programs of the embedded stack are run from bundles, which are made again when a source has changed
 * (`scripts/bundlePrograms.ts`). They are made in a process of their own, which takes its memory with it, and kept. Where
 * nothing can be made, programs are run from their sources.
 */
const PROGRAMS = [
  'infra/local/supervisor.ts',
  'infra/local/emulatorsHost.ts',
  'infra/local/functionsHost.ts',
  'infra/local/mediaHost.ts',
  'infra/local/privateFiles.ts',
  'infra/local/dieWithParent.ts',
  'functions/media/prepare/converter/main.ts',
  'test/whatsapp/main.ts',
  'worker/main.ts',
] as const;

const root = fileURLToPath(new URL('../../', import.meta.url));
const HOME = 'holdfast-programs';
const MADE = join(root, 'node_modules/.cache', HOME);
const SOURCES = ['functions', 'infra/local', 'scripts', 'shared', 'test/whatsapp', 'worker', 'tsconfig.json'];
/** How many are kept: a stack that still runs loads parts of its own when it needs them, and starts workers. */
const KEPT = 8;
const DEADLINE_MS = 60_000;

/**
 * Flags of Node for every process of the embedded stack: those of the worker, and stacks name the sources. Functions that are
 * compiled at their first call only (`--max-lazy`) and heaps that are collected whole at rest were measured, too: 180 MB
 * less in all, and a third more CPU for each message, since what was compiled is thrown away.
 */
export const NODE_FLAGS = BUILT_WORKER_NODE_FLAGS;

/**
 * The C library of most Linux systems keeps what was freed, in a heap for each thread. With these settings it gives it back, and
 * has one heap: 10 to 15 MB less in each process.
 */
export const MEMORY_ENVIRONMENT = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_TRIM_THRESHOLD_: '131072',
} as const;

/**
 * Makes the programs if they are not there yet. Resolves with their folder, or with undefined after saying why programs are
 * run from their sources.
 * @param others entries to make beside those of the stack, for a program that has the stack in its own process
 */
export async function makePrograms(
  say: (line: string) => void,
  others: readonly string[] = [],
): Promise<string | undefined> {
  const entries = [...PROGRAMS, ...others];
  const beside = entries.map((entry) => dirname(entry)).filter((folder) => !SOURCES.some((top) => isIn(folder, top)));
  const sources = [...SOURCES, ...new Set(beside)];
  try {
    return await keptFolder({ home: HOME, sources, also: entries, most: KEPT }, (making) =>
      runNode([join(root, 'scripts/bundlePrograms.ts'), '--out', making, ...entries]),
    );
  } catch (error) {
    say(`Programs are run from their sources, which takes more memory: ${(error as Error).message.split('\n')[0]}`);
    return undefined;
  }
}

/** The folder of made programs that this process was started from; undefined when it runs from the sources. */
export function programsOfThisProcess(): string | undefined {
  const inside = relative(MADE, process.argv[1] ?? '');
  const [folder = '..'] = inside.split(sep);
  return folder === '..' || folder === '' || inside === folder ? undefined : join(MADE, folder);
}

/**
 * The path of a program.
 * @param file its source, from the root of the repository
 */
export function programFile(file: string, programs = programsOfThisProcess()): string {
  return programs === undefined ? join(root, file) : join(programs, file.replace(/\.ts$/, '.mjs'));
}

function runNode(args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { timeout: DEADLINE_MS }, (error) => (error === null ? resolve() : reject(error)));
  });
}

function isIn(folder: string, top: string): boolean {
  return folder === top || folder.startsWith(`${top}/`);
}
