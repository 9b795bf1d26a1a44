import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { replaceFile } from './folders.ts';

/**
 * The file that names the process which runs on a folder. It is only to be read: a process that is killed leaves it,
 * and numbers of processes are used again.
 */
const NUMBER = 'lock';
/** The file that holds the lock itself; nothing ever stands in it. */
const HELD = 'lock.sqlite';
const SQLITE_BUSY = 5;

export const LOCK_FILES = [NUMBER, HELD] as const;

/**
 * Takes a folder for this process. The lock is the system's own, on a file that SQLite opens: of several processes that
 * ask at the same moment one gets it, and it ends with that process, however that ends. Returns a function that gives
 * it back. Throws an Error with one sentence while another process has it.
 */
export function takeFolder(path: string): () => void {
  const file = join(path, HELD);
  // A disk that accepts no file fails here, in its own words. The file is never opened again: a process that closes
  // such a file gives up its locks on it.
  if (!existsSync(file)) writeFileSync(file, '', { mode: 0o600 });
  const database = new DatabaseSync(file);
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { readonly errcode?: unknown }).errcode !== SQLITE_BUSY) throw error;
    const holder = numberIn(join(path, NUMBER));
    const who = holder === undefined ? '' : ` (process ${holder})`;
    throw new Error(`Another Holdfast${who} runs on ${path}. Stop it, or use another folder: --data DIR`, {
      cause: error,
    });
  }
  try {
    replaceFile(join(path, NUMBER), String(process.pid));
  } catch (error) {
    database.close();
    throw error;
  }
  return () => {
    // A caller that stops twice lets go once.
    if (!database.isOpen) return;
    rmSync(join(path, NUMBER), { force: true });
    database.close();
  };
}

/** The number of a process in a file; undefined if it was cut short or is no such file. */
export function numberIn(file: string): number | undefined {
  const text = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined;
}
