import type { Clock } from '../../shared/kernel/clock.ts';
import { Budgets } from '../socket/port/budgets.ts';

/** The fewest first contacts in a minute, so that a small budget of a day is not spread over it. */
const FEWEST_FIRST_CONTACTS = 5;
/** Minutes over which a day's budget of first contacts is spread at the fastest: four hours. */
const SPREAD_MINUTES = 240;

/** The rate of a budget by its size: so many at once, and so many again with each minute. Of the whole there is one. */
const WHOLE = '';

/**
 * The budgets of one connection in memory: of all messages, of each chat, and of first contacts in a minute. A restart fills
 * them, which costs at most a minute's worth; the budget of a day is on the record. A rate that is undefined has no end.
 */
export class SendBudgets {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #made = new Map<'all' | 'chats' | 'firstContacts', { readonly rate: number; readonly budgets: Budgets }>();
  /** When chats that have used up their budget may go on, on the monotonic clock. What was sent in a minute bounds it. */
  readonly #spent = new Map<string, number>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  waitMs(rate: number | undefined): number {
    return rate === undefined ? 0 : this.#of('all', rate).waitMs(WHOLE);
  }

  /** Takes a message if the budget has it. */
  take(rate: number | undefined): boolean {
    return rate === undefined || this.#of('all', rate).take(WHOLE);
  }

  get isAnyChatSpent(): boolean {
    const nowMs = this.#clock.monotonicMs();
    for (const [chat, untilMs] of this.#spent) if (untilMs <= nowMs) this.#spent.delete(chat);
    return this.#spent.size > 0;
  }

  chatWaitMs(chat: string, rate: number | undefined): number {
    if (rate === undefined || !this.#spent.has(chat)) return 0;
    return this.#of('chats', rate).waitMs(chat);
  }

  takeOfChat(chat: string, rate: number | undefined): void {
    if (rate === undefined) return;
    const budgets = this.#of('chats', rate);
    budgets.take(chat);
    const waitMs = budgets.waitMs(chat);
    if (waitMs > 0) this.#spent.set(chat, this.#clock.monotonicMs() + waitMs);
  }

  /** @param perDay the first contacts that are allowed in a day */
  firstContactWaitMs(perDay: number | undefined): number {
    return perDay === undefined ? 0 : this.#of('firstContacts', perMinute(perDay)).waitMs(WHOLE);
  }

  takeFirstContact(perDay: number | undefined): void {
    if (perDay !== undefined) this.#of('firstContacts', perMinute(perDay)).take(WHOLE);
  }

  /** Budgets of another rate, after a change of the settings, begin anew. */
  #of(name: 'all' | 'chats' | 'firstContacts', rate: number): Budgets {
    const made = this.#made.get(name);
    if (made?.rate === rate) return made.budgets;
    const budgets = new Budgets({ burst: rate, perSecond: rate / 60 }, this.#clock.monotonicMs);
    this.#made.set(name, { rate, budgets });
    return budgets;
  }
}

/** The first contacts that may leave in a minute. The function is pure. */
export function perMinute(perDay: number): number {
  return Math.max(FEWEST_FIRST_CONTACTS, Math.ceil(perDay / SPREAD_MINUTES));
}
