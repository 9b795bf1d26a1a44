import { expiryOf } from '../../shared/platform/expiry.ts';
import { judgeFailure } from '../../shared/platform/judgeFailure.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { ItemSeal } from './itemSeal.ts';
import type { SessionItems } from './sessionItems.ts';

const DAY_MS = 86_400_000;
/**
 * The largest plaintext of one message that is kept, in bytes. WhatsApp's own are a few hundred bytes, with a thumbnail
 * up to some tens of thousands.
 */
export const LARGEST_PLAINTEXT_BYTES = 64 * 1_024;
/**
 * The bytes of plaintexts of one connection that are kept in any day, while one worker holds it: a busy account
 * receives less, and a sender who wants to fill the table gets no further.
 */
export const PLAINTEXT_BYTES_A_DAY = 16 * 1_024 * 1_024;

/**
 * The prefix of the sort keys. Plaintexts are not keys: they outlive neither their days nor a retired account's
 * credentials.
 */
const PREFIX = 'PLAINTEXT#';

/** Whether a plaintext was kept, or why not: too long, too much that day, or refused by the store. */
export type Kept = 'kept' | 'too_large' | 'over_budget' | 'refused';

interface KeptPlaintextsDependencies extends Pick<Surroundings, 'clock' | 'metrics'> {
  readonly items: SessionItems;
  readonly seal: ItemSeal;
}

/**
 * The plaintexts of messages for which this version has no form. Each is an item of the Sessions table, sealed like a
 * key and readable by workers only, which the table removes by itself after 30 days. A later version can show the
 * message until then. Writing one again does no harm.
 */
export class KeptPlaintexts {
  readonly #dependencies: KeptPlaintextsDependencies;
  #bytesLeft = PLAINTEXT_BYTES_A_DAY;
  #countedAtMs: number;

  constructor(dependencies: KeptPlaintextsDependencies) {
    this.#dependencies = dependencies;
    this.#countedAtMs = dependencies.clock.monotonicMs();
  }

  /**
   * Keeps the plaintext of one message. A plaintext beyond a bound, or one that the store refuses for good, is counted
   * and left: the message itself is reported all the same. Throws when the store may accept it later.
   * @param key the key of the message's fact: a hash, and so of a bounded length
   */
  async keep(key: string, plaintext: Uint8Array): Promise<Kept> {
    const kept = await this.#keepWithin(key, plaintext);
    if (kept !== 'kept') this.#dependencies.metrics.count('PlaintextsNotKept', { cause: kept });
    return kept;
  }

  async #keepWithin(key: string, plaintext: Uint8Array): Promise<Kept> {
    if (plaintext.length > LARGEST_PLAINTEXT_BYTES) return 'too_large';
    if (!this.#take(plaintext.length)) return 'over_budget';
    const { items, seal, clock } = this.#dependencies;
    const sk = sortKeyOf(key);
    try {
      await items.writeSoft(sk, seal.seal(sk, 0, plaintext), { ttl: expiryOf('plaintext', clock.nowMs()) });
      return 'kept';
    } catch (error) {
      if (judgeFailure(error) === 'passing') throw error;
      return 'refused';
    }
  }

  /** Takes bytes from the budget. The budget comes back bit by bit, so that no hour of the day is without any. */
  #take(bytes: number): boolean {
    const nowMs = this.#dependencies.clock.monotonicMs();
    const regained = ((nowMs - this.#countedAtMs) / DAY_MS) * PLAINTEXT_BYTES_A_DAY;
    this.#bytesLeft = Math.min(PLAINTEXT_BYTES_A_DAY, this.#bytesLeft + regained);
    this.#countedAtMs = nowMs;
    if (bytes > this.#bytesLeft) return false;
    this.#bytesLeft -= bytes;
    return true;
  }
}

/** The sort key of a message's plaintext, within its connection. */
export function sortKeyOf(factKey: string): string {
  return `${PREFIX}${factKey}`;
}
