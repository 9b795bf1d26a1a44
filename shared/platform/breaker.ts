import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleType, type CircuitBreakerPolicy } from 'cockatiel';
import type { Clock } from '../kernel/clock.ts';

/**
 * What one call says about the dependency. `answered`: it works, also when the answer is a refusal. `failed`: it does not.
 * `nothing`: the call did not get as far, for example because this worker may not act.
 */
export type BreakerVerdict = 'answered' | 'failed' | 'nothing';

export type CallOutcome<Result> = { readonly value: Result } | { readonly error: unknown };

/** One row of the table of breakers: when to stop asking, when to try, when to trust again. */
export interface BreakerRule {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** How long nothing is asked before one trial. */
  readonly openMs: number;
  /** Successful trials in a row that close it. */
  readonly successes: number;
  /** Why these numbers. */
  readonly reason: string;
}

/** `open` lets nothing through; `half_open` lets one call through at a time. */
export type BreakerState = 'closed' | 'open' | 'half_open';

/** Not even asked: the dependency has failed too often just now. */
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
  /** Told once per change. */
  readonly onChange?: (state: BreakerState) => void;
  /** Told when a call is refused. */
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

/** Until a trial has an answer: the next one is at hand as soon as it is over. */
const TRIAL_RUNS_MS = 1_000;

/**
 * A circuit breaker: cockatiel's counters and states, and three things that it leaves to us. Time is an argument and
 * monotonic: cockatiel compares wall clocks, and one that is set back would keep a breaker open for as long. One trial
 * runs at a time and whoever comes meanwhile is refused; cockatiel lets them wait without a deadline. A failure of a call
 * that began before the last change says nothing new.
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
      // Always over, by any wall clock: when it is over is decided here.
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
   * Makes a call unless too many have failed. Returns and throws what the call does.
   * Throws {@link BreakerOpenError} without making it otherwise.
   * @param judge what an outcome says about the dependency
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
            // A trial that proved nothing is not one that succeeded.
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
