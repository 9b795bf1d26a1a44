import { ChangeMessageVisibilityCommand } from '@aws-sdk/client-sqs';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { retryDelaySeconds } from '../../shared/webhook/attempt.ts';
import { deliveryQueueUrl, type DeliveryQueue } from '../../shared/webhook/delivery.ts';
import { noteWaiting } from '../../shared/webhook/waitingDeliveries.ts';
import type { DeliveryInHand } from './deliveryInHand.ts';

/** The delivery stays in the queue, hidden until its next attempt. */
export interface Postponed {
  readonly atLeastMs: number;
  /** The longest wait, whatever the schedule of the delivery says; no such limit when left out. */
  readonly atMostMs?: number | undefined;
  /** Whether the receiver asked for the wait: then only the tenant may shorten it. */
  readonly asked?: boolean;
}

/**
 * The wait of a delivery of which nobody knows more. A receive without an attempt counts as well: by the schedule they
 * last for hours, and by the visibility timeout alone for minutes.
 */
export const BY_SCHEDULE: Postponed = { atLeastMs: 0 };

interface PostponeDependencies extends Pick<Surroundings, 'clock' | 'random' | 'logger'>, DeliveryQueue {
  readonly table: DynamoDBDocumentClient;
}

/** The shortest wait in seconds that is noted. */
const NOTED_FROM_SECONDS = 3;

/** Hides a delivery until its next attempt, and notes that it waits. Throws when the queue does not hide it. */
export async function postpone(
  dependencies: PostponeDependencies,
  { record, delivery, receiveCount, fields }: DeliveryInHand,
  { atLeastMs, atMostMs, asked = false }: Postponed,
): Promise<void> {
  const scheduled = retryDelaySeconds(receiveCount, dependencies.random.unit());
  const most = atMostMs === undefined ? scheduled : Math.min(scheduled, Math.ceil(atMostMs / 1_000));
  const seconds = Math.max(1, most, Math.ceil(atLeastMs / 1_000));
  await dependencies.queue.send(
    new ChangeMessageVisibilityCommand({
      QueueUrl: deliveryQueueUrl(dependencies),
      ReceiptHandle: record.receiptHandle,
      VisibilityTimeout: seconds,
    }),
  );
  if (seconds < NOTED_FROM_SECONDS) return;
  const nowMs = dependencies.clock.nowMs();
  const wait = {
    attempts: receiveCount + (delivery.attempts ?? 0),
    notBeforeMs: asked ? nowMs + atLeastMs : 0,
    nowMs,
  };
  await noteWaiting(dependencies, delivery, wait).catch((error: unknown) => {
    dependencies.logger.warn('a wait could not be noted; the delivery comes at its own time', { ...fields, error });
  });
}
