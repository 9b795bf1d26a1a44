import { createPrivateKey, createPublicKey } from 'node:crypto';

export interface KeyPair {
  readonly public: Uint8Array;
  readonly private: Uint8Array;
}

const X25519_PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const PUBLIC_KEY_BYTES = 32;

/**
 * The public halves of pairs that this process has made, by the private half, the object and not its bytes. A pairing
 * makes 812 pairs at once, and to find a public half anew takes longer than to make a pair.
 */
const made = new WeakMap<Uint8Array, Uint8Array>();

/** Remembers a pair for as long as its private half is used somewhere. Returns it. */
export function remembered<Pair extends KeyPair>(pair: Pair): Pair {
  made.set(pair.private, pair.public);
  return pair;
}

/** The public half of a Curve25519 key, of the private half's bytes. */
export function publicHalfOf(privateKey: Uint8Array): Uint8Array {
  return made.get(privateKey) ?? derived(privateKey);
}

function derived(privateKey: Uint8Array): Uint8Array {
  const key = createPrivateKey({ key: Buffer.concat([X25519_PKCS8, privateKey]), format: 'der', type: 'pkcs8' });
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-PUBLIC_KEY_BYTES);
}
