import { z } from 'zod';
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
  /** How many events it posted, of a batch; `eventId` is then the first. */
  readonly events?: number | undefined;
  /** The beginning of the body of an answer that did not take the event, where that is a text. */
  readonly answer?: string | undefined;
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

/** How an attempt failed, as it is kept while its delivery waits and with its dead letter. */
export const failureSchema = z.object({
  atMs: z.number().int(),
  httpStatus: z.number().int().optional(),
  reason: z.string().max(128).optional(),
});
export type Failure = z.infer<typeof failureSchema>;

/** The failure that an attempt was; undefined for one that was none. */
export function failureOf(attempt: Attempt | undefined): Failure | undefined {
  if (attempt?.result !== 'failed') return undefined;
  const { atMs, httpStatus, reason } = attempt;
  return {
    atMs,
    ...(httpStatus === undefined ? {} : { httpStatus }),
    ...(reason === undefined ? {} : { reason: reason.slice(0, 128) }),
  };
}

const [MINUTE, HOUR] = [60, 3_600];

/**
 * The delay after each failed attempt, in seconds; after the last one the delivery is given up. The first five bring a
 * receiver through a restart. The others bring it through a night and a day: they come to more than 24 hours also where
 * chance makes each as short as it can be, and where the first eight attempts were spent as a scout of the breaker.
 */
const RETRY_DELAY_SECONDS = [
  5,
  30,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  4 * HOUR,
  8 * HOUR,
  8 * HOUR,
  8 * HOUR,
  8 * HOUR,
] as const;

/** The number of attempts of a delivery. */
export const DELIVERY_ATTEMPTS = RETRY_DELAY_SECONDS.length + 1;

/**
 * How often a delivery comes up at most. One that comes up while its breaker lets another one try is not given up for that: it waits
 * once more as long as after the last attempt but one, so that none is given up untried; this bounds it.
 */
export const MOST_TURNS = 2 * DELIVERY_ATTEMPTS;

/**
 * How many times a delivery may be the scout of a breaker, counted with all of its attempts. Then its own schedule holds,
 * so that a long outage does not use it up.
 */
export const MOST_SCOUTS = 8;

/**
 * How often the success of another delivery sends out one that waits. A receiver that is back takes it then; one that takes
 * others and not this one would use up its attempts in minutes, so that from then on it keeps its own schedule.
 */
export const MOST_RELEASES = 3;

/**
 * Seconds until the next attempt, spread by a quarter to both sides, so that deliveries that failed together do not
 * return together; undefined after the last one.
 * @param attempt the number of the attempt that failed; 1 is the first
 * @param jitter a number in [0, 1)
 */
export function retryDelaySeconds(attempt: number, jitter: number): number | undefined {
  const seconds = RETRY_DELAY_SECONDS[attempt - 1];
  return seconds === undefined ? undefined : Math.max(1, Math.round(seconds * (0.75 + 0.5 * jitter)));
}
