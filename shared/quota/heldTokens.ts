import { holdsAtMs, keptOf, sliceOf, tokensIn, trustedOf, type Rate } from './bucket.ts';
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
 * What one process holds of one bucket: a slice that may be used for a window, and what it took before it paid. No call is made here, and no
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
      return { outcome: 'refused', untilMs: this.comesAtMs(tokens, nowMs) };
    }
    // What was owed for a whole window would have come back since.
    if (nowMs - this.#owedSinceMs >= this.rate.windowMs) this.#owed = 0;
    const trusted = nowMs < this.#trustedUntilMs ? this.rate.most : trustedOf(this.rate);
    if (this.#owed + tokens > trusted) return { outcome: 'ask' };
    if (this.#owed === 0) this.#owedSinceMs = nowMs;
    this.#owed += tokens;
    return this.#taken(tokens);
  }

  /** When so many are there for this process, if nobody takes any. */
  comesAtMs(tokens: number, nowMs: number): number {
    return holdsAtMs(this.rate, this.#fullAtMs, this.#neededFor(tokens, nowMs));
  }

  /**
   * Gives back what a request took that was refused then. Returns how many are to go back to the bucket, because they are more than
   * is kept here.
   */
  giveBack(tokens: number, nowMs: number): number {
    this.#spent = Math.max(0, this.#spent - tokens);
    const paid = Math.max(0, tokens - this.#owed);
    this.#owed -= tokens - paid;
    this.#refused = undefined;
    if (paid > keptOf(this.rate)) return paid;
    this.keep(paid, nowMs);
    return 0;
  }

  /** Takes over when the bucket is full again, after tokens went back to it. */
  learn(fullAtMs: number | undefined): void {
    this.#fullAtMs = fullAtMs;
    this.#isKnown = true;
  }

  /** Holds tokens again that could not go back to the bucket. */
  keep(tokens: number, nowMs: number): void {
    this.#tokens = this.#held(nowMs) + tokens;
    if (this.#untilMs <= nowMs) this.#untilMs = nowMs + this.rate.windowMs;
  }

  /**
   * What to ask the bucket for, with the slice that it makes. What is held counts towards it.
   * @param waiting how many are waited for here
   * @param least the fewest of them that are of use
   */
  toAsk(waiting: number, least: number, nowMs: number): Asked {
    const elapsedMs = nowMs - this.#spentSinceMs;
    if (elapsedMs >= LEAST_JUDGED_MS) {
      this.#perMs = this.#spent / elapsedMs;
      this.#spent = 0;
      this.#spentSinceMs = nowMs;
    }
    const left = this.#isKnown ? tokensIn(this.rate, this.#fullAtMs, nowMs) : this.rate.most;
    const slice = sliceOf(this.rate, this.#perMs, left);
    const wanted = this.#owed + Math.max(waiting, slice) - this.#held(nowMs);
    const needed = this.#neededFor(least, nowMs);
    return { wanted: Math.max(wanted, needed), least: needed, fullAtMs: this.#fullAtMs };
  }

  /** Takes over what the bucket gave. @param least the fewest that were of use, without what was owed */
  answered({ tokens, fullAtMs }: Granted, least: number, nowMs: number): void {
    this.#fullAtMs = fullAtMs;
    this.#isKnown = true;
    if (tokens === 0) {
      this.#refused = { tokens: least, untilMs: nowMs + Math.min(REST_MS, this.rate.windowMs / 20) };
      return;
    }
    this.#refused = undefined;
    const has = this.#held(nowMs) + tokens;
    // A request for all that there ever are gets them: what was owed beside is paid for later.
    const paid = Math.min(this.#owed, Math.max(0, has - least));
    this.#owed -= paid;
    this.#tokens = has - paid;
    this.#untilMs = nowMs + this.rate.windowMs;
  }

  /** Goes on without asking for a moment, since the store gave no answer. What is taken meanwhile is owed. */
  trust(nowMs: number): void {
    this.#trustedUntilMs = nowMs + TRUSTED_MS;
  }

  /** How many are held. After a whole window they would have come back to the bucket: then they are used no more. */
  #held(nowMs: number): number {
    return this.#untilMs > nowMs ? this.#tokens : 0;
  }

  /** How many the bucket has to give for so many: never more than there ever are. */
  #neededFor(tokens: number, nowMs: number): number {
    return Math.min(this.rate.most, Math.max(1, this.#owed + tokens - this.#held(nowMs)));
  }

  #taken(tokens: number): Take {
    this.#spent += tokens;
    return { outcome: 'taken' };
  }
}
