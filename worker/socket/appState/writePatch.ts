import { proto } from '@whiskeysockets/baileys';
import type { CollectionName, CollectionState } from './collectionState.ts';
import {
  indexMacOf,
  macIn,
  patchMacOf,
  sealValue,
  snapshotMacOf,
  toWrittenOperation,
  type StateKey,
} from './patchSeals.ts';
import { applied, type Mutation } from './readPatches.ts';

/** A change that is to be written: what it is about, and what it says. Written twice it comes to the same. */
export interface StateChange {
  readonly collection: CollectionName;
  readonly index: readonly string[];
  readonly value: proto.ISyncActionValue;
  /** The version of the form of this kind of change, as WhatsApp's clients number them. */
  readonly formVersion: number;
}

/** A patch with the state after it, and the change as it will be read by the other devices. */
export interface WrittenPatch {
  readonly bytes: Uint8Array;
  readonly state: CollectionState;
  readonly mutation: Mutation;
}

/** Writes a patch on top of a state that was verified: the hash of a wrong one would be refused by all other devices. */
export function writePatch(key: StateKey, state: CollectionState, change: StateChange): WrittenPatch {
  const { collection, index, value, formVersion } = change;
  const operation = 'set';
  const indexBytes = Buffer.from(JSON.stringify(index));
  const data = { index: indexBytes, value, padding: new Uint8Array(0), version: formVersion };
  const blob = sealValue(key, operation, proto.SyncActionData.encode(data).finish());
  const indexMac = indexMacOf(key, indexBytes);
  const valueMac = macIn(blob);
  const mutation: Mutation = { operation, index, value, indexMac: indexMac.toString('latin1'), valueMac };
  const after = applied(state, state.version + 1, [mutation]);
  const snapshotMac = snapshotMacOf(key, after, collection);
  const keyId = { id: key.id };
  const bytes = proto.SyncdPatch.encode({
    snapshotMac,
    patchMac: patchMacOf(key, { snapshotMac, valueMacs: [valueMac], version: after.version }, collection),
    keyId,
    mutations: [
      {
        operation: toWrittenOperation(operation),
        record: { index: { blob: indexMac }, value: { blob }, keyId },
      },
    ],
  }).finish();
  return { bytes, state: after, mutation };
}
