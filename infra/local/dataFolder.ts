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
  /** Says to others on this machine where the parts are, while this process runs: `npm run ops` reads it. */
  readonly keepAddresses: (addresses: StackAddresses) => void;
  readonly release: () => void;
}

/** Where the parts of a running stack are, in the words of the settings; kept as `addresses.json`. */
export interface StackAddresses {
  readonly HOLDFAST_API_URL: string;
  readonly HOLDFAST_STAGE: string;
  readonly HOLDFAST_SHARD_COUNT: string;
  readonly HOLDFAST_DYNAMODB_ENDPOINT: string;
  readonly HOLDFAST_SQS_ENDPOINT: string;
  readonly HOLDFAST_QUEUE_URL_BASE: string;
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
  const addressesFile = join(path, 'addresses.json');
  // Those of a run that was killed.
  rmSync(addressesFile, { force: true });
  return {
    path,
    logs: join(path, 'logs'),
    keyFile,
    operatorKey: existsSync(operatorKeyFile) ? readFileSync(operatorKeyFile, 'utf8').trim() : undefined,
    keepOperatorKey: (key) => writeFileSync(operatorKeyFile, `${key}\n`, { mode: 0o600 }),
    tasks: existsSync(tasksFile) ? (JSON.parse(readFileSync(tasksFile, 'utf8')) as string[]) : [],
    keepTasks: (tasks) => writeFileSync(tasksFile, JSON.stringify(tasks)),
    keepAddresses: (addresses) => writeFileSync(addressesFile, JSON.stringify(addresses)),
    release: () => {
      rmSync(addressesFile, { force: true });
      rmSync(lock, { force: true });
    },
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
