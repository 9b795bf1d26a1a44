import { proto, type BinaryNode } from '@whiskeysockets/baileys';
import type { Fact } from '../../../shared/event/facts/factRows.ts';
import type { Surroundings } from '../../../shared/platform/surroundings.ts';
import type { Session } from '../../session/session.ts';
import { isFinal } from '../port/lookUpError.ts';
import { BlobError } from './blobs.ts';
import { emptyCollection, fromStored, toStored, type CollectionName, type CollectionState } from './collectionState.ts';
import { expandKey, type StateKey } from './patchSeals.ts';
import { keyIdsOf, readPatch, readSnapshot, toName, type Mutation, type Read, type Reading } from './readPatches.ts';
import { hasToBeThere, isPlaced, placeEntries, SeenRecords } from './placeEntries.ts';
import { timeOf, toFact } from './stateKinds.ts';
import { decoded, decodePatch, readAnswer, toFetchQuery, toPatchQuery, type Answered } from './syncQueries.ts';
import { writePatch, type PlacedEntry, type StateChange, type StateEntry } from './writePatch.ts';

export interface CollectionsParts extends Pick<Surroundings, 'clock' | 'metrics'> {
  /** Asks WhatsApp. Rejects where it refuses the whole query, or does not answer in time. */
  readonly ask: (query: BinaryNode) => Promise<BinaryNode>;
  readonly session: Pick<Session, 'getKeys' | 'setKeys'>;
  /** The id, in base64, of the key with which the account's devices seal at present. */
  readonly newestKeyId: () => string | undefined;
  readonly fetchBlob: (reference: proto.IExternalBlobReference) => Promise<Uint8Array>;
  /** Publishes facts. Resolves when they are durable. */
  readonly publish: (facts: readonly Fact[]) => Promise<void>;
  readonly takeTurn: Reading['takeTurn'];
}

/** Why a collection could not be followed or written. Each is final for this try. */
export type StateTrouble =
  | { readonly end: 'refused'; readonly code: number }
  /** The phone has not given this device the key with which something is sealed. */
  | { readonly end: 'key_missing'; readonly keyId?: string }
  /** A MAC or the hash does not fit, also when everything is fetched anew: nothing may be written on top of it. */
  | { readonly end: 'damaged' };

export type Synced = { readonly end: 'synced'; readonly state: CollectionState } | StateTrouble;

/**
 * `overtaken`: another device was faster each time, or has made what was to be new. `untold`: WhatsApp has it, and it is told with the next
 * try.
 */
export type Written =
  { readonly end: 'written' | 'overtaken' } | { readonly end: 'untold'; readonly error: unknown } | StateTrouble;

/** A change whose records have their places. */
interface Placed {
  readonly end: 'placed';
  readonly key: StateKey;
  readonly state: CollectionState;
  /** Whether something is there that was to be new. */
  readonly isTaken: boolean;
  readonly entries: readonly PlacedEntry[];
}

const VERSIONS = 'app-state-sync-version';
const KEYS = 'app-state-sync-key';
/** WhatsApp's number for a patch on top of a version that is not the newest. */
const CONFLICT = 409;
/** How often another device may be faster before a write is given up. */
const MOST_CONFLICTS = 5;
/** How many answers are asked for in a row: each has to bring the collection further. */
const MOST_ANSWERS = 500;
/** How many facts are published at a time, so that those of messages find their turn in between. */
const FACTS_AT_ONCE = 50;

/**
 * The collections of one account: fetched up to the newest version, verified, told, and written. Callers see to it that one
 * call runs at a time.
 *
 * - *The process dies between WhatsApp's answer and the write of the version*: the next one fetches the same patches; their
 * facts have the same keys and are told once. A patch of our own comes back in the same way.
 * - *It dies before it has told*: the version is stored after that, so the patches are fetched again.
 * - *Another device writes at once*: the server refuses the second; what is newer is fetched, and the change is written on
 * top of it, unless it is there already.
 */
export class Collections {
  readonly #parts: CollectionsParts;

  constructor(parts: CollectionsParts) {
    this.#parts = parts;
  }

