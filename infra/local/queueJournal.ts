import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { KeptQueues, type QueueRecord } from './queueRecords.ts';

/**
 * The file in which the queue emulator keeps its messages: one record a line, added at the end, and written anew when
 * most of it is about messages that are gone. What comes up in one turn of the event loop is one write.
 *
 * - If the process is killed: no answer leaves before the records of its turn are written (`written`), and what is written
 *   is in the hands of the system, which keeps it whatever becomes of the process. A last line that was cut short belongs
 *   to a call that was never answered, and is left out.
 * - If the machine loses power: the system writes the end of the file some seconds late, so the queues fall back to a
 *   moment shortly before: reading ends at the first line that is not whole. Messages of the last moments may be gone, or
 *   come again; on AWS neither happens, and on a laptop `reconcile` finds what was never queued. The file that is written
 *   anew is on the disk before it takes the place of the other.
 * - If the disk accepts nothing: the write throws, no answer leaves, and the emulator ends with the system's own words,
 *   from which the supervisor makes its sentence.
 */
export class QueueJournal {
  readonly kept = new KeptQueues();
  readonly #path: string;
  readonly #rewriteBytes: number;
  #file: number;
  #lines: string[] = [];
  #turn: PromiseWithResolvers<void> | undefined;
  /** Bytes that were added since the file was written anew, and how long it was then. */
  #addedBytes = 0;
  #wholeBytes = 0;

  /**
   * Reads a file, or begins it.
   * @param rewriteBytes the least that is added before the file is written anew
   */
  constructor(path: string, rewriteBytes = 16 * 1_024 * 1_024) {
    this.#path = path;
    this.#rewriteBytes = rewriteBytes;
    for (const record of recordsOf(path)) this.kept.take(record);
    this.#file = this.#rewrite();
  }

  /** Adds a record to those of the present turn. */
  add(record: QueueRecord): void {
    this.kept.take(record);
    this.#lines.push(JSON.stringify(record));
    if (this.#turn !== undefined) return;
    this.#turn = Promise.withResolvers();
    setImmediate(() => this.write());
  }

  /** Resolves when all that was added so far is written. Never rejects: a write that fails ends the process. */
  written(): Promise<void> | undefined {
    return this.#turn?.promise;
  }

  /** Writes at once what was added in this turn. */
  write(): void {
    const turn = this.#turn;
    if (turn === undefined) return;
    this.#turn = undefined;
    this.#addedBytes += writeText(this.#file, `${this.#lines.join('\n')}\n`);
    this.#lines = [];
    if (this.#addedBytes > Math.max(this.#rewriteBytes, this.#wholeBytes)) {
      closeSync(this.#file);
      this.#file = this.#rewrite();
    }
    turn.resolve();
  }

  close(): void {
    this.write();
    closeSync(this.#file);
  }

  /** Puts a file without what is gone into the place of the present one. Returns it, open for what comes. */
  #rewrite(): number {
    const next = `${this.#path}.new`;
    const file = openSync(next, 'w', 0o600);
    this.#wholeBytes = 0;
    let text = JOURNAL_BEGINS;
    for (const record of this.kept.records()) {
      text += `${JSON.stringify(record)}\n`;
      if (text.length < PIECE) continue;
      this.#wholeBytes += writeText(file, text);
      text = '';
    }
    this.#wholeBytes += writeText(file, text);
    this.#addedBytes = 0;
    fsyncSync(file);
    renameSync(next, this.#path);
    return file;
  }
}

/** The first line of the file. */
export const JOURNAL_BEGINS = '["queues of the emulator",1]\n';

/** How much text is made before it is written, in characters: a text of everything might be longer than a text can be. */
const PIECE = 1_024 * 1_024;

function* recordsOf(path: string): Generator<QueueRecord> {
  const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  if (bytes.length === 0) return;
  if (!bytes.subarray(0, JOURNAL_BEGINS.length).equals(Buffer.from(JOURNAL_BEGINS))) {
    throw new Error(`${path} is no journal of the queue emulator`);
  }
  for (let at = JOURNAL_BEGINS.length; at < bytes.length;) {
    const end = bytes.indexOf('\n', at);
    const record = end < 0 ? undefined : parse(bytes.toString('utf8', at, end));
    if (record === undefined) return;
    yield record;
    at = end + 1;
  }
}

/** The record that a line holds; undefined if the line is not whole. */
function parse(line: string): QueueRecord | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return Array.isArray(value) ? (value as unknown as QueueRecord) : undefined;
  } catch {
    return undefined;
  }
}

/** Writes all of a text and returns its bytes. A disk that fills up takes a part of a write, and refuses the rest. */
function writeText(file: number, text: string): number {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
  return bytes.length;
}
