import { createPublicKey, type KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';

const P = 2n ** 255n - 19n;
const ED25519_SPKI = Buffer.from('302a300506032b6570032100', 'hex');

/**
 * The number of keys that are kept. WhatsApp's authorities sign for every login; the keys of devices hardly come twice.
 */
const KEPT_KEYS = 64;
const kept = new LRUCache<string, KeyObject>({ max: KEPT_KEYS });

/**
 * The Ed25519 key that belongs to a Montgomery key and a sign: y = (u - 1) / (u + 1). The inversion takes as long as the
 * check of a signature, so keys that come again are kept.
 * @param sign the top bit of the signature, 0 or 0x80
 */
export function toEdwardsKey(montgomery: Uint8Array, sign: number): KeyObject {
  const name = `${Buffer.from(montgomery).toString('base64')}${sign}`;
  const known = kept.get(name);
  if (known !== undefined) return known;
  const u = littleEndian(montgomery) % P;
  const y = (((u - 1n + P) % P) * inverse((u + 1n) % P)) % P;
  const bytes = Buffer.from(y.toString(16).padStart(64, '0'), 'hex').reverse();
  bytes[31] = (bytes[31] ?? 0) | sign;
  const key = createPublicKey({ key: Buffer.concat([ED25519_SPKI, bytes]), format: 'der', type: 'spki' });
  kept.set(name, key);
  return key;
}

function littleEndian(bytes: Uint8Array): bigint {
  const reversed = Buffer.from(bytes).reverse();
  reversed[0] = (reversed[0] ?? 0) & 0x7f;
  return BigInt(`0x${reversed.toString('hex')}`);
}

function inverse(value: bigint): bigint {
  let [result, base, exponent] = [1n, value, P - 2n];
  while (exponent > 0n) {
    if (exponent & 1n) result = (result * base) % P;
    base = (base * base) % P;
    exponent >>= 1n;
  }
  return result;
}
