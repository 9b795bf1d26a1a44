/**
 * The circuit breaker of one endpoint (docs/webhooks.md, "The breaker"). It is kept in the endpoint's record and not in
 * a process: functions come and go, and each has seen only some of the attempts. This file is pure;
 * `endpointBreakerStore.ts` writes what is decided here.
 *
 * | state     | record                 | a delivery                                         |
 * | --------- | ---------------------- | -------------------------------------------------- |
 * | closed    | no `openUntilMs`       | is posted                                          |
 * | open      | `openUntilMs` is ahead | waits, for as long as its schedule says or longer  |
 * | half open | `openUntilMs` is past  | one takes the trial and is posted; the others wait |
 */
export interface EndpointBreaker {
  /** The number of failed attempts in a row. */
  readonly failures: number;
  /** The time before which nothing is posted. A delivery that tries sets it anew, and so holds the trial. */
  readonly openUntilMs: number | undefined;
}

export const CLOSED: EndpointBreaker = { failures: 0, openUntilMs: undefined };

/**
 * The breaker opens after five failures in a row, for 5 s at first and twice as long with each failed trial; one
 * success closes it.
 */
export const endpointBreakerRule = { failures: 5, firstOpenMs: 5_000, longestOpenMs: 60_000 } as const;

/**
 * How long a trial is held, in milliseconds: as long as the function runs that makes it, so that the trial is over by
 * then. If that function died, the trial is free again.
 */
export const TRIAL_HELD_MS = 30_000;

export type EndpointBreakerState = 'closed' | 'open' | 'half_open';

/** The state of a breaker at a given time. */
export function stateOf({ openUntilMs }: EndpointBreaker, nowMs: number): EndpointBreakerState {
  if (openUntilMs === undefined) return 'closed';
  return openUntilMs > nowMs ? 'open' : 'half_open';
}

/** The permission of a delivery. A trial must be taken first: `seen` is the value that the record must still have. */
export type Admission =
  | { readonly admission: 'post' }
  | { readonly admission: 'trial'; readonly seen: number }
  | { readonly admission: 'wait'; readonly waitMs: number };

/** Judges whether a delivery may go, by the record as it was read. */
export function admit({ openUntilMs }: EndpointBreaker, nowMs: number): Admission {
  if (openUntilMs === undefined) return { admission: 'post' };
  return openUntilMs > nowMs
    ? { admission: 'wait', waitMs: openUntilMs - nowMs }
    : { admission: 'trial', seen: openUntilMs };
}

/**
 * The change to write after an attempt; undefined when nothing changes, as after each success while the breaker is
 * closed. `count` adds a failure, and opens the breaker for `openMs` if that was the last one allowed; `forget` ends a
 * row of failures.
 */
export type BreakerChange =
  | { readonly change: 'count'; readonly openMs: number }
  | { readonly change: 'forget' }
  | { readonly change: 'set'; readonly held: number; readonly to: EndpointBreaker };

export interface AttemptEnd {
  readonly succeeded: boolean;
  /** How long the receiver asked us to wait, in milliseconds; 0 when it did not. */
  readonly retryAfterMs: number;
  readonly nowMs: number;
  /** A number in [0, 1). */
  readonly jitter: number;
}

/**
 * Decides the change after an attempt.
 * @param held the trial that this attempt held: the value that `openUntilMs` was set to when it was taken; undefined
 * for none
 */
export function afterAttempt(
  breaker: EndpointBreaker,
  held: number | undefined,
  { succeeded, retryAfterMs, nowMs, jitter }: AttemptEnd,
): BreakerChange | undefined {
  if (succeeded) {
    if (held !== undefined) return { change: 'set', held, to: CLOSED };
    return breaker.failures > 0 ? { change: 'forget' } : undefined;
  }
  const failures = breaker.failures + 1;
  const openMs = Math.max(openDurationMs(failures, jitter), retryAfterMs);
  if (held === undefined) return { change: 'count', openMs };
  return { change: 'set', held, to: { failures, openUntilMs: nowMs + openMs } };
}

/**
 * How long the breaker opens, in milliseconds: an outage of seconds costs seconds, and during one that lasts the
 * receiver is tried once a minute.
 */
export function openDurationMs(failures: number, jitter: number): number {
  const { failures: first, firstOpenMs, longestOpenMs } = endpointBreakerRule;
  const doubled = firstOpenMs * 2 ** Math.min(10, Math.max(0, failures - first));
  return Math.round(Math.min(longestOpenMs, doubled) * (0.8 + 0.2 * jitter));
}

/**
 * After how long without a success an endpoint is disabled, in milliseconds, and after how many failures at least: where little
 * happens, two failures may be a week apart.
 */
export const failingRule = { afterMs: 5 * 24 * 3_600_000, failures: 10 } as const;

/**
 * Whether an endpoint is to be disabled, since it has taken nothing for so long.
 * @param failures the number of failed attempts in a row, the last one included
 */
export function hasFailedTooLong(
  { failingSinceMs, failures }: { readonly failingSinceMs?: number | undefined; readonly failures: number },
  nowMs: number,
): boolean {
  return (
    failingSinceMs !== undefined && nowMs - failingSinceMs >= failingRule.afterMs && failures >= failingRule.failures
  );
}
