import { systemClock } from '../../../shared/kernel/clock.ts';

interface Expected {
  readonly sinceMs: number;
  readonly resolve: (error: number | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** Who waits for the server's ack of which stanza. Baileys tells nobody when a message was accepted. */
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
    // Whoever expected it may have given up before it was abandoned.
    arrived.catch(() => undefined);
    return arrived;
  }

  /** WhatsApp answered, also when it refused, and also when nobody waits any more: sends go through. */
  arrive(stanzaId: string, error: string | undefined): void {
    this.#lastAtMs = this.#monotonicMs();
    this.#givenUpSinceMs = undefined;
    this.#waiting.get(stanzaId)?.resolve(error === undefined ? undefined : numberOf(error));
    this.#waiting.delete(stanzaId);
  }

  /** Nobody waits for this one any more. */
  forget(stanzaId: string): void {
    this.#waiting.delete(stanzaId);
  }

  /**
   * One of its deadlines has passed. Until WhatsApp answers another it counts as waiting: the next try must not look like the
   * first.
   * @param sinceMs when it was begun, if that is not when its ack was first expected
   */
  giveUp(stanzaId: string, sinceMs: number | undefined = this.#waiting.get(stanzaId)?.sinceMs): void {
    this.#givenUpSinceMs ??= sinceMs;
    this.#waiting.delete(stanzaId);
  }

  /** Since when the oldest send waits for its answer, those given up included; undefined when none does. */
  get oldestSinceMs(): number | undefined {
    const times = [...this.#waiting.values()].map(({ sinceMs }) => sinceMs);
    if (this.#givenUpSinceMs !== undefined) times.push(this.#givenUpSinceMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** When an answer last came, on the monotonic clock. */
  get lastAtMs(): number | undefined {
    return this.#lastAtMs;
  }

  /** The socket is gone: nothing arrives any more. */
  abandon(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error('the socket closed before the ack'));
    this.#waiting.clear();
  }
}

/** No store takes what is no number, so that a refusal with one would be none for ever. */
function numberOf(error: string): number {
  const number = Number(error);
  return Number.isSafeInteger(number) && number > 0 ? number : 0;
}
