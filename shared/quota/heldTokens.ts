import { holdsAtMs, sliceOf, tokensIn, trustedOf, type Rate, type Slice } from './bucket.ts';
import type { Asked, Granted } from './bucketStore.ts';

/** What is to be done about a request that wants tokens. */
export type Take = { readonly outcome: 'taken' | 'ask' } | { readonly outcome: 'refused'; readonly untilMs: number };

/** How long a process does not ask again for as many as were refused, in milliseconds: within it all of them are refused without a call. */
const REST_MS = 500;
/** How long a process goes on without asking after the store gave no answer, in milliseconds. */
const TRUSTED_MS = 1_000;
/** The least time over which use is judged, in milliseconds: a burst of a moment says little. */
const LEAST_JUDGED_MS = 100;

/**
 * What one process holds of one bucket: a slice that may be used for a while, and what it took before it paid. No call is made here, and no
 * clock is read: times are in milliseconds since 1970, and are given.
 */
export class HeldTokens {
  readonly rate: Rate;
  #tokens = 0;
  #untilMs = 0;
  #owed = 0;
  #owedSinceMs = 0;
  #fullAtMs: number | undefined;
  #isKnown = false;
  #spent = 0;
  #spentSinceMs: number;
  #perMs = 0;
  #refused: { readonly tokens: number; readonly untilMs: number } | undefined;
  #trustedUntilMs = 0;

  constructor(rate: Rate, nowMs: number) {
    this.rate = rate;
    this.#spentSinceMs = nowMs;
  }

  /** How many there are as far as this process knows; undefined while it has not asked. */
  left(nowMs: number): number | undefined {
    if (!this.#isKnown) return undefined;
    // The bucket fills up meanwhile, and what is held here is no part of what it may hold.
    const left = tokensIn(this.rate, this.#fullAtMs, nowMs) + this.#held(nowMs) - this.#owed;
    return Math.min(this.rate.most, Math.max(0, left));
  }

  /** Takes tokens, or says why not. `ask`: a slice is to be asked for. */
  take(tokens: number, nowMs: number): Take {
    if (this.#held(nowMs) >= tokens) {
      this.#tokens -= tokens;
      return this.#taken(tokens);
    }
    const refused = this.#refused;
    if (refused !== undefined && refused.untilMs > nowMs && tokens >= refused.tokens) {
      return { outcome: 'refused', untilMs: refused.untilMs };
    }
    // What was owed for a whole window would have come back since.
    if (nowMs - this.#owedSinceMs >= this.rate.windowMs) this.#owed = 0;
    const trusted = nowMs < this.#trustedUntilMs ? this.rate.most : trustedOf(this.rate);
    if (this.#owed + tokens > trusted) return { outcome: 'ask' };
    if (this.#owed === 0) this.#owedSinceMs = nowMs;
    this.#owed += tokens;
    return this.#taken(tokens);
  }

  /** Gives back what a request took that another quota refused. */
  giveBack(tokens: number): void {
    this.#tokens += tokens;
    this.#spent -= tokens;
  }

  /**
   * What to ask the bucket for, with the slice that it makes.
   * @param waiting how many are waited for here
   * @param least the fewest of them that are of use
   */
  toAsk(waiting: number, least: number, nowMs: number): Asked & { readonly slice: Slice } {
    const elapsedMs = nowMs - this.#spentSinceMs;
    if (elapsedMs >= LEAST_JUDGED_MS) {
      this.#perMs = this.#spent / elapsedMs;
      this.#spent = 0;
      this.#spentSinceMs = nowMs;
    }
    const left = this.#isKnown ? tokensIn(this.rate, this.#fullAtMs, nowMs) : this.rate.most;
    const slice = sliceOf(this.rate, this.#perMs, left);
    const held = this.#held(nowMs);
    const wanted = this.#owed + Math.max(waiting - held, slice.tokens);
    return { wanted, least: this.#owed + Math.max(1, least - held), fullAtMs: this.#fullAtMs, slice };
  }

  /** Takes over what the bucket gave. @param least the fewest that were of use, without what was owed */
  answered({ tokens, fullAtMs }: Granted, { lifeMs }: Slice, least: number, nowMs: number): void {
    this.#fullAtMs = fullAtMs;
    this.#isKnown = true;
    const held = this.#held(nowMs);
    if (tokens === 0) {
      const comesAtMs = holdsAtMs(this.rate, fullAtMs, this.#owed + Math.max(1, least - held));
      this.#refused = {
        tokens: least,
        untilMs: Math.max(comesAtMs, nowMs + Math.min(REST_MS, this.rate.windowMs / 20)),
      };
      return;
    }
    this.#refused = undefined;
    this.#tokens = held + Math.max(0, tokens - this.#owed);
    this.#owed = Math.max(0, this.#owed - tokens);
    this.#untilMs = nowMs + lifeMs;
  }

  /** Goes on without asking for a moment, since the store gave no answer. What is taken meanwhile is owed. */
  trust(nowMs: number): void {
    this.#trustedUntilMs = nowMs + TRUSTED_MS;
  }

  /** How many of the slice are left, while it may be used. */
  #held(nowMs: number): number {
    return this.#untilMs > nowMs ? this.#tokens : 0;
  }

  #taken(tokens: number): Take {
    this.#spent += tokens;
    return { outcome: 'taken' };
  }
}
