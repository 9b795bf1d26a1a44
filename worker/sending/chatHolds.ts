import { backoffMs } from '../../shared/kernel/backoff.ts';
import type { Clock } from '../../shared/kernel/clock.ts';
import type { Random } from '../../shared/kernel/random.ts';
import type { ParkReason } from '../../shared/message/messageWait.ts';

interface Hold {
  readonly untilMs: number;
  /** The number of tries in a row whose message may or may not have left. */
  readonly failures: number;
  readonly reason: ParkReason;
}

const RETRY = { firstMs: 1_000, capMs: 30_000 } as const;

/**
 * The chats that wait before their first parked message is tried again, each by itself. The number of such chats bounds
 * it.
 */
export class ChatHolds {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #random: Random;
  readonly #holds = new Map<string, Hold>();

  constructor(clock: Pick<Clock, 'monotonicMs'>, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  isHeld(chat: string): boolean {
    return (this.#holds.get(chat)?.untilMs ?? 0) > this.#clock.monotonicMs();
  }

  /** Why a chat was held last; undefined where it was not. */
  reasonOf(chat: string): ParkReason | undefined {
    return this.#holds.get(chat)?.reason;
  }

  /** Holds a chat for some milliseconds. */
  hold(chat: string, durationMs: number, reason: ParkReason): void {
    const failures = this.#holds.get(chat)?.failures ?? 0;
    this.#holds.set(chat, { untilMs: this.#clock.monotonicMs() + durationMs, failures, reason });
  }

  /** Holds a chat whose message got no answer, longer each time. */
  fail(chat: string): void {
    const failures = this.#holds.get(chat)?.failures ?? 0;
    const durationMs = backoffMs(RETRY, failures, this.#random.unit());
    const untilMs = this.#clock.monotonicMs() + durationMs;
    this.#holds.set(chat, { untilMs, failures: failures + 1, reason: 'no_answer' });
  }

  get isEmpty(): boolean {
    return this.#holds.size === 0;
  }

  release(chat: string): void {
    this.#holds.delete(chat);
  }

  /** Releases the chats that are held for a reason which is over. */
  releaseAllFor(reason: ParkReason): void {
    for (const [chat, hold] of this.#holds) if (hold.reason === reason) this.#holds.delete(chat);
  }

  /** Releases all chats after a new login. */
  releaseAll(): void {
    this.#holds.clear();
  }

  /** Forgets chats in which nothing is parked any more. */
  retain(isParked: (chat: string) => boolean): void {
    for (const chat of this.#holds.keys()) if (!isParked(chat)) this.#holds.delete(chat);
  }

  /** When the next chat may be tried, on the monotonic clock; undefined when none is held. */
  get earliestMs(): number | undefined {
    return this.#holds.size === 0 ? undefined : Math.min(...[...this.#holds.values()].map(({ untilMs }) => untilMs));
  }
}
