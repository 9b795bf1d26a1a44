import { systemClock } from '../../../shared/kernel/clock.ts';

interface Expected {
  readonly sinceMs: number;
  readonly resolve: (error: number | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** The stanzas whose ack is waited for. Baileys does not announce when a message was accepted. */
export class Acknowledgements {
  readonly #waiting = new Map<string, Expected>();
  readonly #monotonicMs: () => number;
  /** Since when sends are given up without an answer to any. */
  #givenUpSinceMs: number | undefined;
  #lastAtMs: number | undefined;

  constructor(monotonicMs: () => number = systemClock.monotonicMs) {
    this.#monotonicMs = monotonicMs;
  }

  /** Resolves with nothing when the server has the message, or with the number for which it refused it; 0 if it gave none. */
  expect(stanzaId: string): Promise<number | undefined> {
    const arrived = new Promise<number | undefined>((resolve, reject) => {
      this.#waiting.set(stanzaId, { sinceMs: this.#monotonicMs(), resolve, reject });
    });
    // A caller may have given up before the wait was abandoned.
    arrived.catch(() => undefined);
    return arrived;
  }

  /** Notes an answer of WhatsApp, also when it refused, and also when nobody waits any more: sends go through. */
  arrive(stanzaId: string, error: string | undefined): void {
    this.#lastAtMs = this.#monotonicMs();
    this.#givenUpSinceMs = undefined;
    this.#waiting.get(stanzaId)?.resolve(error === undefined ? undefined : numberOf(error));
    this.#waiting.delete(stanzaId);
  }

  /** Forgets a stanza whose ack nobody waits for any more. */
  forget(stanzaId: string): void {
    this.#waiting.delete(stanzaId);
  }

  /**
   * Gives up a send whose deadline has passed. Until WhatsApp answers another it counts as waiting: the next try must
   * not look like the first.
   * @param sinceMs when it was begun, if that is not when its ack was first expected
   */
  giveUp(stanzaId: string, sinceMs: number | undefined = this.#waiting.get(stanzaId)?.sinceMs): void {
    this.#givenUpSinceMs ??= sinceMs;
    this.#waiting.delete(stanzaId);
  }

  /** Since when the oldest send waits for its answer, given-up ones included; undefined when none does. */
  get oldestSinceMs(): number | undefined {
    const times = [...this.#waiting.values()].map(({ sinceMs }) => sinceMs);
    if (this.#givenUpSinceMs !== undefined) times.push(this.#givenUpSinceMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** When an answer last came, on the monotonic clock. */
  get lastAtMs(): number | undefined {
    return this.#lastAtMs;
  }

  /** Ends all waits because the socket is gone: nothing arrives any more. */
  abandon(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error('the socket closed before the ack'));
    this.#waiting.clear();
  }
}

/** The number of a refusal. No store accepts what is no number, so that such a refusal could never be recorded. */
function numberOf(error: string): number {
  const number = Number(error);
  return Number.isSafeInteger(number) && number > 0 ? number : 0;
}
