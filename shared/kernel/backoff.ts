/** The first delay, which doubles, and the cap; both in milliseconds. */
export interface BackoffRule {
  readonly firstMs: number;
  readonly capMs: number;
}

/**
 * The delay before retry number `attempt` (0 is the first), doubled each time up to the cap, with full jitter over the
 * upper half, so that many clients that failed together do not come back together.
 * @param jitter a number in [0, 1); 0 gives half the delay, 1 all of it
 */
export function backoffMs(rule: BackoffRule, attempt: number, jitter: number): number {
  const ceilingMs = Math.min(rule.capMs, rule.firstMs * 2 ** Math.min(attempt, 30));
  return Math.round(ceilingMs / 2 + (ceilingMs / 2) * jitter);
}
