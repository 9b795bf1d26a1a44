import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const OTHERS = 0o077;

/**
 * Makes a folder that only this user can open, and the folders above it. A folder that exists already may be the user's
 * own and stays as it is. Each level is made by itself, because `mkdir` with `recursive` never ends where nothing can
 * be made, such as below /proc.
 */
export function makeFolder(path: string): void {
  if (existsSync(path) && lstatSync(path).isDirectory()) return;
  const above = dirname(path);
  if (above !== path) makeFolder(above);
  try {
    mkdirSync(path, { mode: FOLDER_MODE });
  } catch (error) {
    // A symbolic link to a folder counts as a folder.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !isFolder(path)) throw error;
  }
}

/**
 * Closes a file or folder of ours to other users, with everything in it: an older version or another umask may have
 * left it open.
 */
export function keepToOneself(path: string): void {
  const entry = lstatSync(path, { throwIfNoEntry: false });
  if (entry === undefined || entry.isSymbolicLink() || (entry.mode & OTHERS) === 0) return;
  chmodSync(path, entry.isDirectory() ? FOLDER_MODE : FILE_MODE);
  if (entry.isDirectory()) for (const name of readdirSync(path)) keepToOneself(join(path, name));
}

/** Writes a file so that afterwards it is either whole or as it was before, also when the disk is full. */
export function replaceFile(file: string, content: string | Uint8Array): void {
  const next = `${file}.new`;
  try {
    writeFileSync(next, content, { mode: FILE_MODE });
    renameSync(next, file);
  } catch (error) {
    rmSync(next, { force: true });
    throw error;
  }
}

/** Whether a path is a folder or a link to one. */
function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
