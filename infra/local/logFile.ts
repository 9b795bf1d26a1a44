import { closeSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { Scope } from '../../shared/kernel/scope.ts';
import { diskSentence } from './diskTrouble.ts';

export interface LogFileOptions {
  /** The name of the process, for a person. */
  readonly name: string;
  readonly file: string;
  /**
   * The size in bytes at which the file is put aside as `<file>.1`, over the one that was put aside before; 50 MB when
   * left out.
   */
  readonly limitBytes?: number;
  /** Called with one sentence, the first time that the file is put aside. */
  readonly onLogAside: (sentence: string) => void;
  /** Called once, with one sentence, when nothing can be written any more. */
  readonly onLogFailed: (sentence: string) => void;
}

const LIMIT_BYTES = 50 * 1_024 * 1_024;
/** How long lines are held, so that they go into the file together: one write for each would cost more than the line. */
const HELD_MS = 50;
/** Held lines are written before they are more than that. */
const MOST_HELD_BYTES = 256 * 1_024;

/**
 * The log of one process: it is bounded, its newest lines are always there, and it never throws. What is written is in
 * the file within `HELD_MS`, and at once when it ends: the lines of a process that was killed are all there. If this
 * process itself is killed, the lines of the last moment are lost. The file is written synchronously, which is a copy
 * into the system's memory; a disk that accepts nothing says so at once.
 */
export class LogFile {
  readonly #options: LogFileOptions;
  readonly #scope: Scope;
  /** The open file; undefined when nothing can be written any more. */
  #fd: number | undefined;
  /** The size of the file with what is held for it. */
  #bytes: number;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #rotated = false;

  constructor(options: LogFileOptions) {
    this.#options = options;
    this.#scope = new Scope(`log of ${options.name}`);
    this.#bytes = sizeOf(options.file);
    this.#try(() => this.#open());
  }

  /** Writes one line, without its end. */
  write(line: string): void {
    this.writeLines(Buffer.from(`${line}\n`));
  }

  /** Writes whole lines with their ends. They stay together in one file. */
  writeLines(lines: Uint8Array): void {
    if (this.#fd === undefined) return;
    const bytes = lines.byteLength;
    const isFull = this.#bytes > 0 && this.#bytes + bytes > (this.#options.limitBytes ?? LIMIT_BYTES);
    const isDue = isFull || this.#heldBytes + bytes > MOST_HELD_BYTES;
    if (isDue && !this.#flush()) return;
    if (isFull && !this.#try(() => this.#rotate())) return;
    if (this.#held.length === 0) this.#scope.timeout(HELD_MS, () => this.#flush());
    this.#held.push(lines);
    this.#heldBytes += bytes;
    this.#bytes += bytes;
  }

  /** Writes what is held and closes the file. Calling it again does nothing. */
  end(): void {
    this.#flush();
    this.#close();
    void this.#scope.close();
  }

  /** Returns whether all went well, as all that writes here does. */
  #flush(): boolean {
    const lines = Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    return this.#try(() => {
      for (let from = 0; this.#fd !== undefined && from < lines.byteLength;) from += writeSync(this.#fd, lines, from);
    });
  }

  #open(): void {
    this.#fd = openSync(this.#options.file, 'a', 0o600);
  }

  #close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #rotate(): void {
    const { name, file, onLogAside } = this.#options;
    const aside = `${file}.1`;
    renameSync(file, aside);
    this.#close();
    this.#open();
    this.#bytes = 0;
    if (!this.#rotated) onLogAside(`the log of ${name} is full and goes on anew; ${aside} has what was before`);
    this.#rotated = true;
  }

  #try(act: () => void): boolean {
    try {
      act();
      return true;
    } catch (error) {
      this.#close();
      const { file, onLogFailed } = this.#options;
      onLogFailed(diskSentence(error, file) ?? `The log ${file} cannot be written: ${(error as Error).message}`);
      return false;
    }
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
