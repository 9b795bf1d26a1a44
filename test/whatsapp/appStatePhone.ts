import { randomBytes } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import {
  EMPTY_HASH,
  expandStateKey,
  hashAfter,
  indexMacOf,
  macIn,
  openValue,
  patchMacOf,
  sealValue,
  snapshotMacOf,
  type Operation,
} from './appStateSeal.ts';

/** Parts of a patch that a phone may get wrong on purpose. */
export const spoiltParts = ['value_mac', 'index_mac', 'snapshot_mac', 'patch_mac'] as const;
export type SpoiltPart = (typeof spoiltParts)[number];

/** One change that the owner of a phone makes. */
export interface StateChange {
  /** The index as text: JSON, where it is what an app writes. */
  readonly index: string;
  readonly value: proto.ISyncActionValue;
  readonly operation: Operation;
}

/** How a patch is written. */
export interface Spelling {
  readonly spoil?: SpoiltPart | undefined;
  /** Sealed with a key that no linked device was given. */
  readonly unsharedKey?: boolean | undefined;
  /** With its mutations in a blob of their own. */
  readonly external?: boolean | undefined;
}

/** One thing that a phone knows of the shared state, with the device that changed it last; 0 is the phone. */
export interface StateEntry {
  readonly collection: string;
  readonly index: unknown;
  readonly value: unknown;
  readonly operation: Operation;
  readonly by: number;
}

interface PhoneCollection {
  version: number;
  hash: Uint8Array;
  /** The MACs of the present values by those of their indexes, both in hex. */
  readonly macs: Map<string, string>;
  readonly entries: Map<string, StateEntry>;
}

interface StateKey {
  readonly id: Uint8Array;
  readonly data: Uint8Array;
  readonly isShared: boolean;
}

/** What a phone keeps of the state that its devices share, as it is saved. */
export interface PhoneStateRecord {
  readonly keys: StateKey[];
  readonly collections: Map<string, PhoneCollection>;
  /** The patches of its devices that it could not read or that do not fit, with the reason, as `collection v3: reason`. */
  readonly failures: string[];
}

const KEY_ID_BYTES = 6;
const SET = proto.SyncdMutation.SyncdOperation.SET;
const REMOVE = proto.SyncdMutation.SyncdOperation.REMOVE;

/** A phone as one of the devices that share an app state: it writes patches, and checks each that its devices write. */
export class AppStatePhone {
  readonly record: PhoneStateRecord;
  readonly #changed: () => void;

  constructor(record: PhoneStateRecord | undefined, changed: () => void) {
    this.record = record ?? { keys: [], collections: new Map(), failures: [] };
    this.#changed = changed;
  }

  /** Makes a new key for its devices. */
  makeKey(): { readonly keyId: Buffer; readonly keyData: Buffer } {
    const [keyId, keyData] = [randomBytes(KEY_ID_BYTES), randomBytes(32)];
    this.record.keys.push({ id: keyId, data: keyData, isShared: true });
    this.#changed();
    return { keyId, keyData };
  }

  /** All its keys, the newest last, which its devices have from now on. */
  share(): readonly StateKey[] {
    const keys = this.record.keys.map((key) => ({ ...key, isShared: true }));
    this.record.keys.splice(0, keys.length, ...keys);
    this.#changed();
    return keys;
  }

  /** Writes a patch on top of what it knows. */
  write(
    collection: string,
    changes: readonly StateChange[],
    spelling: Spelling = {},
  ): proto.ISyncdPatch & { readonly mutations: proto.ISyncdMutation[] } {
    const state = this.#at(collection);
    const { id, data } = this.#keyFor(spelling);
    const keys = expandStateKey(data);
    const mutations = changes.map(({ index, value, operation }) => {
      const indexBytes = Buffer.from(index);
      const plain = proto.SyncActionData.encode({ index: indexBytes, value, padding: new Uint8Array(), version: 2 });
      const sealed = sealValue(keys, id, operation, plain.finish());
      const indexMac = indexMacOf(keys, indexBytes);
      this.#note(state, { collection, operation, index, value, by: 0 }, indexMac, sealed.mac);
      return {
        operation: operation === 'set' ? SET : REMOVE,
        record: {
          index: { blob: spoilt(indexMac, spelling.spoil === 'index_mac') },
          value: { blob: spoilt(sealed.blob, spelling.spoil === 'value_mac') },
          keyId: { id },
        },
      };
    });
    state.version += 1;
    const snapshotMac = spoilt(
      snapshotMacOf(keys, state.hash, state.version, collection),
      spelling.spoil === 'snapshot_mac',
    );
    const macs = mutations.map(({ record }) => macIn(record.value.blob));
    const patchMac = patchMacOf(keys, snapshotMac, macs, state.version, collection);
    this.#changed();
    return { mutations, snapshotMac, patchMac: spoilt(patchMac, spelling.spoil === 'patch_mac'), keyId: { id } };
  }

