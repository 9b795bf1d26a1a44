import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { withDiskSentence } from './diskTrouble.ts';
import { keepToOneself, makeFolder, replaceFile } from './folders.ts';

/**
 * The folder in which the embedded stack survives a restart: emulators, root key, operator key, log files. Its contents
 * are for this user alone: files 0600, folders 0700. The folder itself is made so; a folder that existed before keeps
 * its mode.
 */
export interface DataFolder {
  readonly path: string;
  /** The folder of the log files of the present run. The files of the run before stand in `previous-logs` beside it. */
  readonly logs: string;
  readonly previousLogs: string;
  /** The path of the file with the 32-byte root key, made at the first start. */
  readonly keyFile: string;
  readonly operatorKey: string | undefined;
  /**
   * Stores the operator key. This and the other writes throw an Error with one sentence when the disk does not accept
   * them.
   */
  readonly keepOperatorKey: (key: string) => void;
  /** Ids of tasks of workers that may still hold a lease: the workers of a run that was killed. */
  readonly tasks: readonly string[];
  readonly keepTasks: (tasks: readonly string[]) => void;
  /**
   * Writes where the parts are for other programs on this machine, such as `npm run ops`, for as long as this process
   * runs.
   */
  readonly keepAddresses: (addresses: StackAddresses) => void;
  readonly release: () => void;
}

/** Addresses of the parts of a running stack, under the names of the settings; kept as `addresses.json`. */
export interface StackAddresses {
  readonly HOLDFAST_API_URL: string;
  readonly HOLDFAST_STAGE: string;
  readonly HOLDFAST_SHARD_COUNT: string;
  readonly HOLDFAST_DYNAMODB_ENDPOINT: string;
  readonly HOLDFAST_SQS_ENDPOINT: string;
  readonly HOLDFAST_QUEUE_URL_BASE: string;
}

const FOLDERS = ['logs', 'previous-logs', 'queues', 'whatsapp'] as const;
const FILES = [
  'lock',
  'root-key',
  'operator-key',
  'tasks.json',
  'addresses.json',
  'dynamodb.sqlite',
  'dynamodb.sqlite-wal',
  'dynamodb.sqlite-shm',
] as const;

/**
 * Opens the folder for this process alone. Throws an Error with one sentence when another stack runs on it, and when it cannot
 * be made or written.
 */
export function openDataFolder(path: string): DataFolder {
  return withDiskSentence(path, () => open(path));
}

function open(path: string): DataFolder {
  makeFolder(path);
  const lock = join(path, 'lock');
  const holder = existsSync(lock) ? toPid(readFileSync(lock, 'utf8')) : undefined;
  if (holder !== undefined && holder !== process.pid && isRunning(holder)) {
    throw new Error(`Another Holdfast (process ${holder}) runs on ${path}. Stop it, or use another folder: --data DIR`);
  }
  refuseForeign(path);
  for (const name of [...FOLDERS, ...FILES]) keepToOneself(join(path, name));
  for (const name of FOLDERS) makeFolder(join(path, name));
  replaceFile(lock, String(process.pid));
  const [logs, previousLogs] = [join(path, 'logs'), join(path, 'previous-logs')];
  keepLastRun(logs, previousLogs);
  const keyFile = join(path, 'root-key');
  if (!existsSync(keyFile)) replaceFile(keyFile, randomBytes(32));
  const operatorKeyFile = join(path, 'operator-key');
  const tasksFile = join(path, 'tasks.json');
  const addressesFile = join(path, 'addresses.json');
  // These files are left over from a run that was killed.
  rmSync(addressesFile, { force: true });
  const write = (file: string, content: string): void => withDiskSentence(path, () => replaceFile(file, content));
  return {
    path,
    logs,
    previousLogs,
    keyFile,
    operatorKey: existsSync(operatorKeyFile) ? readFileSync(operatorKeyFile, 'utf8').trim() || undefined : undefined,
    keepOperatorKey: (key) => write(operatorKeyFile, `${key}\n`),
    tasks: existsSync(tasksFile) ? (JSON.parse(readFileSync(tasksFile, 'utf8')) as string[]) : [],
    keepTasks: (tasks) => write(tasksFile, JSON.stringify(tasks)),
    keepAddresses: (addresses) => write(addressesFile, JSON.stringify(addresses)),
    release: () => {
      rmSync(addressesFile, { force: true });
      rmSync(lock, { force: true });
    },
  };
}

/**
 * A folder of somebody else's that has our file names in it is refused: logs of an earlier run are moved and one day
 * removed.
 */
function refuseForeign(path: string): void {
  if (existsSync(join(path, 'root-key'))) return;
  const foreign = FOLDERS.find((name) => existsSync(join(path, name)) && readdirSync(join(path, name)).length > 0);
  if (foreign === undefined) return;
  throw new Error(`${join(path, foreign)} holds files that are not Holdfast's. Use another folder: --data DIR`);
}

/** The process id in a lock file. A file that was cut short names no process. */
function toPid(text: string): number | undefined {
  return /^[1-9]\d*$/.test(text.trim()) ? Number(text) : undefined;
}

/** Keeps the logs of the run before. People look for what went wrong after a new start has put it right. */
function keepLastRun(logs: string, previous: string): void {
  // A start that ended before it wrote a line leaves the logs of the run before it in place.
  if (readdirSync(logs).length === 0) return;
  rmSync(previous, { recursive: true, force: true });
  renameSync(logs, previous);
  makeFolder(logs);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
