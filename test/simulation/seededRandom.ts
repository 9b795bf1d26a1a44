import type { Random } from '../../shared/kernel/random.ts';

/** Chance that repeats itself for the same seed, with what a simulated world asks of it. */
export interface SeededRandom extends Random {
  /** A number between two others. */
  readonly between: (low: number, high: number) => number;
  readonly integer: (low: number, high: number) => number;
  readonly chance: (share: number) => boolean;
  /** One of some things. Throws when there are none. */
  readonly pick: <Thing>(things: readonly Thing[]) => Thing;
  /** Chance of its own for a part of the world, so that more calls in one part do not change the others. */
  readonly fork: () => SeededRandom;
}

/** mulberry32 (public domain, Tommy Ettinger): 32 bits of state, good enough to look for orders of events. */
export function makeSeededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const unit = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (low: number, high: number): number => low + (high - low) * unit();
  const integer = (low: number, high: number): number => Math.floor(between(low, high + 1));
  return {
    unit,
    bytes: (size) => Uint8Array.from({ length: size }, () => integer(0, 255)),
    between,
    integer,
    chance: (share) => unit() < share,
    pick: (things) => {
      const thing = things[integer(0, things.length - 1)];
      if (thing === undefined) throw new Error('there is nothing to pick from');
      return thing;
    },
    fork: () => makeSeededRandom(integer(0, 2 ** 32 - 1)),
  };
}
