import type { Fact } from '../../../shared/event/facts/factRows.ts';
import { makeId } from '../../../shared/kernel/id.ts';
import { withArrivalTimes } from './arrivalTimes.ts';
import { findOtherNames } from '../people/contactNames.ts';
import type { Me } from '../wire/envelope.ts';
import { namelessIn, withOtherNames } from '../wire/otherNames.ts';
import type { OpenSocketOptions } from '../port/socketOptions.ts';

type FactOptions = Pick<OpenSocketOptions, 'publisher' | 'connection' | 'session' | 'clock' | 'random'>;

/**
 * The facts of one socket: they are published one after the other, in the order in which their stanzas came, each
 * message with its time of arrival and each person with both names.
 */
export class FactsInOrder {
  readonly #options: FactOptions;
  readonly #me: () => Me;
  #last: Promise<void> = Promise.resolve();
  /** Ends the wait for the present publish. */
  #letGo: ((error: Error) => void) | undefined;
  #isAbandoned = false;

  constructor(options: FactOptions, me: () => Me) {
    this.#options = options;
    this.#me = me;
  }

  /** Publishes facts. Resolves when they are durable. Rejects when they are not, or when it is not known. */
  publish(facts: readonly Fact[]): Promise<void> {
    if (facts.length === 0) return Promise.resolve();
    const { session, clock } = this.#options;
    const timed = withArrivalTimes(session, facts, clock.nowMs());
    const work = this.#last.then(() => this.#publishNow(timed));
    this.#last = work.catch(() => undefined);
    return work;
  }

  /** Resolves when every publish has ended, however it did. */
  settled(): Promise<void> {
    return this.#last;
  }

  /**
   * Ends all waits. A publish that does not end holds the lock of its sender, which the next socket needs. Its message
   * is not acknowledged, so it comes again; should the facts get through after all, the event log knows their keys.
   */
  abandon(): void {
    this.#isAbandoned = true;
    this.#letGo?.(new Error('the socket has closed'));
  }

  async #publishNow(facts: readonly Fact[]): Promise<void> {
    const { publisher, connection, session, clock, random } = this.#options;
    if (this.#isAbandoned) throw new Error('the socket has closed');
    const names = await findOtherNames(session, namelessIn(facts), this.#me());
    const complete = facts.map((fact) => withOtherNames(fact, names));
    if (this.#isAbandoned) throw new Error('the socket has closed');
    const abandoned = Promise.withResolvers<never>();
    this.#letGo = abandoned.reject;
    const published = publisher.publish(connection, complete, makeId('cor', clock.nowMs(), random));
    await Promise.race([published, abandoned.promise]);
  }
}
