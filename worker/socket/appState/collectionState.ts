import { EMPTY_HASH, MAC_BYTES } from './patchSeals.ts';

/**
 * The collections of app state that are followed: those whose changes have a meaning here. Others are neither fetched nor
 * written. Source of the names: Baileys (`ALL_WA_PATCH_NAMES`).
 */
export const collections = ['regular_high', 'regular_low', 'regular', 'critical_unblock_low'] as const;
export type CollectionName = (typeof collections)[number];

export function isFollowed(name: string | undefined): name is CollectionName {
  return (collections as readonly (string | undefined)[]).includes(name);
}

/**
 * A collection as it was verified last: its version, the hash over all values, and the MAC of each value by that of its
 * index. Values themselves are not kept.
 */
export interface CollectionState {
  readonly version: number;
  readonly hash: Uint8Array;
  /** The MACs of values by the MACs of their indexes, as `latin1` text. */
  readonly macs: ReadonlyMap<string, Uint8Array>;
}

export const emptyCollection: CollectionState = { version: 0, hash: EMPTY_HASH, macs: new Map() };

/**
 * The number of records up to which a collection is kept, at 64 bytes each: 256 KB, of the 400 KB that an item may have.
 * A larger one is fetched as a whole each time that something changes in it.
 */
export const MOST_KEPT_RECORDS = 4_096;

/** A collection as it is stored. */
interface StoredState {
  readonly version: number;
  readonly hash: Uint8Array;
  /** Pairs of MACs, of an index and of its value, one after the other. */
  readonly pairs: Uint8Array;
}

/** The stored form; undefined for a collection that is too large to be kept. */
export function toStored({ version, hash, macs }: CollectionState): StoredState | undefined {
  if (macs.size > MOST_KEPT_RECORDS) return undefined;
  const pairs = [...macs].flatMap(([index, value]) => [Buffer.from(index, 'latin1'), value]);
  return { version, hash, pairs: Buffer.concat(pairs) };
}

/** The state of {@link toStored}; undefined for anything else, which is fetched anew. */
export function fromStored(stored: unknown): CollectionState | undefined {
  if (!isStored(stored)) return undefined;
  const { version, hash, pairs } = stored;
  const macs = new Map<string, Uint8Array>();
  for (let at = 0; at < pairs.length; at += 2 * MAC_BYTES) {
    const index = Buffer.from(pairs.subarray(at, at + MAC_BYTES)).toString('latin1');
    macs.set(index, pairs.subarray(at + MAC_BYTES, at + 2 * MAC_BYTES));
  }
  return { version, hash, macs };
}

function isStored(stored: unknown): stored is StoredState {
  if (typeof stored !== 'object' || stored === null) return false;
  const { version, hash, pairs } = stored as Partial<Record<keyof StoredState, unknown>>;
  return (
    Number.isSafeInteger(version) &&
    hash instanceof Uint8Array &&
    hash.length === EMPTY_HASH.length &&
    pairs instanceof Uint8Array &&
    pairs.length % (2 * MAC_BYTES) === 0
  );
}
