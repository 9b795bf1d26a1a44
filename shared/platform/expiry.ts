/** How long records are kept, in seconds. DynamoDB deletes up to two days late, so readers compare `ttl` themselves. */
const DAY_SECONDS = 86_400;

export const retentionSeconds = {
  idempotency: DAY_SECONDS,
  message: 90 * DAY_SECONDS,
  event: 30 * DAY_SECONDS,
  handledFact: 30 * DAY_SECONDS,
  attempt: 30 * DAY_SECONDS,
  // As long as their queue keeps them.
  waitingDelivery: 14 * DAY_SECONDS,
  transition: 90 * DAY_SECONDS,
  unqueued: DAY_SECONDS,
  /** What a message says that cannot be shown yet, sealed. */
  plaintext: 30 * DAY_SECONDS,
  /** A message as it left, sealed: so long it is repeated to who asks for it. */
  sentMessage: 30 * DAY_SECONDS,
} as const satisfies Record<string, number>;

/** Value of the `ttl` attribute of a record that is written now. */
export function expiryOf(kind: keyof typeof retentionSeconds, nowMs: number): number {
  return Math.floor(nowMs / 1_000) + retentionSeconds[kind];
}

/** Whether a record has expired although DynamoDB has not deleted it yet. */
export function isExpired(item: { readonly ttl?: unknown }, nowMs: number): boolean {
  return typeof item.ttl === 'number' && item.ttl * 1_000 <= nowMs;
}
