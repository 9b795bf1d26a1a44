/**
 * Writes of the queue emulator, one transaction for each turn of the event loop. The emulator itself writes each message,
 * each sequence number and each receive as a transaction of its own and waits for the disk every time, some twenty times
 * for a batch of ten messages.
 *
 * - If the process is killed: no answer leaves before the transaction of its turn is committed (`committed`), and what is
 *   committed is in the hands of the system, which writes it whatever becomes of the process.
 * - If the machine loses power: SQLite's write-ahead log is synced at its checkpoints (`synchronous = NORMAL`). The file
 *   stays whole and falls back to a moment shortly before. The DynamoDB emulator does the same. Messages of the last
 *   moments may be gone, or come again; on AWS neither happens, and on a laptop `reconcile` finds what was never queued.
 * - If the disk accepts nothing: the commit throws, no answer leaves, and the emulator ends with SQLite's own words, from
 *   which the supervisor makes its sentence.
 */
export interface Database {
  readonly exec: (sql: string) => void;
}

export class GroupCommits {
  readonly #database: Database;
  #open: PromiseWithResolvers<void> | undefined;

  constructor(database: Database) {
    this.#database = database;
    database.exec('PRAGMA synchronous = NORMAL');
  }

  /** Lets these methods of an object write within the transaction of the present turn. */
  gather(writer: object, names: readonly string[]): void {
    const methods = writer as Record<string, (...all: unknown[]) => unknown>;
    for (const name of names) {
      const write = methods[name]?.bind(writer);
      if (write === undefined) throw new Error(`the queue emulator has no ${name}`);
      methods[name] = (...all) => {
        this.#begin();
        return write(...all);
      };
    }
  }

  /** Resolves when all that was written so far is committed. Never rejects: a commit that fails ends the process. */
  committed(): Promise<void> | undefined {
    return this.#open?.promise;
  }

  /** Commits at once what was written in this turn. */
  commit(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    this.#database.exec('COMMIT');
    open.resolve();
  }

  #begin(): void {
    if (this.#open !== undefined) return;
    this.#database.exec('BEGIN');
    this.#open = Promise.withResolvers();
    setImmediate(() => this.commit());
  }
}