  /** The server took bytes for a patch that nobody can read; all other devices are as far as it is. */
  skip(collection: string): void {
    this.#at(collection).version += 1;
    this.#changed();
  }

  /** A linked device has written a patch: it is read, or noted as a failure. */
  receive(collection: string, version: number, patch: proto.ISyncdPatch, by: number): void {
    const state = this.#at(collection);
    state.version = version;
    try {
      this.#apply(collection, state, patch, by);
    } catch (error) {
      this.record.failures.push(`${collection} v${version}: ${error instanceof Error ? error.message : String(error)}`);
    }
    this.#changed();
  }

  /** What it knows, the oldest first. */
  entries(): readonly StateEntry[] {
    return [...this.record.collections.values()].flatMap(({ entries }) => [...entries.values()]);
  }

  #apply(collection: string, state: PhoneCollection, patch: proto.ISyncdPatch, by: number): void {
    const { version } = state;
    const keys = this.#known(patch.keyId?.id);
    const mutations = patch.mutations ?? [];
    if (mutations.length === 0) throw new Error('empty');
    const macs = mutations.map(({ record }) => macIn(record?.value?.blob ?? EMPTY_HASH));
    const snapshotMac = Buffer.from(patch.snapshotMac ?? []);
    if (!patchMacOf(keys, snapshotMac, macs, version, collection).equals(patch.patchMac ?? EMPTY_HASH)) {
      throw new Error('patch_mac');
    }
    for (const { operation, record } of mutations) {
      const keyId = record?.keyId?.id ?? EMPTY_HASH;
      const own = this.#known(keyId);
      const what = operation === REMOVE ? 'remove' : 'set';
      const blob = record?.value?.blob ?? EMPTY_HASH;
      const { index, value } = proto.SyncActionData.decode(openValue(own, keyId, what, blob));
      const indexMac = indexMacOf(own, index ?? EMPTY_HASH);
      if (!indexMac.equals(record?.index?.blob ?? EMPTY_HASH)) throw new Error('index_mac');
      const text = Buffer.from(index ?? []).toString();
      this.#note(state, { collection, operation: what, index: text, value: value ?? {}, by }, indexMac, macIn(blob));
    }
    if (!snapshotMacOf(keys, state.hash, version, collection).equals(snapshotMac)) throw new Error('snapshot_mac');
  }

  #note(
    state: PhoneCollection,
    entry: Omit<StateEntry, 'index' | 'value'> & { readonly index: string; readonly value: proto.ISyncActionValue },
    indexMac: Buffer,
    valueMac: Buffer,
  ): void {
    const name = indexMac.toString('hex');
    const before = state.macs.get(name);
    const isSet = entry.operation === 'set';
    const gone = before === undefined ? [] : [Buffer.from(before, 'hex')];
    state.hash = hashAfter(state.hash, { gone, come: isSet ? [valueMac] : [] });
    if (isSet) state.macs.set(name, valueMac.toString('hex'));
    else state.macs.delete(name);
    state.entries.delete(name);
    state.entries.set(name, { ...entry, index: parsed(entry.index), value: toPlain(entry.value) });
  }

  #at(collection: string): PhoneCollection {
    const known = this.record.collections.get(collection);
    if (known !== undefined) return known;
    const made = { version: 0, hash: EMPTY_HASH, macs: new Map<string, string>(), entries: new Map() };
    this.record.collections.set(collection, made);
    return made;
  }

  #keyFor({ unsharedKey = false }: Spelling): StateKey {
    const known = this.record.keys.findLast(({ isShared }) => isShared !== unsharedKey);
    if (known !== undefined) return known;
    const made = { id: randomBytes(KEY_ID_BYTES), data: randomBytes(32), isShared: !unsharedKey };
    this.record.keys.push(made);
    return made;
  }

  #known(id: Uint8Array | null | undefined) {
    const key = this.record.keys.find((known) => Buffer.from(known.id).equals(id ?? EMPTY_HASH));
    if (key === undefined) throw new Error('unknown_key');
    return expandStateKey(key.data);
  }
}

function spoilt(bytes: Buffer, isSpoilt: boolean): Buffer {
  if (!isSpoilt) return bytes;
  const other = Buffer.from(bytes);
  other[other.length - 1] = (other.at(-1) ?? 0) ^ 1;
  return other;
}

function parsed(index: string): unknown {
  try {
    return JSON.parse(index);
  } catch {
    return index;
  }
}

/** A value as JSON has it: numbers and text. */
function toPlain(value: proto.ISyncActionValue): unknown {
  return proto.SyncActionValue.toObject(proto.SyncActionValue.fromObject(value), {
    longs: Number,
    bytes: String,
  });
}
