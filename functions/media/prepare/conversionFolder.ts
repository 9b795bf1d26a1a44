import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Longer than a file is worked on: what is older was left behind, whoever its owner was. */
const LEFT_MS = 60 * 60_000;
const NAME = /^run-(\d+)-/;

/**
 * The folders in which files are converted, one for each file. Each is removed with its file, and what a process left behind that was
 * killed is removed when another one starts, or converts its next file.
 */
export class ConversionFolders {
  readonly #base: string;
  /** The last look for what was left behind. Nothing of this process is there before the first one is over. */
  #swept: Promise<void> | undefined;

  /** @param base a folder that is for this alone; it is made when it is needed */
  constructor(base: string) {
    this.#base = base;
  }

  /** Removes what killed processes left behind. Rejects where the disk refuses it. */
  tidy(): Promise<void> {
    const before = this.#swept;
    const isFirst = before === undefined;
    this.#swept = (before?.catch(() => undefined) ?? Promise.resolve()).then(() => this.#sweep(isFirst));
    return this.#swept;
  }

  /** Calls with the path of an empty folder that is gone, with all in it, when this settles. */
  async use<Result>(call: (folder: string) => Promise<Result>): Promise<Result> {
    await this.tidy();
    const folder = await mkdtemp(join(this.#base, `run-${process.pid}-`));
    try {
      return await call(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /**
   * Removes the folders of processes that are gone.
   * @param isFirst whether those with the number of this process are of an earlier one that had it
   */
  async #sweep(isFirst: boolean): Promise<void> {
    await mkdir(this.#base, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.#base)) {
      const owner = Number(NAME.exec(name)?.[1]);
      const folder = join(this.#base, name);
      if (owner === process.pid && !isFirst) continue;
      const isLeft = Number.isNaN(owner) || owner === process.pid || !isAlive(owner) || (await isOld(folder));
      if (isLeft) await rm(folder, { recursive: true, force: true });
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
