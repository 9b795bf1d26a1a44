import type { RateState } from '../../shared/quota/rateLimiter.ts';

/**
 * The header fields of the IETF's draft about rates (draft-ietf-httpapi-ratelimit-headers-10): `RateLimit-Policy` names each quota with what
 * it allows in a window, `RateLimit` what is left of it. What this process does not know is left out.
 */
export function toRateHeaders(
  states: readonly RateState[],
  retryAfterSeconds?: number,
): Readonly<Record<string, string>> {
  if (states.length === 0) return {};
  const known = states.filter(({ left }) => left !== undefined);
  return {
    'ratelimit-policy': states
      .map(({ quota, most, windowSeconds }) => `"${quota}";q=${most};w=${windowSeconds}`)
      .join(', '),
    ...(known.length === 0 ? {} : { ratelimit: known.map((state) => itemOf(state, retryAfterSeconds)).join(', ') }),
  };
}

/** What is left, and the seconds after which more is there: those to wait, or those until one comes back. */
function itemOf({ quota, most, windowSeconds, left = 0 }: RateState, retryAfterSeconds: number | undefined): string {
  const seconds = retryAfterSeconds ?? Math.max(1, Math.ceil(((most - left) * windowSeconds) / most));
  return `"${quota}";r=${left};t=${seconds}`;
}
