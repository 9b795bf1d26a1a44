import type { Session } from '../../session/session.ts';

/**
 * The saves of one socket's credentials, and of its new pre-keys. A frame that follows from a change may leave only when
 * the change is durable.
 */
export class CredentialSaves {
  readonly #session: Pick<Session, 'saveCredentials'>;
  readonly #failed: (error: unknown) => void;
  #inFlight = 0;
  #last: Promise<unknown> = Promise.resolve();
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
  save(credentials: unknown): Promise<void> {
    return this.#watch(this.#session.saveCredentials(credentials));
  }

  /** Takes a write that is under way, for which frames wait as they do for credentials. */
  hold(write: Promise<void>): void {
    this.#watch(write).catch(() => undefined);
  }

  async #watch(write: Promise<void>): Promise<void> {
    this.#inFlight += 1;
    this.#last = Promise.allSettled([this.#last, write]).then(() => undefined);
    try {
      await write;
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
