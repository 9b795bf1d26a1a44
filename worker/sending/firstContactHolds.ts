import type { Clock } from '../../shared/kernel/clock.ts';
import type { SentMessage } from '../../shared/message/message.ts';
import type { SendingSocket } from '../socket/port/connectionSocket.ts';
import type { Governor } from './governor.ts';

/** How long a message to a new person waits at most before it fails, in milliseconds. */
const WAITS_FOR_MOST_MS = 24 * 60 * 60 * 1_000;
/**
 * The number of such messages that wait at most, half of what may be parked: a list of strangers must leave room for messages
 * to those who write to the account.
 */
export const MOST_WAITING = 500;
/** How long a chat is held before it is judged again, in milliseconds: that person may have written meanwhile. */
const JUDGED_AGAIN_MS = 30_000;

export interface FirstContactHoldsDependencies {
  readonly governor: Pick<Governor, 'firstContactWaitMs'>;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/**
 * Whether a message that waits too long fails. One that was tried may have left, so nobody may be told that nothing was sent;
 * one of a bulk send has the time of its bulk send, and only a few of one are ever here.
 */
export function mayGiveUp({ attempts, bulkSendId }: Pick<SentMessage, 'attempts' | 'bulkSendId'>): boolean {
  return attempts === 0 && bulkSendId === undefined;
}

/** A message that may be the first one to a person. */
export interface JudgedMessage {
  readonly to: string;
  readonly chat: string;
  /** Since when it might have left, in milliseconds since 1970. */
  readonly sinceMs: number;
}

/** The chats with new people that wait, because the account may not write to such now. The parked messages bound them. */
export class FirstContactHolds {
  readonly #dependencies: FirstContactHoldsDependencies;
  readonly #held = new Set<string>();
  /** The number of waiting messages that the present look has met. */
  #met = 0;

  constructor(dependencies: FirstContactHoldsDependencies) {
    this.#dependencies = dependencies;
  }

  /** Whether a message may leave as far as this goes, or for how long its chat is held, or that it has waited for too long. */
  async judge(
    socket: Pick<SendingSocket, 'isFirstContact'>,
    { to, chat, sinceMs }: JudgedMessage,
  ): Promise<'go' | 'too_long' | { readonly waitMs: number }> {
    const { governor, clock } = this.#dependencies;
    const waitMs = governor.firstContactWaitMs();
    if (waitMs <= 0 || !(await socket.isFirstContact(to))) {
      this.#held.delete(chat);
      return 'go';
    }
    const isOld = clock.nowMs() - sinceMs > WAITS_FOR_MOST_MS;
    if (isOld || (this.#held.size >= MOST_WAITING && !this.#held.has(chat))) return 'too_long';
    return { waitMs: Math.min(waitMs, this.hold(chat)) };
  }

  get isAny(): boolean {
    return this.#held.size > 0;
  }

  /** Notes that a chat waits. Returns for how long it is held, in milliseconds. */
  hold(chat: string): number {
    this.#held.add(chat);
    return JUDGED_AGAIN_MS;
  }

  /** Begins a look at all parked messages, in their order. */
  beginLook(): void {
    this.#met = 0;
  }

  /** Counts a message that the look leaves parked. Returns whether it is one too many that waits for this. */
  isOneTooMany(chat: string): boolean {
    if (!this.#held.has(chat)) return false;
    this.#met += 1;
    return this.#met > MOST_WAITING;
  }

  /** Forgets chats in which nothing is parked any more. */
  retain(isParked: (chat: string) => boolean): void {
    for (const chat of this.#held) if (!isParked(chat)) this.#held.delete(chat);
  }

  /** Forgets all chats, and returns them: what held them is over. */
  takeAll(): readonly string[] {
    const held = [...this.#held];
    this.#held.clear();
    return held;
  }
}
