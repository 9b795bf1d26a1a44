import { expiryOf } from '../../shared/platform/expiry.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { ItemSeal } from './itemSeal.ts';
import { StaleItemError, UnreadableItemError } from './sessionErrors.ts';
import type { SessionItems } from './sessionItems.ts';

/**
 * The prefix of the sort keys. Like kept plaintexts these are not keys: they outlive neither their days nor a retired
 * account's credentials.
 */
const PREFIX = 'SENT#';

interface SentMessagesDependencies extends Pick<Surroundings, 'clock'> {
  readonly items: SessionItems;
  readonly seal: ItemSeal;
}

/**
 * The wire messages that have left, or may have, by stanza id: bytes that the socket made, sealed like a key and
 * readable by workers only, which the table removes by itself after 30 days. Each is written once: the first one that
 * is kept counts, whoever tries again.
 */
export class SentMessages {
  readonly #dependencies: SentMessagesDependencies;

  constructor(dependencies: SentMessagesDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Keeps the bytes of a message. Resolves when they are durable. Condition: nothing is kept under this id;
   * `kept_before` when an earlier try has kept something. Throws as every write of a session does, OwnershipLostError
   * when a newer owner has kept it.
   */
  async keep(stanzaId: string, bytes: Uint8Array): Promise<'kept' | 'kept_before'> {
    const { items, seal, clock } = this.#dependencies;
    const sk = sortKeyOfSent(stanzaId);
    try {
      await items.writeHard(sk, 0, seal.seal(sk, 1, bytes), { ttl: expiryOf('sentMessage', clock.nowMs()) });
      return 'kept';
    } catch (error) {
      if (error instanceof StaleItemError) return 'kept_before';
      throw error;
    }
  }

  /**
   * Finds kept messages; ids without one are left out. One that cannot be opened is `unreadable`: it is there, so that
   * nothing else can be kept in its place. Throws when the store does not answer.
   */
  async find(stanzaIds: readonly string[]): Promise<ReadonlyMap<string, Uint8Array | 'unreadable'>> {
    const { items } = this.#dependencies;
    const found = await items.read(stanzaIds.map(sortKeyOfSent));
    return new Map([...found.values()].map((item) => [item.sk.slice(PREFIX.length), this.#open(item)] as const));
  }

  #open(item: Parameters<ItemSeal['open']>[0]): Uint8Array | 'unreadable' {
    try {
      return this.#dependencies.seal.open(item, (plain) => plain);
    } catch (error) {
      if (error instanceof UnreadableItemError) return 'unreadable';
      throw error;
    }
  }
}

/** The sort key of a sent message, within its connection. */
export function sortKeyOfSent(stanzaId: string): string {
  return `${PREFIX}${stanzaId}`;
}
