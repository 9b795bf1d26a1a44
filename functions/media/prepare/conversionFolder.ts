import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Longer than a file is worked on: what is older was left behind, whoever its owner was. */
const LEFT_MS = 60 * 60_000;
const NAME = /^run-(\d+)-/;

/**
 * The folders in which files are converted, one for each file. Each is removed with its file, and what a process left behind that was
 * killed is removed when the next one begins.
 */
export class ConversionFolders {
  readonly #base: string;
  readonly #held = new Set<string>();
  #swept: Promise<void> | undefined;

  /** @param base a folder that is for this alone; it is made when it is needed */
  constructor(base: string) {
    this.#base = base;
  }

  /** Calls with the path of an empty folder that is gone, with all in it, when this settles. */
  async use<Result>(call: (folder: string) => Promise<Result>): Promise<Result> {
    await mkdir(this.#base, { recursive: true, mode: 0o700 });
    this.#swept ??= this.#sweep();
    await this.#swept;
    const folder = await mkdtemp(join(this.#base, `run-${process.pid}-`));
    this.#held.add(folder);
    try {
      return await call(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
      this.#held.delete(folder);
    }
  }

  /** Removes the folders of processes that are gone, and of an earlier one that had the number of this one. */
  async #sweep(): Promise<void> {
    for (const name of await readdir(this.#base)) {
      const owner = Number(NAME.exec(name)?.[1]);
      const folder = join(this.#base, name);
      const isLeft = Number.isNaN(owner) || owner === process.pid || !isAlive(owner) || (await isOld(folder));
      if (isLeft && !this.#held.has(folder)) await rm(folder, { recursive: true, force: true });
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function isOld(folder: string): Promise<boolean> {
  const found = await stat(folder).catch(() => undefined);
  return found !== undefined && found.mtimeMs < Date.now() - LEFT_MS;
}
