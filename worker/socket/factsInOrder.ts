import type { InternalEvent } from '../../shared/event/internalEvent.ts';
import { makeId } from '../../shared/kernel/id.ts';
import type { OpenSocketOptions } from './socketOptions.ts';

/** The facts of one socket: they go out one after the other, in the order in which their stanzas came. */
export class FactsInOrder {
  readonly #options: Pick<OpenSocketOptions, 'publisher' | 'connection' | 'clock' | 'random'>;
  #last: Promise<void> = Promise.resolve();
  /** Ends the publish in hand, as far as it concerns us. */
  #letGo: ((error: Error) => void) | undefined;
  #isAbandoned = false;

  constructor(options: Pick<OpenSocketOptions, 'publisher' | 'connection' | 'clock' | 'random'>) {
    this.#options = options;
  }

  /** Resolves when they are durable. Rejects when they are not, or when it is not known. */
  publish(facts: readonly InternalEvent[]): Promise<void> {
    if (facts.length === 0) return Promise.resolve();
    const work = this.#last.then(() => this.#publishNow(facts));
    this.#last = work.catch(() => undefined);
    return work;
  }

  /** Resolves when all that was to be published has ended, however it did. */
  settled(): Promise<void> {
    return this.#last;
  }

  /**
   * Waits for nothing more. A publish that does not end holds the lock of its sender, which the next socket needs. Its message
   * is not acknowledged, so it comes again; should the facts get through after all, the event log knows their keys.
   */
  abandon(): void {
    this.#isAbandoned = true;
    this.#letGo?.(new Error('the socket has closed'));
  }

  async #publishNow(facts: readonly InternalEvent[]): Promise<void> {
    const { publisher, connection, clock, random } = this.#options;
    if (this.#isAbandoned) throw new Error('the socket has closed');
    const abandoned = Promise.withResolvers<never>();
    this.#letGo = abandoned.reject;
    const published = publisher.publish(connection, facts, makeId('cor', clock.nowMs(), random));
    await Promise.race([published, abandoned.promise]);
  }
}
