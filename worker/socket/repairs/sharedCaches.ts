import type { CacheStore, UserFacingSocketConfig } from '@whiskeysockets/baileys';
import { LRUCache } from 'lru-cache';

const MINUTE_MS = 60_000;
/** How long each cache remembers, in milliseconds, as Baileys' own caches do (`DEFAULT_CACHE_TTLS`). */
const LIVES_MS = {
  msgRetryCounterCache: 60 * MINUTE_MS,
  callOfferCache: 5 * MINUTE_MS,
} as const;

/**
 * The number of entries of all accounts of a process together. Beyond it the ones that were used least recently are
 * forgotten.
 */
const MOST_ENTRIES = 50_000;

/** The size from which on an entry counts as several: strangers write an id and what is kept under it. */
const UNITS_OF_ONE = 1_024;

type Caches = Required<Pick<UserFacingSocketConfig, keyof typeof LIVES_MS>>;

/**
 * The memory of Baileys about single messages and calls, of all accounts in one bounded store. Baileys makes a cache
 * with a timer for each kind and socket, about 6 KB each, unless it is given one. Keys are message and call ids, which
 * two accounts share where both are members of a group: so each sees its own entries alone. Counts of requests to
 * repeat outlive a socket: a message that cannot be read would otherwise be asked for anew after every reconnect.
 */
export class SharedCaches {
  readonly #entries: LRUCache<string, { readonly value: unknown }>;

  constructor(mostEntries: number = MOST_ENTRIES, monotonicMs: () => number = () => performance.now()) {
    // The cache counts by size and not by number: a number would reserve room for all entries at once.
    this.#entries = new LRUCache({
      maxSize: mostEntries,
      sizeCalculation: ({ value }, key) => 1 + Math.floor((key.length + sizeOf(value)) / UNITS_OF_ONE),
      perf: { now: monotonicMs },
      // Otherwise the cache remembers the time for a moment, with a timer.
      ttlResolution: 0,
    });
  }

  /** The caches of one account. @param owner tells the accounts of a process apart */
  of(owner: string): Caches {
    return {
      msgRetryCounterCache: this.#store(owner, 'msgRetryCounterCache'),
      callOfferCache: this.#store(owner, 'callOfferCache'),
    };
  }

  get size(): number {
    return this.#entries.size;
  }

  #store(owner: string, kind: keyof typeof LIVES_MS): CacheStore {
    const prefix = `${owner}/${kind}/`;
    const entries = this.#entries;
    return {
      get: (key) => entries.get(prefix + key)?.value as never,
      set: (key, value) => {
        entries.set(prefix + key, { value }, { ttl: LIVES_MS[kind] });
      },
      del: (key) => {
        entries.delete(prefix + key);
      },
      flushAll: () => {
        for (const key of entries.keys()) if (key.startsWith(prefix)) entries.delete(key);
      },
    };
  }
}

/** The approximate size of the texts in a value; a number weighs nothing. */
function sizeOf(value: unknown): number {
  return typeof value === 'object' && value !== null ? JSON.stringify(value).length : 0;
}

export const sharedCaches = new SharedCaches();
