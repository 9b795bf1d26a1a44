import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folder in which the embedded stack survives a restart: emulators, root key, operator key, log files. */
export interface DataFolder {
  readonly path: string;
  readonly logs: string;
  /** File of the 32-byte root key; made at the first start. */
  readonly keyFile: string;
  readonly operatorKey: string | undefined;
  readonly keepOperatorKey: (key: string) => void;
  /** Tasks of workers that may still hold a lease: those of a run that ended without saying so. */
  readonly tasks: readonly string[];
  readonly keepTasks: (tasks: readonly string[]) => void;
  readonly release: () => void;
}

/** Opens the folder for this process alone. Throws an Error with one sentence when another stack runs on it. */
export function openDataFolder(path: string): DataFolder {
  // Logs are those of the last run.
  rmSync(join(path, 'logs'), { recursive: true, force: true });
  mkdirSync(join(path, 'logs'), { recursive: true, mode: 0o700 });
  mkdirSync(join(path, 'queues'), { recursive: true });
  const lock = join(path, 'lock');
  const holder = existsSync(lock) ? Number(readFileSync(lock, 'utf8')) : undefined;
  if (holder !== undefined && holder !== process.pid && isRunning(holder)) {
    throw new Error(`Another Holdfast (process ${holder}) runs on ${path}. Stop it, or use another folder: --data DIR`);
  }
  writeFileSync(lock, String(process.pid));
  const keyFile = join(path, 'root-key');
  if (!existsSync(keyFile)) writeFileSync(keyFile, randomBytes(32), { mode: 0o600 });
  const operatorKeyFile = join(path, 'operator-key');
  const tasksFile = join(path, 'tasks.json');
  return {
    path,
    logs: join(path, 'logs'),
    keyFile,
    operatorKey: existsSync(operatorKeyFile) ? readFileSync(operatorKeyFile, 'utf8').trim() : undefined,
    keepOperatorKey: (key) => writeFileSync(operatorKeyFile, `${key}\n`, { mode: 0o600 }),
    tasks: existsSync(tasksFile) ? (JSON.parse(readFileSync(tasksFile, 'utf8')) as string[]) : [],
    keepTasks: (tasks) => writeFileSync(tasksFile, JSON.stringify(tasks)),
    release: () => rmSync(lock, { force: true }),
  };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
