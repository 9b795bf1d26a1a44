import type { CollectionState } from './collectionState.ts';
import type { StateKey } from './patchSeals.ts';
import type { Mutation } from './readPatches.ts';
import { placeOf, type PlacedEntry, type StateChange, type StateEntry } from './writePatch.ts';

/**
 * The records which a change is about, as they were read. A record stands at the MAC of its index under the key with which it was
 * sealed, so one that is years old is found by the key of that time alone.
 */
export class SeenRecords {
  readonly #byIndex: ReadonlyMap<string, { last?: Mutation; readonly keyIds: Map<string, Uint8Array> }>;

  constructor({ entries }: StateChange) {
    this.#byIndex = new Map(entries.map(({ index }) => [JSON.stringify(index), { keyIds: new Map() }]));
  }

  /** Notes a record that is read, in the order of the collection. All others are passed over. */
  readonly note = (mutation: Mutation): void => {
    const seen = this.#byIndex.get(JSON.stringify(mutation.index ?? []));
    if (seen === undefined) return;
    seen.last = mutation;
    if (mutation.operation === 'set') seen.keyIds.set(mutation.indexMac, mutation.keyId);
    else seen.keyIds.delete(mutation.indexMac);
  };

  /** The last word on what a record is about; undefined where none was read. */
  lastOf({ index }: Pick<StateEntry, 'index'>): Mutation | undefined {
    return this.#byIndex.get(JSON.stringify(index))?.last;
  }

  /** The ids of the keys under which a record is there. */
  keyIdsOf({ index }: Pick<StateEntry, 'index'>): readonly Uint8Array[] {
    return [...(this.#byIndex.get(JSON.stringify(index))?.keyIds.values() ?? [])];
  }
}

/** Whether a record is in a collection under a key. */
export function isPlaced(key: StateKey, { macs }: CollectionState, entry: StateEntry): boolean {
  return macs.has(placeOf(key, entry));
}

/** The entries of which it has to be known where they are, as they are written only where they are there. */
export function hasToBeThere({ operation, onlyIfThere }: StateEntry): boolean {
  return operation === 'remove' || onlyIfThere === true;
}

/**
 * The entries of a change with the keys under which they are written. What is set stands under the newest key; what has to be
 * there is left out where it is not.
 * @param olderKeysOf finds the other keys under which a record was read
 */
export function placeEntries(
  { entries }: StateChange,
  newest: StateKey,
  state: CollectionState,
  olderKeysOf: (entry: StateEntry) => readonly StateKey[],
): readonly PlacedEntry[] {
  return entries.flatMap((entry): readonly PlacedEntry[] => {
    if (!hasToBeThere(entry)) return [{ ...entry, key: newest }];
    return [newest, ...olderKeysOf(entry)]
      .filter((key) => isPlaced(key, state, entry))
      .map((key) => ({ ...entry, key }));
  });
}
