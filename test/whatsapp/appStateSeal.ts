import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/**
 * How an account's own devices seal the state that they share (app state): keys, MACs and the hash of a collection. It is
 * written with Node's own cryptography and uses nothing of Baileys, so that a fault of either side shows. The forms were
 * read in whatsmeow and Baileys, which agree; nobody has compared them with WhatsApp's own clients.
 */
export interface StateKeys {
  readonly index: Buffer;
  readonly cipher: Buffer;
  readonly valueMac: Buffer;
  readonly snapshotMac: Buffer;
  readonly patchMac: Buffer;
}

export type Operation = 'set' | 'remove';

const KEY_BYTES = 32;
const IV_BYTES = 16;
const MAC_BYTES = 32;
const HASH_BYTES = 128;
const NOTHING = Buffer.alloc(0);
const OPERATION_BYTES: Readonly<Record<Operation, number>> = { set: 1, remove: 2 };

export const EMPTY_HASH: Uint8Array = Buffer.alloc(HASH_BYTES);

/** The keys that are made of a shared key. */
export function expandStateKey(keyData: Uint8Array): StateKeys {
  const bytes = Buffer.from(hkdfSync('sha256', keyData, NOTHING, 'WhatsApp Mutation Keys', 5 * KEY_BYTES));
  const [index, cipher, valueMac, snapshotMac, patchMac] = [0, 1, 2, 3, 4].map((at) =>
    bytes.subarray(at * KEY_BYTES, (at + 1) * KEY_BYTES),
  ) as [Buffer, Buffer, Buffer, Buffer, Buffer];
  return { index, cipher, valueMac, snapshotMac, patchMac };
}

/** Seals a value. Returns the sealed bytes with their MAC at the end. */
export function sealValue(
  keys: StateKeys,
  keyId: Uint8Array,
  operation: Operation,
  plain: Uint8Array,
): { readonly blob: Buffer; readonly mac: Buffer } {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-cbc', keys.cipher, iv);
  const sealed = Buffer.concat([iv, cipher.update(plain), cipher.final()]);
  const mac = valueMacOf(keys, keyId, operation, sealed);
  return { blob: Buffer.concat([sealed, mac]), mac };
}

/** Opens a value. Throws one word when it is not authentic. */
export function openValue(keys: StateKeys, keyId: Uint8Array, operation: Operation, blob: Uint8Array): Buffer {
  const [sealed, mac] = [blob.subarray(0, -MAC_BYTES), macIn(blob)];
  if (!valueMacOf(keys, keyId, operation, sealed).equals(mac)) throw new Error('value_mac');
  const decipher = createDecipheriv('aes-256-cbc', keys.cipher, sealed.subarray(0, IV_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES)), decipher.final()]);
}

/** The MAC at the end of a sealed value. */
export function macIn(blob: Uint8Array): Buffer {
  return Buffer.from(blob.subarray(-MAC_BYTES));
}

export function indexMacOf(keys: StateKeys, index: Uint8Array): Buffer {
  return hmac(keys.index, [index]);
}

/** The MAC of a whole collection at a version. */
export function snapshotMacOf(keys: StateKeys, hash: Uint8Array, version: number, collection: string): Buffer {
  return hmac(keys.snapshotMac, [hash, bigEndian64(version), Buffer.from(collection)]);
}

export function patchMacOf(
  keys: StateKeys,
  snapshotMac: Uint8Array,
  valueMacs: readonly Uint8Array[],
  version: number,
  collection: string,
): Buffer {
  return hmac(keys.patchMac, [snapshotMac, ...valueMacs, bigEndian64(version), Buffer.from(collection)]);
}

/** The hash of a collection after values went and came: a sum of 64 numbers, so that the order does not count. */
export function hashAfter(
  before: Uint8Array,
  change: { readonly gone: readonly Uint8Array[]; readonly come: readonly Uint8Array[] },
): Buffer {
  const after = Buffer.from(before);
  const add = (mac: Uint8Array, sign: 1 | -1): void => {
    const part = Buffer.from(hkdfSync('sha256', mac, NOTHING, 'WhatsApp Patch Integrity', HASH_BYTES));
    for (let at = 0; at < HASH_BYTES; at += 2) {
      after.writeUInt16LE((after.readUInt16LE(at) + sign * part.readUInt16LE(at)) & 0xffff, at);
    }
  };
  for (const mac of change.gone) add(mac, -1);
  for (const mac of change.come) add(mac, 1);
  return after;
}

/** Seals a snapshot, or mutations too many for a stanza, as a blob that lies beside the server. */
export function sealBlob(content: Uint8Array) {
  const mediaKey = randomBytes(KEY_BYTES);
  const keys = Buffer.from(hkdfSync('sha256', mediaKey, NOTHING, 'WhatsApp App State Keys', 112));
  const [iv, cipherKey, macKey] = [keys.subarray(0, 16), keys.subarray(16, 48), keys.subarray(48, 80)];
  const cipher = createCipheriv('aes-256-cbc', cipherKey, iv);
  const sealed = Buffer.concat([cipher.update(content), cipher.final()]);
  const blob = Buffer.concat([sealed, hmac(macKey, [iv, sealed]).subarray(0, 10)]);
  const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
  return { blob, mediaKey, fileEncSha256: sha256(blob), fileSha256: sha256(content), fileSizeBytes: content.length };
}

function valueMacOf(keys: StateKeys, keyId: Uint8Array, operation: Operation, sealed: Uint8Array): Buffer {
  const head = Buffer.concat([Buffer.from([OPERATION_BYTES[operation]]), keyId]);
  const mac = createHmac('sha512', keys.valueMac).update(head).update(sealed).update(bigEndian64(head.length)).digest();
  return mac.subarray(0, MAC_BYTES);
}

function hmac(key: Uint8Array, parts: readonly Uint8Array[]): Buffer {
  const made = createHmac('sha256', key);
  for (const part of parts) made.update(part);
  return made.digest();
}

function bigEndian64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
