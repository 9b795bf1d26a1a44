import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto';

/**
 * AES-256-GCM with the place of an item as additional data: bytes that are put at another key, or under another version
 * or epoch, do not open. An older item opens when it is put back whole, with the version and epoch that it had: nothing
 * outside the table knows which version is the newest. A person who may write the table can so take a session back, but
 * neither read nor forge one.
 */
const IV_BYTES = 12;
const TAG_BYTES = 16;

export interface ItemPlace {
  readonly pk: string;
  readonly sk: string;
  readonly version: number;
  readonly epoch: number;
}

export function seal(dataKey: KeyObject, place: ItemPlace, plaintext: Uint8Array): Uint8Array {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', dataKey, iv).setAAD(toBytes(place));
  const body = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), body]);
}

/** Opens sealed bytes. Throws when they were changed, or belong to another place or another key. */
export function unseal(dataKey: KeyObject, place: ItemPlace, sealed: Uint8Array): Uint8Array {
  const bytes = Buffer.from(sealed);
  const decipher = createDecipheriv('aes-256-gcm', dataKey, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(toBytes(place))
    .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
}

function toBytes({ pk, sk, version, epoch }: ItemPlace): Buffer {
  return Buffer.from(JSON.stringify([pk, sk, version, epoch]));
}
