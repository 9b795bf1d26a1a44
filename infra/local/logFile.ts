import { createWriteStream, openSync, renameSync, statSync, type WriteStream } from 'node:fs';
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

/** The log of one process: it is bounded, its newest lines are always there, and it never throws. */
export class LogFile {
  readonly #options: LogFileOptions;
  /** The stream into the file; undefined when nothing can be written any more. */
  #stream: WriteStream | undefined;
  #bytes: number;
  #rotated = false;

  constructor(options: LogFileOptions) {
    this.#options = options;
    this.#bytes = sizeOf(options.file);
    this.#stream = this.#open();
  }

  write(line: string): void {
    if (this.#stream === undefined) return;
    const bytes = Buffer.byteLength(line) + 1;
    if (this.#bytes > 0 && this.#bytes + bytes > (this.#options.limitBytes ?? LIMIT_BYTES)) this.#rotate(this.#stream);
    this.#bytes += bytes;
    this.#stream?.write(`${line}\n`);
  }

  end(): void {
    this.#stream?.end();
  }

  /** The file is opened synchronously, so that the file that is put aside is the one that was written. */
  #open(): WriteStream | undefined {
    try {
      const fd = openSync(this.#options.file, 'a', 0o600);
      const stream = createWriteStream(this.#options.file, { fd });
      stream.on('error', (error) => this.#fail(error, stream));
      return stream;
    } catch (error) {
      this.#tell(error);
      return undefined;
    }
  }

  #rotate(full: WriteStream): void {
    const { name, file, onLogAside } = this.#options;
    const aside = `${file}.1`;
    try {
      // The stream goes on writing into the file, whatever its name is by then.
      renameSync(file, aside);
    } catch (error) {
      return this.#fail(error, full);
    }
    full.end();
    this.#stream = this.#open();
    this.#bytes = 0;
    if (!this.#rotated) onLogAside(`the log of ${name} is full and goes on anew; ${aside} has what was before`);
    this.#rotated = true;
  }

  #fail(error: unknown, stream: WriteStream): void {
    stream.destroy();
    if (this.#stream !== stream) return;
    this.#stream = undefined;
    this.#tell(error);
  }

  #tell(error: unknown): void {
    const { file, onLogFailed } = this.#options;
    onLogFailed(diskSentence(error, file) ?? `The log ${file} cannot be written: ${(error as Error).message}`);
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
