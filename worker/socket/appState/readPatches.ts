import { proto } from '@whiskeysockets/baileys';
import { emptyCollection, type CollectionState } from './collectionState.ts';
import {
  hashAfter,
  indexMacOf,
  macIn,
  openValue,
  operationOf,
  patchMacOf,
  snapshotMacOf,
  type Operation,
  type StateKey,
} from './patchSeals.ts';

/**
 * Reads patches and snapshots, strictly: every MAC has to fit, and in the end the hash over the whole collection. Baileys
 * passes over what does not fit and keeps the wrong hash; what it writes on top of that is refused by the account's other
 * devices. Here a collection that does not fit is `damaged`, and is fetched as a whole, or left as it was.
 *
 * What fits was sealed by a device of the account itself; what is in it may be anything all the same, and one change that
 * cannot be read is passed over while the hash goes on.
 */
export interface Mutation {
  readonly operation: Operation;
  /** The kind of change and what it is about; undefined where that cannot be read. */
  readonly index: readonly string[] | undefined;
  readonly value: proto.ISyncActionValue | undefined;
  readonly indexMac: string;
  readonly valueMac: Uint8Array;
  /** The id of the key with which it is sealed. */
  readonly keyId: Uint8Array;
}

export type Read =
  | { readonly read: 'fits'; readonly state: CollectionState; readonly mutations: readonly Mutation[] }
  /** The id of the first key that is not here, in base64. */
  | { readonly read: 'key_missing'; readonly keyId: string }
  | { readonly read: 'damaged' };

export interface Reading {
  readonly collection: string;
  /** Finds a key by its id in base64. */
  readonly keyOf: (id: string) => StateKey | undefined;
  /** Resolves when it is this connection's turn again: opening a large collection must not hold up the others. */
  readonly takeTurn: () => Promise<void>;
}

/** How many records are opened in one turn, at about 80 µs each. The hash over them takes 5 µs each, at the end. */
const RECORDS_IN_TURN = 100;

class Missing extends Error {
  readonly keyId: string;

  constructor(keyId: string) {
    super('a key is missing');
    this.keyId = keyId;
  }
}
class Damaged extends Error {}

/** Reads a patch on top of a state. Its mutations are those that lie in it, and in its blob. */
export function readPatch(reading: Reading, state: CollectionState, patch: proto.ISyncdPatch): Promise<Read> {
  return judged(async () => {
    const { collection } = reading;
    const version = versionOf(patch.version);
    if (version !== state.version + 1) throw new Damaged('a version is missing');
    const key = known(reading, patch.keyId?.id);
    const mutations = patch.mutations ?? [];
    const valueMacs = mutations.map(({ record }) => macIn(present(record?.value?.blob)));
    const snapshotMac = present(patch.snapshotMac);
    const mac = patchMacOf(key, { snapshotMac, valueMacs, version }, collection);
    if (!mac.equals(present(patch.patchMac))) throw new Damaged('the MAC of a patch');
    const opened = await openAll(
      reading,
      mutations.map(({ operation, record }) => ({ operation: operationOf(operation), record })),
    );
    const after = applied(state, version, opened);
    if (!snapshotMacOf(key, after, collection).equals(snapshotMac)) throw new Damaged('the hash');
    return { read: 'fits', state: after, mutations: opened };
  });
}

/** Reads a whole collection. */
export function readSnapshot(reading: Reading, snapshot: proto.ISyncdSnapshot): Promise<Read> {
  return judged(async () => {
    const version = versionOf(snapshot.version);
    const key = known(reading, snapshot.keyId?.id);
    const opened = await openAll(
      reading,
      (snapshot.records ?? []).map((record) => ({ operation: 'set', record })),
    );
    const state = applied(emptyCollection, version, opened);
    if (!snapshotMacOf(key, state, reading.collection).equals(present(snapshot.mac))) throw new Damaged('the hash');
    return { read: 'fits', state, mutations: opened };
  });
}

