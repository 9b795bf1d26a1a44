import { sendEntries } from '../../shared/platform/sendEntries.ts';
import { slowDeliveryQueueUrl, toEntry, type DeliveryQueue } from '../../shared/webhook/delivery.ts';
import type { DeliveryInHand } from './deliveryInHand.ts';

/**
 * Puts a delivery into the queue of slow endpoints, where its attempt is made (`slowEndpoint.ts`). It has the number of its next attempt with
 * it, and whether it was given out before. Returns that its message may leave this queue. Throws when that one does not take it.
 *
 * - The process dies after the send: the delivery is in both queues, and may be posted twice under one `webhook-id`.
 * - The endpoint is well again when it comes up there: it is posted from there.
 */
export async function passToSlow(
  dependencies: DeliveryQueue,
  { delivery, receiveCount, number }: DeliveryInHand,
): Promise<{ readonly end: 'done' }> {
  const passed = {
    ...delivery,
    ...(number > 1 ? { attempts: number - 1 } : {}),
    ...(receiveCount > 1 ? { again: true } : {}),
  };
  await sendEntries(dependencies.queue, slowDeliveryQueueUrl(dependencies), [toEntry(passed)]);
  return { end: 'done' };
}
