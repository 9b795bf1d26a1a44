import { aesDecrypt, aesEncrypt, hkdf, hmacSign, LT_HASH_ANTI_TAMPERING, proto } from '@whiskeysockets/baileys';

/**
 * The seals of app state: what is made of a shared key, and the MACs of values, indexes, patches and whole collections.
 * Source of the forms: `chat-utils` of Baileys, whose cryptography is used.
 */
export interface StateKey {
  readonly id: Uint8Array;
  readonly indexKey: Buffer;
  readonly valueKey: Buffer;
  readonly valueMacKey: Buffer;
  readonly snapshotMacKey: Buffer;
  readonly patchMacKey: Buffer;
}

export type Operation = 'set' | 'remove';

const KEY_BYTES = 32;
/** The length of every MAC. */
export const MAC_BYTES = 32;
const HASH_BYTES = 128;
const COUNT_BYTES = 8;
const OPERATION_BYTES: Readonly<Record<Operation, number>> = { set: 1, remove: 2 };
const { SET, REMOVE } = proto.SyncdMutation.SyncdOperation;
const OPERATIONS = { set: SET, remove: REMOVE } as const;

/** The hash of a collection in which nothing is. */
export const EMPTY_HASH: Uint8Array = Buffer.alloc(HASH_BYTES);

export function operationOf(written: proto.ISyncdMutation['operation']): Operation {
  return written === REMOVE ? 'remove' : 'set';
}

export function toWrittenOperation(operation: Operation): proto.SyncdMutation.SyncdOperation {
  return OPERATIONS[operation];
}

/** Makes the keys of a shared key. */
export function expandKey(id: Uint8Array, keyData: Uint8Array): StateKey {
  const bytes = hkdf(keyData, 5 * KEY_BYTES, { info: 'WhatsApp Mutation Keys' });
  const part = (at: number): Buffer => Buffer.from(bytes.slice(at * KEY_BYTES, (at + 1) * KEY_BYTES));
  return {
    id,
    indexKey: part(0),
    valueKey: part(1),
    valueMacKey: part(2),
    snapshotMacKey: part(3),
    patchMacKey: part(4),
  };
}

/** Seals a value; its MAC stands at the end. */
export function sealValue(key: StateKey, operation: Operation, plain: Uint8Array): Buffer {
  const sealed = aesEncrypt(Buffer.from(plain), key.valueKey);
  return Buffer.concat([sealed, valueMacOf(key, operation, sealed)]);
}

/** Opens a value; undefined for one that is not authentic. */
export function openValue(key: StateKey, operation: Operation, blob: Uint8Array): Buffer | undefined {
  const sealed = Buffer.from(blob.subarray(0, -MAC_BYTES));
  if (!valueMacOf(key, operation, sealed).equals(macIn(blob))) return undefined;
  return aesDecrypt(sealed, key.valueKey);
}

/** The MAC at the end of a sealed value. */
export function macIn(blob: Uint8Array): Buffer {
  return Buffer.from(blob.subarray(-MAC_BYTES));
}

export function indexMacOf({ indexKey }: StateKey, index: Uint8Array): Buffer {
  return hmacSign(index, indexKey);
}

/** The MAC of a whole collection at a version. */
export function snapshotMacOf(
  { snapshotMacKey }: StateKey,
  { hash, version }: { readonly hash: Uint8Array; readonly version: number },
  collection: string,
): Buffer {
  return hmacSign(Buffer.concat([hash, toCount(version), Buffer.from(collection)]), snapshotMacKey);
}

export function patchMacOf(
  { patchMacKey }: StateKey,
  parts: {
    readonly snapshotMac: Uint8Array;
    readonly valueMacs: readonly Uint8Array[];
    readonly version: number;
  },
  collection: string,
): Buffer {
  const { snapshotMac, valueMacs, version } = parts;
  const whole = Buffer.concat([snapshotMac, ...valueMacs, toCount(version), Buffer.from(collection)]);
  return hmacSign(whole, patchMacKey);
}

/** The hash of a collection after values went and came. Their order does not count. */
export function hashAfter(hash: Uint8Array, gone: readonly Uint8Array[], come: readonly Uint8Array[]): Buffer {
  return Buffer.from(LT_HASH_ANTI_TAMPERING.subtractThenAdd(hash, [...gone], [...come]));
}

function valueMacOf({ id, valueMacKey }: StateKey, operation: Operation, sealed: Uint8Array): Buffer {
  const head = Buffer.concat([Buffer.from([OPERATION_BYTES[operation]]), id]);
  const whole = Buffer.concat([head, sealed, toCount(head.length)]);
  return hmacSign(whole, valueMacKey, 'sha512').subarray(0, MAC_BYTES);
}

function toCount(value: number): Buffer {
  const bytes = Buffer.alloc(COUNT_BYTES);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
