import { LRUCache } from 'lru-cache';

/** A budget: so much at once, and so much again with each second. */
export interface BudgetRule {
  readonly burst: number;
  readonly perSecond: number;
}

/** The number of budgets that are kept. A full one is forgotten with the others that were used least recently. */
const MOST_KEPT = 2_000;

interface Budget {
  readonly left: number;
  readonly atMs: number;
}

/** One budget for each person or chat that may cost us something, such as the people who write to the account. */
export class Budgets {
  readonly #rule: BudgetRule;
  readonly #monotonicMs: () => number;
  /**
   * The budgets; made with the first of them, as most connections never need one, and an empty cache takes kilobytes.
   */
  #budgets: LRUCache<string, Budget> | undefined;

  constructor(rule: BudgetRule, monotonicMs: () => number) {
    this.#rule = rule;
    this.#monotonicMs = monotonicMs;
  }

  /** Takes a cost from a budget if it is there. A cost above the whole of it counts as the whole. */
  take(who: string, cost = 1): boolean {
    const left = this.#leftOf(who);
    const wanted = Math.min(cost, this.#rule.burst);
    if (left < wanted) return false;
    // The cache counts by size and not by number: a number would reserve room for all entries at once.
    this.#budgets ??= new LRUCache({ maxSize: MOST_KEPT, sizeCalculation: () => 1 });
    this.#budgets.set(who, { left: left - wanted, atMs: this.#monotonicMs() });
    return true;
  }

  /** The milliseconds after which a cost can be taken; 0 for now. */
  waitMs(who: string, cost = 1): number {
    const missing = Math.min(cost, this.#rule.burst) - this.#leftOf(who);
    return missing <= 0 ? 0 : Math.ceil((missing / this.#rule.perSecond) * 1_000);
  }

  #leftOf(who: string): number {
    const { burst, perSecond } = this.#rule;
    const budget = this.#budgets?.get(who);
    if (budget === undefined) return burst;
    return Math.min(burst, budget.left + ((this.#monotonicMs() - budget.atMs) / 1_000) * perSecond);
  }
}
