import type { Clock } from '../kernel/clock.ts';

/**
 * The verdict of one call on the dependency. `answered`: it works, also when the answer is a refusal. `failed`: it does
 * not. `nothing`: the call did not get as far, for example because this worker may not act.
 */
export type BreakerVerdict = 'answered' | 'failed' | 'nothing';

export type CallOutcome<Result> = { readonly value: Result } | { readonly error: unknown };

/** One row of the table of breakers: when calls stop, when one is tried, when the dependency is trusted again. */
export interface BreakerRule {
  /** The number of failures in a row that open the breaker. */
  readonly failures: number;
  /** How long no call is made before one trial, in milliseconds. */
  readonly openMs: number;
  /** The number of successful trials in a row that close the breaker. */
  readonly successes: number;
  /** The reason for these numbers. */
  readonly reason: string;
}

/** `open` lets nothing through; `half_open` lets one call through at a time. */
export type BreakerState = 'closed' | 'open' | 'half_open';

/** A call was not made, because the dependency has failed too often just now. */
export class BreakerOpenError extends Error {
  override readonly name = 'BreakerOpenError';
  readonly dependency: string;
  readonly retryAfterMs: number;

  constructor(dependency: string, retryAfterMs: number) {
    super(`${dependency} has failed too often and is not asked for ${Math.ceil(retryAfterMs)} ms`);
    this.dependency = dependency;
    this.retryAfterMs = retryAfterMs;
  }
}

export interface BreakerOptions {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Called once for each change. */
  readonly onChange?: (state: BreakerState) => void;
  /** Called when a call is refused. */
  readonly onRefused?: () => void;
}

/** What each state knows: failures and successes in a row, or when it began, by the monotonic clock. */
type State =
  | { readonly name: 'closed'; readonly failures: number }
  | { readonly name: 'open'; readonly sinceMs: number }
  | { readonly name: 'half_open'; readonly successes: number };

/** The wait until the next trial while one is under way, in milliseconds: it may begin as soon as that one is over. */
const TRIAL_RUNS_MS = 1_000;

/**
 * A circuit breaker. Time is an argument and monotonic: a wall clock that is set back would keep a breaker open for as
 * long. One trial runs at a time, and calls that come meanwhile are refused, because they would wait for it without a
 * deadline. What a call shows that began before the last change proves nothing new.
 */
export class Breaker {
  readonly name: string;
  readonly #rule: BreakerRule;
  readonly #options: BreakerOptions;
  #inner: State = { name: 'closed', failures: 0 };
  /** The number of changes so far. */
  #changes = 0;
  #trialRuns = false;

  constructor(name: string, rule: BreakerRule, options: BreakerOptions) {
    this.name = name;
    this.#rule = rule;
    this.#options = options;
  }

  get state(): BreakerState {
    return this.#inner.name;
  }

  /** Milliseconds until a call may go through; 0 when it may now. */
  waitMs(): number {
    if (this.#trialRuns) return TRIAL_RUNS_MS;
    if (this.#inner.name !== 'open') return 0;
    return Math.max(0, this.#inner.sinceMs + this.#rule.openMs - this.#options.clock.monotonicMs());
  }

  /**
   * Makes a call unless too many have failed, and then returns or throws what the call does. Otherwise throws {@link
   * BreakerOpenError} without making it.
   * @param judge the verdict of an outcome on the dependency
   */
  async execute<Result>(
    call: () => Promise<Result>,
    judge: (outcome: CallOutcome<Result>) => BreakerVerdict,
  ): Promise<Result> {
    const waitMs = this.waitMs();
    if (waitMs > 0) {
      this.#options.onRefused?.();
      throw new BreakerOpenError(this.name, waitMs);
    }
    if (this.#inner.name === 'open') this.#become({ name: 'half_open', successes: 0 });
    const isTrial = this.#inner.name === 'half_open';
    const changes = this.#changes;
    this.#trialRuns = isTrial;
    const settle = (outcome: CallOutcome<Result>): void => {
      if (isTrial) this.#trialRuns = false;
      const verdict = judge(outcome);
      if (changes === this.#changes) this.#note(verdict);
    };
    let value: Result;
    try {
      value = await call();
    } catch (error) {
      settle({ error });
      throw error;
    }
    settle({ value });
    return value;
  }

  #note(verdict: BreakerVerdict): void {
    const inner = this.#inner;
    if (inner.name === 'half_open') {
      // A trial that proved nothing does not count as a success.
      if (verdict !== 'answered') this.#open();
      else if (inner.successes + 1 >= this.#rule.successes) this.#become({ name: 'closed', failures: 0 });
      else this.#inner = { ...inner, successes: inner.successes + 1 };
    } else if (inner.name === 'closed' && verdict !== 'nothing') {
      const failures = verdict === 'failed' ? inner.failures + 1 : 0;
      if (failures >= this.#rule.failures) this.#open();
      else if (failures !== inner.failures) this.#inner = { name: 'closed', failures };
    }
  }

  #open(): void {
    this.#become({ name: 'open', sinceMs: this.#options.clock.monotonicMs() });
  }

  #become(state: State): void {
    this.#inner = state;
    this.#changes += 1;
    this.#options.onChange?.(state.name);
  }
}
