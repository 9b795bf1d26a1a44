import { proto } from '@whiskeysockets/baileys';
import type { CollectionName, CollectionState } from './collectionState.ts';
import {
  indexMacOf,
  macIn,
  patchMacOf,
  sealValue,
  snapshotMacOf,
  toWrittenOperation,
  type Operation,
  type StateKey,
} from './patchSeals.ts';
import { applied, type Mutation } from './readPatches.ts';

/** A record that is to be written: what it is about, and what it says. Written twice it comes to the same. */
export interface StateEntry {
  readonly index: readonly string[];
  readonly value: proto.ISyncActionValue;
  /** The version of the form of this kind of change, as WhatsApp's clients number them. */
  readonly formVersion: number;
  /** Left out where a record is set. One that is not there is not removed: some clients refuse the patch. */
  readonly operation?: Operation;
  /** Left out of the patch where there is no such record. */
  readonly onlyIfThere?: true;
  /** The change is not written where there is such a record. */
  readonly onlyIfNew?: true;
}

/** A change that is to be written, as one patch: all of its records are, or none. */
export interface StateChange {
  readonly collection: CollectionName;
  readonly entries: readonly StateEntry[];
}

/** A record with its place among those of the collection, under the key with which it is sealed. */
export interface PlacedEntry extends StateEntry {
  readonly key: StateKey;
}

/** A patch with the state after it, and its records as they will be read by the other devices. */
export interface WrittenPatch {
  readonly bytes: Uint8Array;
  readonly state: CollectionState;
  readonly mutations: readonly Mutation[];
}

/** Writes a patch on top of a state that was verified: the hash of a wrong one would be refused by all other devices. */
export function writePatch(
  key: StateKey,
  state: CollectionState,
  collection: CollectionName,
  entries: readonly PlacedEntry[],
): WrittenPatch {
  const sealed = entries.map(seal);
  const mutations = sealed.map(({ mutation }) => mutation);
  const after = applied(state, state.version + 1, mutations);
  const snapshotMac = snapshotMacOf(key, after, collection);
  const valueMacs = mutations.map(({ valueMac }) => valueMac);
  const bytes = proto.SyncdPatch.encode({
    snapshotMac,
    patchMac: patchMacOf(key, { snapshotMac, valueMacs, version: after.version }, collection),
    keyId: { id: key.id },
    mutations: sealed.map(({ written }) => written),
  }).finish();
  return { bytes, state: after, mutations };
}

/** The MAC of the index of a record under a key, as the state knows it. */
export function placeOf(key: StateKey, { index }: Pick<StateEntry, 'index'>): string {
  return indexMacOf(key, toBytes(index)).toString('latin1');
}

function seal({ key, index, value, formVersion, operation = 'set' }: PlacedEntry) {
  const indexBytes = toBytes(index);
  const data = { index: indexBytes, value, padding: new Uint8Array(0), version: formVersion };
  const blob = sealValue(key, operation, proto.SyncActionData.encode(data).finish());
  const indexMac = indexMacOf(key, indexBytes);
  const mutation: Mutation = {
    operation,
    index,
    value,
    indexMac: indexMac.toString('latin1'),
    valueMac: macIn(blob),
    keyId: key.id,
  };
  const record = { index: { blob: indexMac }, value: { blob }, keyId: { id: key.id } };
  return { mutation, written: { operation: toWrittenOperation(operation), record } };
}

function toBytes(index: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify(index));
}
