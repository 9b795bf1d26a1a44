import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LOCK_FILES, numberIn } from './folderLock.ts';
import { JOURNAL_BEGINS } from './queueJournal.ts';

/** The files and folders in the data folder. */
export const FOLDERS = ['logs', 'objects', 'previous-logs', 'queues', 'whatsapp'] as const;
export const FILES = [
  ...LOCK_FILES,
  'root-key',
  'operator-key',
  'tasks.json',
  'addresses.json',
  'dynamodb.sqlite',
  'dynamodb.sqlite-wal',
  'dynamodb.sqlite-shm',
] as const;

const KEY_BYTES = 32;
const OPERATOR_KEY = /^hf_operator_[\w-]{43}$/;
/** How the files begin that the emulators keep. */
const BEGINNINGS = { 'dynamodb.sqlite': 'SQLite format 3\0', 'queues/journal': JOURNAL_BEGINS } as const;
const OTHER_FOLDER = 'use another folder: --data DIR';

/**
 * Checks whether a folder is new or Holdfast's, and whether its files that a start reads are whole. Changes nothing.
 * Throws an Error with one sentence that says what to do: files of somebody else's under our names are neither read nor
 * replaced nor removed.
 */
export function checkContents(path: string): void {
  const rootKey = join(path, 'root-key');
  const notFolder = FOLDERS.find((name) => isFile(join(path, name)));
  if (notFolder !== undefined) {
    throw new Error(`${join(path, notFolder)} is not a folder. Remove it, or ${OTHER_FOLDER}`);
  }
  // This is the first file that is written, so a folder without it holds nothing of ours but a lock.
  if (!existsSync(rootKey)) return refuseForeign(path);
  const bytes = readFileSync(rootKey).byteLength;
  if (bytes !== KEY_BYTES) {
    const what = `it holds ${bytes} bytes and not ${KEY_BYTES}`;
    throw new Error(`${rootKey} is not a key of Holdfast's: ${what}. Put it back from a copy, or ${OTHER_FOLDER}`);
  }
  const operatorKey = readOperatorKey(path);
  if (operatorKey !== undefined && !OPERATOR_KEY.test(operatorKey)) {
    throw new Error(`${operatorKeyFile(path)} holds no operator key. Remove it: the next start makes a new one.`);
  }
  for (const [name, beginning] of Object.entries(BEGINNINGS)) {
    const file = join(path, name);
    const begins = beginningOf(file, beginning.length);
    if (begins === '' || begins === beginning) continue;
    throw new Error(`${file} is no database any more. Put the folder back from a copy, or ${OTHER_FOLDER}`);
  }
}

export const operatorKeyFile = (path: string): string => join(path, 'operator-key');

/** The operator key that is kept in a folder; undefined if none is. */
export function readOperatorKey(path: string): string | undefined {
  const file = operatorKeyFile(path);
  return existsSync(file) ? readFileSync(file, 'utf8').trim() || undefined : undefined;
}

/**
 * The tasks that a file names. A list that was cut short names none: the workers of that run are then found dead by
 * their silence, half a minute later.
 */
export function readTasks(file: string): readonly string[] {
  if (!existsSync(file)) return [];
  try {
    const tasks: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return Array.isArray(tasks) && tasks.every((task) => typeof task === 'string') ? tasks : [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

function refuseForeign(path: string): void {
  const foreign = [...FOLDERS, ...FILES].find((name) => holdsSomething(path, name));
  if (foreign === undefined) return;
  // Another start may have made the folder Holdfast's while it was looked at: its lock is what refuses this one.
  if (existsSync(join(path, 'root-key'))) return checkContents(path);
  const place = join(path, foreign);
  const what = statSync(place).isDirectory() ? "holds files that are not Holdfast's" : "is not Holdfast's";
  throw new Error(`${place} ${what}. ${OTHER_FOLDER.replace('use', 'Use')}`);
}

/**
 * Whether a name in the folder holds anything. A first start that is killed early leaves empty folders, empty files and
 * a lock.
 */
function holdsSomething(path: string, name: string): boolean {
  const place = join(path, name);
  const entry = statSync(place, { throwIfNoEntry: false });
  if (entry === undefined) return false;
  if (entry.isDirectory()) return readdirSync(place).length > 0;
  return entry.size > 0 && !(name === 'lock' && numberIn(place) !== undefined);
}

function isFile(place: string): boolean {
  return statSync(place, { throwIfNoEntry: false })?.isFile() === true;
}

function beginningOf(file: string, bytes: number): string {
  if (!existsSync(file)) return '';
  const open = openSync(file, 'r');
  try {
    const buffer = Buffer.alloc(bytes);
    return buffer.toString('latin1', 0, readSync(open, buffer, 0, bytes, 0));
  } finally {
    closeSync(open);
  }
}
