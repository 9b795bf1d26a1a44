import { generateKeyPair, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { remembered, type KeyPair } from '../../session/keyPairs.ts';

/** The pairs that are being made at once: some of the four threads of the process's pool stay for others. */
const AT_ONCE = 2;
/** The most pairs that are kept, or are to be made: about 25 pairings at once, and 4 MB. More are made when they are needed. */
const MOST = 20_480;

/**
 * Curve25519 key pairs that are made ahead, on the threads of the process's pool. A login that follows on a pairing takes 812 at
 * once: made one after the other on the event loop they would hold up every other connection of the process for 60 ms.
 * A pair is taken once. What was made and not taken, because its pairing failed, serves the next; at a death all is
 * gone, and nobody has seen any of it.
 */
export class KeyPairStock {
  readonly #ready: KeyPair[] = [];
  readonly #most: number;
  #toMake = 0;
  #making = 0;

  /** @param most the most pairs that it keeps, or is to make */
  constructor(most = MOST) {
    this.#most = most;
  }

  /** The pairs that can be taken at once. */
  get ready(): number {
    return this.#ready.length;
  }

  /** Begins to make pairs that will be taken soon. */
  order(count: number): void {
    const known = this.#ready.length + this.#making + this.#toMake;
    this.#toMake += Math.max(0, Math.min(count, this.#most - known));
    while (this.#making < AT_ONCE && this.#toMake > 0) this.#makeNext();
  }

  /** A pair that nobody has. It is made now where none is ready. */
  take(): KeyPair {
    const pair = this.#ready.pop();
    if (pair !== undefined) return pair;
    if (this.#toMake > 0) this.#toMake -= 1;
    return toPair(generateKeyPairSync('x25519').privateKey);
  }

  #makeNext(): void {
    this.#toMake -= 1;
    this.#making += 1;
    generateKeyPair('x25519', undefined, (error, _publicKey, privateKey) => {
      this.#making -= 1;
      // What could not be made ahead is made when it is needed, and fails there.
      if (error === null) this.#ready.push(toPair(privateKey));
      if (error === null && this.#toMake > 0) this.#makeNext();
    });
  }
}

/** The stock of this process. */
export const keyPairStock = new KeyPairStock();

/** Reads both halves as a JWK: the library's way, over DER, takes ten times as long. */
function toPair(privateKey: KeyObject): KeyPair {
  const { d = '', x = '' } = privateKey.export({ format: 'jwk' });
  return remembered({ private: Buffer.from(d, 'base64url'), public: Buffer.from(x, 'base64url') });
}
