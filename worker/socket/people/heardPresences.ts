import type { BinaryNode } from '@whiskeysockets/baileys';
import { TimeoutError, withDeadline } from '../../../shared/kernel/deadline.ts';
import { withoutDevice } from '../../../shared/kernel/jid.ts';
import type { Emitter, Scope } from '../../../shared/kernel/scope.ts';

/** What WhatsApp says of somebody whom the account has subscribed to. */
export interface HeardPresence {
  readonly isAvailable: boolean;
  /** Seconds since 1970, as WhatsApp writes them; undefined where the person does not show it. */
  readonly last: string | undefined;
}

/** The most people whose word is waited for at once: as many as actions are asked for, with room for those that overlap. */
const MOST_WAITS = 50;
const WORD = 'a word about a presence';

type Wait = { readonly names: readonly string[]; readonly hear: (heard: HeardPresence) => void };

/** The presence of people, which is live: who waits for it hears it, and nobody keeps it. */
export class HeardPresences {
  #waits: readonly Wait[] = [];

  /** @param stanzas the emitter of Baileys' WebSocket */
  constructor(scope: Pick<Scope, 'listen'>, stanzas: Emitter) {
    scope.listen(stanzas, 'CB:presence', (stanza: BinaryNode) => this.#arrive(stanza));
  }

  /**
   * Waits for the next word about a person. Resolves to undefined when none has come in time.
   * @param names all addresses of the person that are known, without device
   * @param subscribe asks WhatsApp for it
   */
  async next(
    names: readonly string[],
    forMs: number,
    subscribe: () => Promise<void>,
  ): Promise<HeardPresence | undefined> {
    let wait: Wait | undefined;
    try {
      return await withDeadline(WORD, forMs, async () => {
        const { promise, resolve } = Promise.withResolvers<HeardPresence>();
        wait = { names, hear: resolve };
        this.#waits = [...this.#waits, wait].slice(-MOST_WAITS);
        await subscribe();
        return promise;
      });
    } catch (error) {
      if (error instanceof TimeoutError && error.what === WORD) return undefined;
      throw error;
    } finally {
      this.#waits = this.#waits.filter((other) => other !== wait);
    }
  }

  #arrive({ attrs }: BinaryNode): void {
    const from = withoutDevice(attrs['from'] ?? '');
    const { type, last } = attrs;
    const heard = { isAvailable: type !== 'unavailable', last: last === 'deny' ? undefined : last };
    for (const { names, hear } of this.#waits) if (names.includes(from)) hear(heard);
  }
}
