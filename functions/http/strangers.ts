import { LRUCache } from 'lru-cache';
import { AppError } from '../../shared/kernel/appError.ts';

/** How many keys that are nobody's an address may try in a minute, in one process: each costs a read. */
const TRIES = 30;
const WINDOW_MS = 60_000;
const REMEMBERED_ADDRESSES = 10_000;

/**
 * The addresses that tried keys which are nobody's. One that has tried many costs no further read for a while, also with a key that this
 * process has not met yet: who guesses must not be told from who mistypes by the load that it makes.
 */
export class Strangers {
  readonly #tries = new LRUCache<string, { count: number; readonly untilMs: number }>({ max: REMEMBERED_ADDRESSES });

  /** Throws `too_many_requests` where an address has tried too many. */
  assertRoom(address: string | undefined, nowMs: number): void {
    const tries = address === undefined ? undefined : this.#tries.get(address);
    if (tries === undefined || tries.untilMs <= nowMs || tries.count < TRIES) return;
    const retryAfterSeconds = Math.ceil((tries.untilMs - nowMs) / 1_000);
    throw new AppError('too_many_requests', {
      detail: `This address has tried ${TRIES} API keys that are nobody's in a minute. Try again in ${retryAfterSeconds} s, with a key that you were given.`,
      retryAfterSeconds,
    });
  }

  /** Notes that an address tried a key that is nobody's. */
  note(address: string | undefined, nowMs: number): void {
    if (address === undefined) return;
    const tries = this.#tries.get(address);
    if (tries === undefined || tries.untilMs <= nowMs)
      this.#tries.set(address, { count: 1, untilMs: nowMs + WINDOW_MS });
    else tries.count += 1;
  }
}
