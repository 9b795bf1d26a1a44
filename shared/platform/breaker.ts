import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleType, type CircuitBreakerPolicy } from 'cockatiel';
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

/** Carries an outcome through cockatiel, which counts this one as a failure. */
class Counted<Result> extends Error {
  readonly outcome: CallOutcome<Result>;

  constructor(outcome: CallOutcome<Result>) {
    super('counted');
    this.outcome = outcome;
  }
}

/** Carries an outcome past cockatiel's counters. */
class Uncounted<Result> extends Error {
  readonly outcome: CallOutcome<Result>;

  constructor(outcome: CallOutcome<Result>) {
    super('uncounted');
    this.outcome = outcome;
  }
}

/**
 * The time until cockatiel allows the next trial, in milliseconds: it is at hand as soon as the present one is over.
 */
const TRIAL_RUNS_MS = 1_000;

/**
 * A circuit breaker: cockatiel's counters and states, and three things that it leaves to us. Time is an argument and
 * monotonic: cockatiel compares wall clocks, and a clock that is set back would keep a breaker open for as long. One
 * trial runs at a time and calls that come meanwhile are refused; cockatiel lets them wait without a deadline. A
 * failure of a call that began before the last change proves nothing new.
 */
export class Breaker {
  readonly name: string;
  readonly #rule: BreakerRule;
  readonly #options: BreakerOptions;
  readonly #policy: CircuitBreakerPolicy;
  #openedAtMs = 0;
  #changes = 0;
  #trialRuns = false;

  constructor(name: string, rule: BreakerRule, options: BreakerOptions) {
    this.name = name;
    this.#rule = rule;
    this.#options = options;
    this.#policy = circuitBreaker(handleType(Counted), {
      // Cockatiel's own time is over by any wall clock, because this class decides when the breaker may be tried.
      halfOpenAfter: Number.NEGATIVE_INFINITY,
      halfOpenSampling: { calls: rule.successes, threshold: 0 },
      breaker: new ConsecutiveBreaker(rule.failures),
    });
    this.#policy.onStateChange((state) => {
      this.#changes += 1;
      if (state === CircuitState.Open) this.#openedAtMs = options.clock.monotonicMs();
      options.onChange?.(toState(state));
    });
  }

  get state(): BreakerState {
    return toState(this.#policy.state);
  }

  /** Milliseconds until a call may go through; 0 when it may now. */
  waitMs(): number {
    if (this.#trialRuns) return TRIAL_RUNS_MS;
    if (this.state !== 'open') return 0;
    return Math.max(0, this.#openedAtMs + this.#rule.openMs - this.#options.clock.monotonicMs());
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
    const isTrial = this.state !== 'closed';
    const changes = this.#changes;
    if (isTrial) this.#trialRuns = true;
    try {
      return unwrap(
        await this.#policy.execute(async () => {
          const outcome = await settle(call);
          const verdict = judge(outcome);
          if (isTrial) {
            // A trial that proved nothing does not count as a success.
            if (verdict !== 'answered') throw new Counted(outcome);
          } else if (verdict === 'nothing' || changes !== this.#changes) throw new Uncounted(outcome);
          else if (verdict === 'failed') throw new Counted(outcome);
          return outcome;
        }),
      );
    } catch (error) {
      if (error instanceof Counted || error instanceof Uncounted) return unwrap(error.outcome as CallOutcome<Result>);
      throw error;
    } finally {
      if (isTrial) this.#trialRuns = false;
    }
  }
}

async function settle<Result>(call: () => Promise<Result>): Promise<CallOutcome<Result>> {
  try {
    return { value: await call() };
  } catch (error) {
    return { error };
  }
}

function unwrap<Result>(outcome: CallOutcome<Result>): Result {
  if ('error' in outcome) throw outcome.error;
  return outcome.value;
}

function toState(state: CircuitState): BreakerState {
  if (state === CircuitState.Closed) return 'closed';
  return state === CircuitState.HalfOpen ? 'half_open' : 'open';
}
