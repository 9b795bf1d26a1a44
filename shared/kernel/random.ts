import { randomBytes } from 'node:crypto';

/** Chance as an argument, so that a test can decide it. */
export interface Random {
  /** A number in [0, 1). */
  readonly unit: () => number;
  /** `size` unpredictable bytes. */
  readonly bytes: (size: number) => Uint8Array;
}

/** Cryptographically strong chance. */
export const systemRandom: Random = {
  unit: () => randomBytes(4).readUInt32BE() / 2 ** 32,
  bytes: (size) => randomBytes(size),
};
