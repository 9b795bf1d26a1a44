import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join, resolve } from 'node:path';

/**
 * Folders that take seconds to make, such as bundles and what images are built from: they are made once for the same sources. The name of
 * a folder says what it was made of, and it gets that name by one rename: a process that dies meanwhile leaves nothing that another would
 * take for whole, and of two that make the same at once one is kept.
 */
export interface KeptFolder {
  /** The folder in `node_modules/.cache` that it is kept in, with those of other sources. */
  readonly home: string;
  /**
   * Files and folders that it is made of, from the root, apart from packages: the lock file stands for these, and npm's own list of what
   * is installed. Tests beside a source are no part of it.
   */
  readonly sources: readonly string[];
  /** What else makes it another one, such as the entries of its bundles. */
  readonly also?: readonly string[];
  /** How many are kept; the least recently asked for are removed. */
  readonly most: number;
  readonly root?: string;
}

const ROOT = resolve(import.meta.dirname, '..');
/** What npm ci leaves beside the packages: the versions that are there, whatever the lock file says. */
const PACKAGES = ['package-lock.json', 'node_modules/.package-lock.json'];

/** Makes a folder unless it is there. Resolves to its path. Rejects as `make` does, and then nothing is left. */
export async function keptFolder(kept: KeptFolder, make: (folder: string) => Promise<unknown>): Promise<string> {
  const place = placeOf(kept);
  if (place.isThere) return place.folder;
  try {
    await make(place.making);
    renameSync(place.making, place.folder);
  } catch (error) {
    giveUp(place, error);
  }
  removeOldest(place.home, kept.most);
  return place.folder;
}

/** The same for what is made at once, without waiting for anything. Returns its path. Throws as `make` does, and then nothing is left. */
export function keptFolderNow(kept: KeptFolder, make: (folder: string) => void): string {
  const place = placeOf(kept);
  if (place.isThere) return place.folder;
  try {
    make(place.making);
    renameSync(place.making, place.folder);
  } catch (error) {
    giveUp(place, error);
  }
  removeOldest(place.home, kept.most);
  return place.folder;
}

interface Place {
  readonly home: string;
  readonly folder: string;
  /** The name that the folder has while it is made. */
  readonly making: string;
  readonly isThere: boolean;
}

/** The place of a folder; one that is there has been asked for now. */
function placeOf(kept: KeptFolder): Place {
  const { root = ROOT } = kept;
  const home = join(root, 'node_modules/.cache', kept.home);
  const folder = join(home, nameOf(kept, root));
  const isThere = existsSync(folder);
  const now = new Date();
  if (isThere) utimesSync(folder, now, now);
  else mkdirSync(home, { recursive: true });
  return { home, folder, making: `${folder}.${randomUUID()}`, isThere };
}

/** Removes what was made. Throws the error unless another process has made the same meanwhile. */
function giveUp({ making, folder }: Place, error: unknown): void {
  rmSync(making, { recursive: true, force: true });
  if (!existsSync(folder)) throw error;
}

/** A name that changes with every change of these files and folders: what else is made of them can carry it. */
export function hashOfSources(sources: readonly string[], root = ROOT): string {
  return nameOf({ home: '', sources, most: 0 }, root);
}

/** A name that changes with every change of a source, of a package or of Node. */
function nameOf({ sources, also = [] }: KeptFolder, root: string): string {
  const hash = createHash('sha256').update(JSON.stringify([process.version, process.platform, process.arch, also]));
  for (const file of [...sources, ...PACKAGES].flatMap((source) => filesIn(root, source))) {
    const text = readFileSync(join(root, file));
    hash.update(`${file} ${text.length}\n`).update(text);
  }
  return hash.digest('hex').slice(0, 16);
}

function filesIn(root: string, path: string): readonly string[] {
  const found = statSync(join(root, path), { throwIfNoEntry: false });
  if (found?.isDirectory() !== true) return found === undefined ? [] : [path];
  return readdirSync(join(root, path), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}

function removeOldest(place: string, most: number): void {
  const byAge = readdirSync(place)
    .map((name) => ({ name, askedAtMs: statSync(join(place, name), { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((left, right) => right.askedAtMs - left.askedAtMs);
  for (const { name } of byAge.slice(most)) rmSync(join(place, name), { recursive: true, force: true });
}
