import { randomBytes, randomFillSync } from 'node:crypto';

/** Chance as an argument, so that a test can decide it. */
export interface Random {
  /** A number in [0, 1). */
  readonly unit: () => number;
  /** `size` unpredictable bytes. */
  readonly bytes: (size: number) => Uint8Array;
}

/**
 * Random numbers that are drawn many at a time: an id takes sixteen of them, and each call to the generator costs more
 * than a thousand bytes.
 */
const pool = new Uint32Array(256);
let taken = pool.length;

/** The machine's cryptographically strong generator. */
export const systemRandom: Random = {
  unit: () => {
    if (taken === pool.length) {
      randomFillSync(pool);
      taken = 0;
    }
    const drawn = pool[taken] ?? 0;
    // Bytes that were given out are not kept: they may have become a secret.
    pool[taken] = 0;
    taken += 1;
    return drawn / 2 ** 32;
  },
  bytes: (size) => randomBytes(size),
};
