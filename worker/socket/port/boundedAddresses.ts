import type { UserFacingSocketConfig } from '@whiskeysockets/baileys';
import { LRUCache } from 'lru-cache';

type Repository = ReturnType<NonNullable<UserFacingSocketConfig['makeSignalRepository']>>;

/**
 * The number of addresses that a socket remembers, two for each contact. A forgotten one is read from the session
 * again.
 */
const MOST_ADDRESSES = 2_000;

/**
 * Bounds what a repository remembers of which LID belongs to which number. Baileys keeps every pair that it ever saw for
 * three days after its last use, with a timer for each entry. There is no setting for it, so the memory is exchanged.
 * Throws when Baileys keeps it elsewhere by now.
 */
export function boundAddresses({ lidMapping }: Pick<Repository, 'lidMapping'>, most: number = MOST_ADDRESSES): void {
  const holder = lidMapping as unknown as { mappingCache?: unknown };
  if (!(holder.mappingCache instanceof LRUCache)) throw new Error('Baileys remembers addresses in another way');
  // The cache counts by size and not by number: a number would reserve room for all entries at once.
  holder.mappingCache = new LRUCache<string, string>({ maxSize: most, sizeCalculation: () => 1 });
}
