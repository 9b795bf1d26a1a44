import crypto, { createSecretKey } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { types } from 'node:util';

const PATCHED = Symbol.for('holdfast.crypto.secretKeys');

/**
 * Makes HMACs and ciphers with a key of bytes cheap. Node 24 finds out that a key is neither a KeyObject nor a
 * CryptoKey by catching two errors, each with its stack: 10 to 25 µs for each call, and a received message makes a
 * dozen (libsignal's message keys, Noise's frames). A KeyObject, made from the same bytes in 2 µs, is recognised at
 * once; `npm run bench:signatures` measures both. Results are the same. It is done once for the whole process, as
 * neither Baileys nor libsignal has a hook for it.
 */
export function takeKeysAsObjects(): void {
  const patched = crypto as typeof crypto & { [PATCHED]?: true };
  if (patched[PATCHED]) return;
  patched[PATCHED] = true;
  const { createHmac, createCipheriv, createDecipheriv } = crypto;
  Object.assign(crypto, {
    createHmac: (algorithm: string, key: unknown, options: object) =>
      createHmac(algorithm, toKeyObject(key) as never, options),
    createCipheriv: (algorithm: string, key: unknown, iv: Uint8Array, options: object) =>
      createCipheriv(algorithm, toKeyObject(key) as never, iv, options),
    createDecipheriv: (algorithm: string, key: unknown, iv: Uint8Array, options: object) =>
      createDecipheriv(algorithm, toKeyObject(key) as never, iv, options),
  });
  // Modules that imported the functions by name see the new ones, too.
  syncBuiltinESMExports();
}

/** Turns bytes into a key; any other value, wrong keys included, stays as it is. */
function toKeyObject(key: unknown): unknown {
  return types.isUint8Array(key) ? createSecretKey(key) : key;
}