/** The ids of the keys, in base64, that a patch or a snapshot needs. */
export function keyIdsOf({
  keyId,
  records,
}: {
  readonly keyId: proto.ISyncdPatch['keyId'];
  readonly records: readonly (proto.ISyncdRecord | null | undefined)[];
}): ReadonlySet<string> {
  return new Set(
    [keyId, ...records.map((record) => record?.keyId)].flatMap((key) => (key?.id ? [toName(key.id)] : [])),
  );
}

async function judged(read: () => Promise<Read>): Promise<Read> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Missing) return { read: 'key_missing', keyId: error.keyId };
    if (error instanceof Damaged) return { read: 'damaged' };
    throw error;
  }
}

type Written = { readonly operation: Operation; readonly record: proto.ISyncdRecord | null | undefined };

async function openAll(reading: Reading, written: readonly Written[]): Promise<readonly Mutation[]> {
  const opened: Mutation[] = [];
  for (const [at, one] of written.entries()) {
    if (at > 0 && at % RECORDS_IN_TURN === 0) await reading.takeTurn();
    opened.push(open(reading, one));
  }
  return opened;
}

function open(reading: Reading, { operation, record }: Written): Mutation {
  const key = known(reading, record?.keyId?.id);
  const blob = present(record?.value?.blob);
  const plain = openedValue(key, operation, blob);
  const { index, value } = decoded(plain);
  const indexMac = Buffer.from(present(record?.index?.blob));
  if (!indexMacOf(key, index).equals(indexMac)) throw new Damaged('the MAC of an index');
  return {
    operation,
    index: toIndex(index),
    value,
    indexMac: indexMac.toString('latin1'),
    valueMac: macIn(blob),
    keyId: key.id,
  };
}

function openedValue(key: StateKey, operation: Operation, blob: Uint8Array): Uint8Array {
  try {
    const plain = openValue(key, operation, blob);
    if (plain !== undefined) return plain;
  } catch {
    // The MAC fits and the padding does not: a device sealed it wrongly.
  }
  throw new Damaged('the MAC of a value');
}

function decoded(plain: Uint8Array): {
  readonly index: Uint8Array;
  readonly value: proto.ISyncActionValue | undefined;
} {
  try {
    const { index, value } = proto.SyncActionData.decode(plain);
    return { index: present(index), value: value ?? undefined };
  } catch {
    throw new Damaged('a value is no message');
  }
}

/** An index is a list of texts as JSON; a device may have written anything else. */
function toIndex(bytes: Uint8Array): readonly string[] | undefined {
  try {
    const index: unknown = JSON.parse(Buffer.from(bytes).toString());
    return Array.isArray(index) && index.every((part) => typeof part === 'string') ? index : undefined;
  } catch {
    return undefined;
  }
}

/** A state after changes. Removing what is not there is passed over, as WhatsApp's own client does: the hash decides. */
export function applied(
  state: CollectionState,
  version: number,
  mutations: readonly Pick<Mutation, 'operation' | 'indexMac' | 'valueMac'>[],
): CollectionState {
  const macs = new Map(state.macs);
  const [gone, come]: [Uint8Array[], Uint8Array[]] = [[], []];
  for (const { operation, indexMac, valueMac } of mutations) {
    const before = macs.get(indexMac);
    if (before !== undefined) gone.push(before);
    if (operation === 'remove') {
      macs.delete(indexMac);
      continue;
    }
    come.push(valueMac);
    macs.set(indexMac, valueMac);
  }
  return { version, hash: hashAfter(state.hash, gone, come), macs };
}

function known({ keyOf }: Reading, id: Uint8Array | null | undefined): StateKey {
  const name = toName(present(id));
  const key = keyOf(name);
  if (key === undefined) throw new Missing(name);
  return key;
}

export function toName(keyId: Uint8Array): string {
  return Buffer.from(keyId).toString('base64');
}

function present(bytes: Uint8Array | null | undefined): Uint8Array {
  if (bytes === null || bytes === undefined || bytes.length === 0) throw new Damaged('a part is missing');
  return bytes;
}

export function versionOf(version: proto.ISyncdVersion | null | undefined): number {
  const number = Number(version?.version ?? 0);
  if (!Number.isSafeInteger(number) || number < 0) throw new Damaged('a version is no number');
  return number;
}
