import type { DeliveryId, EndpointId, EventId } from '../kernel/id.ts';
import type { PostOutcome } from './postWebhook.ts';

/** One POST of a delivery, as it is kept under its endpoint for 30 days. */
export interface Attempt {
  readonly endpointId: EndpointId;
  readonly deliveryId: DeliveryId;
  readonly eventId: EventId;
  /** The number of the attempt; 1 is the first. */
  readonly number: number;
  readonly atMs: number;
  readonly result: AttemptResult;
  readonly httpStatus: number | undefined;
  /** The reason why there was no answer, as a code; undefined when there was one. */
  readonly reason: string | undefined;
  readonly durationMs: number;
}

/** `delivered` ends the delivery; `gone` ends all of the endpoint; `failed` is tried again. */
export type AttemptResult = 'delivered' | 'gone' | 'failed';

/**
 * The meaning of an answer: 2xx is success, 410 says that the receiver wants no more, and all else, redirects included,
 * is a failure.
 */
export function judgeOutcome(outcome: PostOutcome): AttemptResult {
  if (outcome.outcome !== 'answered') return 'failed';
  if (outcome.httpStatus >= 200 && outcome.httpStatus < 300) return 'delivered';
  return outcome.httpStatus === 410 ? 'gone' : 'failed';
}

/**
 * The delay after each failed attempt, in seconds; the last one repeats. With 14 attempts the last is about two hours
 * later.
 */
const RETRY_DELAY_SECONDS = [5, 30, 120, 300, 600, 900] as const;

/**
 * Seconds until the next attempt, spread by a quarter to both sides, so that deliveries that failed together do not
 * return together.
 * @param attempt the number of the attempt that failed; 1 is the first
 * @param jitter a number in [0, 1)
 */
export function retryDelaySeconds(attempt: number, jitter: number): number {
  const seconds = RETRY_DELAY_SECONDS[Math.min(attempt, RETRY_DELAY_SECONDS.length) - 1] ?? RETRY_DELAY_SECONDS[0];
  return Math.max(1, Math.round(seconds * (0.75 + 0.5 * jitter)));
}
