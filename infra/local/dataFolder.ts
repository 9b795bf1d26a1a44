import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { withDiskSentence } from './diskTrouble.ts';
import { checkContents, FILES, FOLDERS, operatorKeyFile, readOperatorKey, readTasks } from './folderContents.ts';
import { takeFolder } from './folderLock.ts';
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
  readonly HOLDFAST_EVENT_QUEUES: string;
  readonly HOLDFAST_DYNAMODB_ENDPOINT: string;
  readonly HOLDFAST_SQS_ENDPOINT: string;
  readonly HOLDFAST_QUEUE_URL_BASE: string;
}

/**
 * Opens the folder for this process alone. Throws an Error with one sentence when another stack runs on it, and when it cannot
 * be made or written.
 */
export function openDataFolder(path: string): DataFolder {
  return withDiskSentence(path, () => open(path));
}

function open(path: string): DataFolder {
  makeFolder(path);
  checkContents(path);
  const giveBack = takeFolder(path);
  try {
    return prepare(path, giveBack);
  } catch (error) {
    giveBack();
    throw error;
  }
}

function prepare(path: string, giveBack: () => void): DataFolder {
  for (const name of [...FOLDERS, ...FILES]) keepToOneself(join(path, name));
  for (const name of FOLDERS) makeFolder(join(path, name));
  const [logs, previousLogs] = [join(path, 'logs'), join(path, 'previous-logs')];
  keepLastRun(logs, previousLogs);
  const keyFile = join(path, 'root-key');
  if (!existsSync(keyFile)) replaceFile(keyFile, randomBytes(32));
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
    operatorKey: readOperatorKey(path),
    keepOperatorKey: (key) => write(operatorKeyFile(path), `${key}\n`),
    tasks: readTasks(tasksFile),
    keepTasks: (tasks) => write(tasksFile, JSON.stringify(tasks)),
    keepAddresses: (addresses) => write(addressesFile, JSON.stringify(addresses)),
    release: () => {
      rmSync(addressesFile, { force: true });
      giveBack();
    },
  };
}

/** Keeps the logs of the run before. People look for what went wrong after a new start has put it right. */
function keepLastRun(logs: string, previous: string): void {
  // A start that ended before it wrote a line leaves the logs of the run before it in place.
  if (readdirSync(logs).length === 0) return;
  rmSync(previous, { recursive: true, force: true });
  renameSync(logs, previous);
  makeFolder(logs);
}
