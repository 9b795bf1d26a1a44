import { ChangeMessageVisibilityCommand } from '@aws-sdk/client-sqs';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { DELIVERY_ATTEMPTS, MOST_TURNS, retryDelaySeconds, type Failure } from '../../shared/webhook/attempt.ts';
import type { DeliveryQueue } from '../../shared/webhook/delivery.ts';
import { noteWaiting, putAside } from '../../shared/webhook/waitingDeliveries.ts';
import { queueUrlOf, type DeliveryInHand } from './deliveryInHand.ts';
import { giveUp } from './giveUp.ts';

/** The delivery waits for its next attempt. */
export interface Postponed {
  readonly atLeastMs: number;
  /** The longest wait, whatever the schedule of the delivery says; no such limit when left out. */
  readonly atMostMs?: number | undefined;
  /** Whether the receiver asked for the wait: then only the tenant may shorten it. */
  readonly asked?: boolean;
  /** It is not given up, however often it was tried: what stands for a chain. */
  readonly isKept?: boolean;
  /** Nothing was found out about the delivery: it comes again soon, and is not given up for that. */
  readonly isUntried?: boolean;
}

/**
 * The wait of a delivery of which nobody knows more. A receive without an attempt counts as well: by the schedule they
 * last for minutes, and by the visibility timeout alone for seconds.
 */
export const BY_SCHEDULE: Postponed = { atLeastMs: 0, isUntried: true };

export interface PostponeDependencies extends Pick<Surroundings, 'clock' | 'random' | 'logger'>, DeliveryQueue {
  readonly table: DynamoDBDocumentClient;
}

/** The shortest wait in seconds that is noted. */
const NOTED_FROM_SECONDS = 3;
/**
 * The longest wait in seconds that is left to the queue. Of all queues of AWS together one may hide 120,000 messages and
 * gives out none beyond that, so a receiver that is dead for a day must not hide its deliveries for a day.
 */
export const LONGEST_HIDDEN_SECONDS = 15 * 60;

/** How long a delivery waits for its next attempt, in seconds. @param number of the attempt, or of the turn, that has just ended; 1 is the first */
export function waitSeconds(number: number, { atLeastMs, atMostMs }: Postponed, jitter: number): number {
  const scheduled = retryDelaySeconds(Math.min(number, DELIVERY_ATTEMPTS - 1), jitter) ?? LONGEST_HIDDEN_SECONDS;
  const most = atMostMs === undefined ? scheduled : Math.min(scheduled, Math.ceil(atMostMs / 1_000));
  return Math.max(1, most, Math.ceil(atLeastMs / 1_000));
}

/**
 * Has a delivery wait for its next attempt: hidden in its queue, or put aside for longer; after the last attempt it is given
 * up. Returns whether its message may leave the queue. Throws when the queue does not hide it.
 */
export async function postpone(
  dependencies: PostponeDependencies,
  one: DeliveryInHand,
  how: Postponed,
  failure: Failure | undefined,
): Promise<'leaves' | 'stays'> {
  const { random, clock, logger } = dependencies;
  const { delivery, number, fields } = one;
  const { atLeastMs, asked = false, isUntried = false, isKept = false } = how;
  const nowMs = clock.nowMs();
  // An attempt that the success of another one has brought about has no place in the schedule.
  const place = number - (delivery.releases ?? 0);
  const isLast = place >= (failure === undefined ? MOST_TURNS : DELIVERY_ATTEMPTS);
  const wait = { attempts: number, notBeforeMs: asked ? nowMs + atLeastMs : 0, nowMs, failure };
  if (isLast && !isUntried && !isKept) return giveUp(dependencies, one, wait);
  const seconds = waitSeconds(place, how, random.unit());
  if (seconds > LONGEST_HIDDEN_SECONDS && !isUntried) {
    try {
      await putAside(dependencies, delivery, { ...wait, dueAtMs: nowMs + seconds * 1_000 });
      return 'leaves';
    } catch (error) {
      logger.warn('a delivery could not be put aside and is hidden for a while', { ...fields, error });
    }
  }
  await hide(dependencies, one, Math.min(seconds, LONGEST_HIDDEN_SECONDS));
  if (seconds < NOTED_FROM_SECONDS) return 'stays';
  await noteWaiting(dependencies, delivery, wait).catch((error: unknown) => {
    logger.warn('a wait could not be noted; the delivery comes at its own time', { ...fields, error });
  });
  return 'stays';
}

/** Hides the message of a delivery. Throws when the queue does not. */
export async function hide(
  dependencies: DeliveryQueue,
  { record }: Pick<DeliveryInHand, 'record'>,
  seconds: number,
): Promise<void> {
  await dependencies.queue.send(
    new ChangeMessageVisibilityCommand({
      QueueUrl: queueUrlOf(dependencies, record),
      ReceiptHandle: record.receiptHandle,
      VisibilityTimeout: seconds,
    }),
  );
}
