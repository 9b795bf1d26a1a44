import type { EventEmitter } from 'node:events';
import type { BinaryNode } from '@whiskeysockets/baileys';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { TimeoutError, withDeadline } from '../../../shared/kernel/deadline.ts';
import { deadlines } from '../../../shared/kernel/deadlines.ts';
import { inboundTurns, type FairTurns } from '../port/fairTurns.ts';
import { SymptomError } from '../port/toSocketClose.ts';

const HANDLING = 'handling a stanza';

/** The fate of a stanza: Baileys gets it, never sees it, or gets it outside the turn, in the stated way. */
export type Fate = undefined | 'taken' | { readonly aside: (handle: () => Promise<unknown>) => Promise<unknown> };

/**
 * Passes stanzas to Baileys one after the other, each when our work on it is done and Baileys has finished the one
 * before. Baileys looks addresses up before it takes its own lock, so that one stanza can overtake another there; and
 * the ones that waited while the connection was away go through a second queue, beside the live ones. Here all take
 * their turn, and so do the connections of a process: a burst for one leaves the others their time.
 */
export class InboundOrder {
  readonly #emitter: EventEmitter;
  readonly #onFailure: (error: unknown) => void;
  readonly #turns: Pick<FairTurns, 'take'>;
  readonly #monotonicMs: () => number;
  #waiting = 0;
  #firstSinceMs: number | undefined;
  #lastHandledAtMs: number | undefined;
  #turn: Promise<void> = Promise.resolve();
  /** Stanzas that are handled outside their turn, one after the other. */
  #aside: Promise<void> = Promise.resolve();
  #stopped = false;

  /**
   * The order of one socket.
   * @param onFailure called when our work or Baileys' failed or took too long: the stanza must not be answered
   */
  constructor(
    emitter: EventEmitter,
    onFailure: (error: unknown) => void,
    turns: Pick<FairTurns, 'take'> = inboundTurns,
    monotonicMs: () => number = systemClock.monotonicMs,
  ) {
    this.#monotonicMs = monotonicMs;
    this.#emitter = emitter;
    this.#onFailure = onFailure;
    this.#turns = turns;
  }

  /**
   * Lets our work on the stanzas of an event finish before Baileys sees them. Work that may take long and needs no
   * order with the stanzas behind it can be handled aside: it waits for other such work alone, and nothing waits for
   * it.
   */
  insertBefore(event: string, work: (stanza: BinaryNode) => Promise<Fate>): void {
    const listeners = this.#emitter.listeners(event) as ((stanza: BinaryNode) => unknown)[];
    this.#emitter.removeAllListeners(event);
    this.#emitter.on(event, (stanza: BinaryNode) => {
      // This attribute would send the stanza into Baileys' second queue.
      delete stanza.attrs['offline'];
      this.#came();
      // Past this deadline the socket is not worth keeping: everything behind the stanza waits for it.
      const handle = (): Promise<unknown> =>
        withDeadline(HANDLING, deadlines.stanza.ms, () =>
          Promise.all(listeners.map((listener) => listener.call(this.#emitter, stanza))),
        );
      this.#turn = this.#turn
        .then(() => this.#turns.take())
        .then(() => (this.#stopped ? 'taken' : work(stanza)))
        .then((fate) => (fate === undefined ? handle() : fate === 'taken' ? undefined : this.#setAside(fate, handle)))
        .then(
          () => undefined,
          (error: unknown) => this.#onFailure(judge(error)),
        )
        .then(() => this.#handled());
    });
  }

  #setAside({ aside }: Exclude<Fate, 'taken' | undefined>, handle: () => Promise<unknown>): void {
    this.#aside = this.#aside
      .then(async () => (this.#stopped ? undefined : aside(handle)))
      .then(
        () => undefined,
        (error: unknown) => this.#onFailure(judge(error)),
      );
  }

  /** Since when the stanza that is first in line has been the first, its turn included; undefined when none waits. */
  get firstSinceMs(): number | undefined {
    return this.#firstSinceMs;
  }

  /** When a stanza was last handled to its end, on the monotonic clock. */
  get lastHandledAtMs(): number | undefined {
    return this.#lastHandledAtMs;
  }

  #came(): void {
    this.#waiting += 1;
    this.#firstSinceMs ??= this.#monotonicMs();
  }

  #handled(): void {
    this.#waiting -= 1;
    this.#lastHandledAtMs = this.#monotonicMs();
    this.#firstSinceMs = this.#waiting === 0 ? undefined : this.#lastHandledAtMs;
  }

  /** Begins no further stanza: they are not acknowledged, so WhatsApp brings them again. */
  stop(): void {
    this.#stopped = true;
  }

  /** Resolves when no stanza is being handled any more, also aside. Never rejects. */
  async settled(): Promise<void> {
    await this.#turn;
    await this.#aside;
  }

  /** Resolves when every stanza that has come so far had its turn. Never rejects. */
  idle(): Promise<void> {
    return this.#turn;
  }
}

function judge(error: unknown): unknown {
  const isLate = error instanceof TimeoutError && error.what === HANDLING;
  return isLate ? new SymptomError('deaf', 'a stanza was not handled in time', { cause: error }) : error;
}
