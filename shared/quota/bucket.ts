/**
 * A bucket of tokens in a row, of which processes take slices. The row holds one number, the time at which the bucket is full again: a token
 * puts it off by what it takes to refill. So a slice is taken by one write that adds to it, however many processes take some at once, and
 * nothing is written while time refills the bucket. The functions are pure.
 */
export interface Rate {
  /** How many there are in a full bucket. */
  readonly most: number;
  /** How long an empty one takes to be full again, in milliseconds. */
  readonly windowMs: number;
}

/** The time that one token takes to come back, in milliseconds. */
export function tokenMs({ most, windowMs }: Rate): number {
  return windowMs / most;
}

/** How many tokens are in the bucket. @param fullAtMs when it is full again; undefined for a row that is not there */
export function tokensIn(rate: Rate, fullAtMs: number | undefined, nowMs: number): number {
  const missingMs = Math.max(0, (fullAtMs ?? 0) - nowMs);
  return Math.max(0, rate.most - Math.ceil(missingMs / tokenMs(rate)));
}

/** When the bucket holds so many tokens, if nobody takes any. In milliseconds since 1970. */
export function holdsAtMs(rate: Rate, fullAtMs: number | undefined, tokens: number): number {
  return Math.ceil((fullAtMs ?? 0) - (rate.most - tokens) * tokenMs(rate));
}

/**
 * When a bucket of another size is full again, once as many tokens are missing in it as were missing before: who had used a hundred has used
 * a hundred, and what the new size has beyond them is there at once. Never later than a window from now.
 * @param wasMost how many there were in the full bucket before
 */
export function resized(rate: Rate, fullAtMs: number, wasMost: number, nowMs: number): number {
  const missing = Math.max(0, fullAtMs - nowMs) / tokenMs({ most: wasMost, windowMs: rate.windowMs });
  return nowMs + Math.min(rate.windowMs, Math.ceil(missing * tokenMs(rate)));
}

/**
 * The share of a full bucket that a process takes without a slice: it pays for them with its next one. So who asks now and then costs no
 * write. Twenty processes that never take a slice are 4 % beyond the bucket.
 */
const TRUSTED_SHARE = 1 / 500;
/** The least and the most of a bucket that is taken at once while more than half of it is there. */
const LEAST_SHARE = 1 / 100;
const MOST_SHARE = 1 / 20;
/** For how long a slice is meant, as a part of the window: short where tokens are scarce, so that nobody hoards them. */
const SCARCE_LIFE = 1 / 20;
const LONGEST_SCARCE_MS = 60_000;
const SHORTEST_LIFE_MS = 1_000;
/** For how long it is meant while more than half of the bucket is there: no longer than the time in which it refills. */
const LONGEST_LIFE_MS = 60_000;

/** How many tokens a process keeps that one request gives back; what is more goes back to the bucket at once. */
export function keptOf({ most }: Rate): number {
  return Math.max(1, Math.floor(most * LEAST_SHARE));
}

/** How many tokens a process takes before it pays for them. */
export function trustedOf({ most }: Rate): number {
  return Math.floor(most * TRUSTED_SHARE);
}

/**
 * How many tokens a process takes at once: what it is expected to use in half of the time for which a slice is meant.
 * @param perMs how many tokens the process used in a millisecond, lately
 * @param left how many the bucket had, as far as the process knows
 */
export function sliceOf(rate: Rate, perMs: number, left: number): number {
  const { most, windowMs } = rate;
  const isScarce = left < most / 2;
  const scarceMs = clamp(windowMs * SCARCE_LIFE, SHORTEST_LIFE_MS, LONGEST_SCARCE_MS);
  const lifeMs = isScarce ? scarceMs : clamp(windowMs, SHORTEST_LIFE_MS, LONGEST_LIFE_MS);
  const expected = Math.ceil((perMs * lifeMs) / 2);
  // What refills in that time bounds what all processes together can hold back.
  const refilled = Math.max(1, Math.floor(lifeMs / tokenMs(rate)));
  const share = (part: number): number => Math.max(1, Math.floor(most * part));
  const least = isScarce ? 1 : Math.min(share(LEAST_SHARE), refilled);
  // A bucket of a day refills little meanwhile: a burst of its use is no reason to hold much of it.
  const greatest = isScarce ? refilled : Math.min(share(MOST_SHARE), Math.max(share(LEAST_SHARE), refilled));
  return clamp(expected, Math.min(least, greatest), greatest);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
