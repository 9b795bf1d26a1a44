import type { Session } from '../../session/session.ts';

/**
 * The saves of one socket's credentials. A frame that follows from a change may leave only when the change is durable.
 */
export class CredentialSaves {
  readonly #session: Pick<Session, 'saveCredentials'>;
  readonly #failed: (error: unknown) => void;
  #inFlight = 0;
  #last: Promise<void> = Promise.resolve();
  #failure: Error | undefined;

  /**
   * The saves into a session.
   * @param failed called at once when a save fails: nothing more may leave
   */
  constructor(session: Pick<Session, 'saveCredentials'>, failed: (error: unknown) => void) {
    this.#session = session;
    this.#failed = failed;
  }

  /** Saves the credentials as they are now. Resolves when they are durable; throws when they could not be saved. */
  async save(credentials: unknown): Promise<void> {
    this.#inFlight += 1;
    const saved = this.#session.saveCredentials(credentials);
    // The session writes them in the order of the calls, so the last one ends last.
    this.#last = saved.catch(() => undefined);
    try {
      await saved;
    } catch (cause) {
      this.#failure = new Error('the credentials could not be saved', { cause });
      this.#failed(cause);
      throw this.#failure;
    } finally {
      this.#inFlight -= 1;
    }
  }

  /** Whether every save is durable. After a failure it is never true again. */
  isSettled(): boolean {
    return this.#inFlight === 0 && this.#failure === undefined;
  }

  /** Resolves when {@link isSettled}. Throws when a save has failed. */
  async settled(): Promise<void> {
    while (this.#inFlight > 0) await this.#last;
    if (this.#failure !== undefined) throw this.#failure;
  }
}