  /**
   * Follows a collection up to its newest version, and tells what is new in it.
   * @param sinceMs where nothing is known of the collection, or its old state is lost: tells what was changed from this time on
   * @param reading.see called with each change that is read
   * @param reading.isWhole asks for the whole collection, so that `see` is called with each record of it
   */
  async sync(
    name: CollectionName,
    sinceMs: number,
    reading: { readonly see?: (mutation: Mutation) => void; readonly isWhole?: boolean } = {},
  ): Promise<Synced> {
    let state = await this.#load(name);
    let isWhole = reading.isWhole === true || state === undefined;
    for (let answers = 0; answers < MOST_ANSWERS; answers += 1) {
      const before = isWhole ? undefined : state;
      const asked = { name, version: before?.version ?? 0 };
      const answered = readAnswer(await this.#parts.ask(toFetchQuery(asked, isWhole)), name);
      const read = answered.answer === 'refused' ? answered : await this.#read(name, before, answered);
      if (!('read' in read) || read.read !== 'fits') {
        const isDamaged = 'read' in read ? read.read === 'damaged' : isFinal(read.code);
        if (!isDamaged || isWhole) return toTrouble(read);
        // What is known may be wrong, or too old for the server: everything is asked for, once.
        isWhole = true;
        continue;
      }
      // No device is ever set back: an answer that says so is wrong.
      if (state !== undefined && read.state.version < state.version) return { end: 'damaged' };
      await this.#tell(
        name,
        isWhole ? newIn(read.mutations, state, sinceMs, this.#parts.clock.nowMs()) : read.mutations,
      );
      await this.#save(name, read.state);
      if (reading.see !== undefined) read.mutations.forEach(reading.see);
      const hasMoved = before === undefined || read.state.version > before.version;
      state = read.state;
      isWhole = false;
      if (answered.answer === 'given' && !answered.hasMore) return { end: 'synced', state };
      if (!hasMoved) return { end: 'damaged' };
    }
    return { end: 'damaged' };
  }

  /**
   * Writes a change. It resolves when WhatsApp has it and it is told; where it was there already, it is not written again.
   * @param sinceMs as for `sync`
   */
  async write(change: StateChange, sinceMs: number): Promise<Written> {
    const { ask } = this.#parts;
    const name = change.collection;
    for (let conflicts = 0; conflicts < MOST_CONFLICTS; conflicts += 1) {
      const seen = new SeenRecords(change);
      let state = conflicts === 0 ? await this.#load(name) : undefined;
      if (state === undefined) {
        const synced = await this.sync(name, sinceMs, { see: seen.note });
        if (synced.end !== 'synced') return synced;
        if (conflicts > 0 && isThere(change, seen)) return { end: 'written' };
        state = synced.state;
      }
      const placed = await this.#place(change, state, seen);
      if (placed.end !== 'placed') return placed;
      if (placed.isTaken) return { end: 'overtaken' };
      if (placed.entries.length === 0) return { end: 'written' };
      const patch = writePatch(placed.key, placed.state, name, placed.entries);
      const answered = readAnswer(await ask(toPatchQuery({ name, version: placed.state.version }, patch.bytes)), name);
      if (answered.answer === 'given') {
        return this.#tell(name, patch.mutations)
          .then(() => this.#save(name, patch.state))
          .then(
            () => ({ end: 'written' }),
            (error: unknown) => ({ end: 'untold', error }),
          );
      }
      if (answered.code !== CONFLICT) return { end: 'refused', code: answered.code };
    }
    return { end: 'overtaken' };
  }

  /** Finds where the records of a change are. Where none is found of those that are to be removed, they are looked for in the whole collection. */
  async #place(change: StateChange, found: CollectionState, seen: SeenRecords): Promise<Placed | StateTrouble> {
    const key = await this.#newestKey();
    if (key === undefined) return { end: 'key_missing' };
    let state = found;
    const removed = change.entries.filter(({ operation }) => operation === 'remove');
    if (removed.length > 0 && !removed.some((entry) => isPlaced(key, found, entry))) {
      const synced = await this.sync(change.collection, this.#parts.clock.nowMs(), { see: seen.note, isWhole: true });
      if (synced.end !== 'synced') return synced;
      state = synced.state;
    }
    const ids = change.entries.filter(hasToBeThere).flatMap((entry) => seen.keyIdsOf(entry).map(toName));
    const keys = await this.#keys([...new Set(ids)].slice(0, MOST_KEYS));
    const olderKeysOf = (entry: StateEntry): readonly StateKey[] =>
      seen.keyIdsOf(entry).flatMap((id) => (toName(id) === toName(key.id) ? [] : (keys.get(toName(id)) ?? [])));
    const isTaken = change.entries.some((entry) => entry.onlyIfNew === true && isPlaced(key, state, entry));
    return { end: 'placed', key, state, isTaken, entries: placeEntries(change, key, state, olderKeysOf) };
  }

  async #read(
    name: CollectionName,
    before: CollectionState | undefined,
    { patches, snapshot }: Extract<Answered, { answer: 'given' }>,
  ): Promise<Read> {
    let state = before ?? emptyCollection;
    const mutations: Mutation[] = [];
    if (snapshot !== undefined) {
      const whole = await this.#readWhole(name, snapshot);
      if (whole.read !== 'fits') return whole;
      state = whole.state;
      mutations.push(...whole.mutations);
    }
    for (const bytes of patches) {
      const patch = decoded(decodePatch, bytes);
      if (patch === undefined) return { read: 'damaged' };
      // The patch on top of the newest version may come without its own.
      patch.version ??= proto.SyncdVersion.create({ version: state.version + 1 });
      if (Number(patch.version.version) <= state.version) continue;
      const read = await this.#readOne(name, state, patch);
      if (read.read !== 'fits') return read;
      state = read.state;
      mutations.push(...read.mutations);
    }
    return { read: 'fits', state, mutations };
  }

  async #readWhole(name: CollectionName, reference: Uint8Array): Promise<Read> {
    const named = decoded((bytes) => proto.ExternalBlobReference.decode(bytes), reference);
    const blob = named && (await this.#blob(named));
    const snapshot = blob && decoded((bytes) => proto.SyncdSnapshot.decode(bytes), blob);
    if (snapshot === undefined) return { read: 'damaged' };
    const reading = await this.#reading(name, keyIdsOf({ keyId: snapshot.keyId ?? null, records: snapshot.records }));
    return readSnapshot(reading, snapshot);
  }

  async #readOne(name: CollectionName, state: CollectionState, patch: proto.ISyncdPatch): Promise<Read> {
    const beside = patch.externalMutations ? await this.#blob(patch.externalMutations) : new Uint8Array();
    const more = beside && decoded((bytes) => proto.SyncdMutations.decode(bytes), beside);
    if (more === undefined) return { read: 'damaged' };
    const mutations = [...(patch.mutations ?? []), ...more.mutations];
    const records = mutations.map(({ record }) => record);
    const reading = await this.#reading(name, keyIdsOf({ keyId: patch.keyId ?? null, records }));
    return readPatch(reading, state, { ...patch, mutations });
  }

