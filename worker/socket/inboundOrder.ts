import type { EventEmitter } from 'node:events';
import type { BinaryNode } from '@whiskeysockets/baileys';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import { inboundTurns, type FairTurns } from './fairTurns.ts';

/**
 * Hands stanzas to Baileys one after the other, each when our work on it is done and Baileys has finished the one before.
 * Baileys looks addresses up before it takes its own lock, so that one stanza can overtake another there; and those that
 * waited while we were away go through a second queue, beside the live ones. Here all take their turn, and so do the
 * connections of a process: a burst for one leaves the others their time.
 */
export class InboundOrder {
  readonly #emitter: EventEmitter;
  readonly #onFailure: (error: unknown) => void;
  readonly #turns: Pick<FairTurns, 'take'>;
  #turn: Promise<void> = Promise.resolve();
  #stopped = false;

  /** @param onFailure our work or Baileys' failed or took too long: the stanza must not be answered */
  constructor(
    emitter: EventEmitter,
    onFailure: (error: unknown) => void,
    turns: Pick<FairTurns, 'take'> = inboundTurns,
  ) {
    this.#emitter = emitter;
    this.#onFailure = onFailure;
    this.#turns = turns;
  }

  /** Lets our work on the stanzas of an event finish before Baileys sees them; one that is `taken` it never sees. */
  insertBefore(event: string, work: (stanza: BinaryNode) => Promise<'taken' | undefined>): void {
    const listeners = this.#emitter.listeners(event) as ((stanza: BinaryNode) => unknown)[];
    this.#emitter.removeAllListeners(event);
    this.#emitter.on(event, (stanza: BinaryNode) => {
      // Would send it into Baileys' second queue.
      delete stanza.attrs['offline'];
      this.#turn = this.#turn
        .then(() => this.#turns.take())
        .then(() => (this.#stopped ? 'taken' : work(stanza)))
        .then((taken) =>
          taken === undefined
            ? // Past this the socket is not worth keeping: everything behind the stanza waits for it.
              withDeadline('handling a stanza', deadlines.stanza.ms, () =>
                Promise.all(listeners.map((listener) => listener.call(this.#emitter, stanza))),
              )
            : undefined,
        )
        .then(() => undefined, this.#onFailure);
    });
  }

  /** No further stanza is begun: they are not acknowledged, so WhatsApp brings them again. */
  stop(): void {
    this.#stopped = true;
  }

  /** Resolves when every stanza that has come so far is handled. Never rejects. */
  idle(): Promise<void> {
    return this.#turn;
  }
}