  async #blob(reference: proto.IExternalBlobReference): Promise<Uint8Array | undefined> {
    try {
      return await this.#parts.fetchBlob(reference);
    } catch (error) {
      if (error instanceof BlobError) return undefined;
      throw error;
    }
  }

  async #reading(collection: CollectionName, ids: ReadonlySet<string>): Promise<Reading> {
    const keys = await this.#keys([...ids].slice(0, MOST_KEYS));
    return { collection, keyOf: (id) => keys.get(id), takeTurn: this.#parts.takeTurn };
  }

  async #newestKey(): Promise<StateKey | undefined> {
    const id = this.#parts.newestKeyId();
    return id === undefined ? undefined : (await this.#keys([id])).get(id);
  }

  async #keys(ids: readonly string[]): Promise<ReadonlyMap<string, StateKey>> {
    const stored = await this.#parts.session.getKeys(KEYS, ids);
    const keys = Object.entries(stored).flatMap(([id, value]): readonly (readonly [string, StateKey])[] => {
      const { keyData } = proto.Message.AppStateSyncKeyData.fromObject(value as Record<string, unknown>);
      return keyData?.length ? [[id, expandKey(Buffer.from(id, 'base64'), keyData)]] : [];
    });
    return new Map(keys);
  }

  async #tell(name: CollectionName, mutations: readonly Mutation[]): Promise<void> {
    const { clock, metrics, publish } = this.#parts;
    const facts: Fact[] = [];
    for (const mutation of mutations) {
      const fact = toFact(name, mutation, clock.nowMs());
      if (typeof fact === 'string') metrics.count('AppStateChangesIgnored', { because: fact });
      else facts.push(fact);
    }
    for (let at = 0; at < facts.length; at += FACTS_AT_ONCE) await publish(facts.slice(at, at + FACTS_AT_ONCE));
  }

  async #load(name: CollectionName): Promise<CollectionState | undefined> {
    const { [name]: stored } = await this.#parts.session.getKeys(VERSIONS, [name]);
    return fromStored(stored);
  }

  /** A collection that is too large to be kept is forgotten, and fetched as a whole the next time. */
  async #save(name: CollectionName, state: CollectionState): Promise<void> {
    await this.#parts.session.setKeys({ [VERSIONS]: { [name]: toStored(state) ?? null } });
  }
}

function toTrouble(read: Exclude<Read, { read: 'fits' }> | Extract<Answered, { answer: 'refused' }>): StateTrouble {
  if (!('read' in read)) return { end: 'refused', code: read.code };
  return read.read === 'damaged' ? { end: 'damaged' } : { end: 'key_missing', keyId: read.keyId };
}

/** The number of keys that are read for one patch or snapshot. An account has a new one about once a month. */
const MOST_KEYS = 100;

/**
 * The changes of a whole collection that are new: by the state before where there is one, else by their time. An account that
 * was linked just now has years of them.
 */
function newIn(
  mutations: readonly Mutation[],
  known: CollectionState | undefined,
  sinceMs: number,
  nowMs: number,
): readonly Mutation[] {
  return mutations.filter((mutation) => {
    if (known === undefined) return (timeOf(mutation, nowMs) ?? 0) >= sinceMs;
    const before = known.macs.get(mutation.indexMac);
    return before === undefined || !Buffer.from(before).equals(mutation.valueMac);
  });
}

/** Whether the last word on everything that a change is about says the same. */
function isThere({ collection, entries }: StateChange, seen: SeenRecords): boolean {
  return entries
    .filter(({ onlyIfThere }) => onlyIfThere !== true)
    .every((entry) => {
      const last = seen.lastOf(entry);
      if (last === undefined) return false;
      const { index, value, operation = 'set' } = entry;
      return meaningOf(collection, last) === meaningOf(collection, { ...last, index, value, operation });
    });
}

function meaningOf(collection: CollectionName, mutation: Mutation): string {
  const fact = toFact(collection, mutation, 0);
  return JSON.stringify(typeof fact === 'string' ? fact : { ...fact, key: '', atMs: 0 });
}
