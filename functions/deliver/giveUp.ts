import { SendMessageCommand } from '@aws-sdk/client-sqs';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { deadQueueOf, toErrorAttributes, toReasonAttribute } from '../../shared/deadLetters/deadLetter.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { toEntry, type DeliveryQueue } from '../../shared/webhook/delivery.ts';
import { noteWaiting, type Wait } from '../../shared/webhook/waitingDeliveries.ts';
import type { DeliveryInHand } from './deliveryInHand.ts';

/**
 * Gives a delivery up after its last attempt: it goes to the dead letters with how its first and its last attempt failed, and its
 * row says so, for the day on which its receiver is back. Returns that its message may leave the queue. Throws when the dead
 * letters do not take it.
 *
 * - The process dies before the letter is sent, or the send fails: the message comes again, is tried once more and given up again.
 * - It dies after that: the same, and there are two letters, which a redrive posts under one `webhook-id`.
 */
export async function giveUp(
  dependencies: Pick<Surroundings, 'logger'> & DeliveryQueue & { readonly table: DynamoDBDocumentClient },
  { delivery, number, fields }: DeliveryInHand,
  wait: Wait,
): Promise<'leaves'> {
  const { queue, queueUrlBase, stage, logger } = dependencies;
  // Without its row the letter says less, and is there all the same.
  const { firstFailure, lastFailure } = await noteWaiting(dependencies, delivery, { ...wait, isGivenUp: true }).catch(
    (error: unknown) => {
      logger.warn('it could not be noted that a delivery is given up', { ...fields, error });
      return { firstFailure: delivery.firstFailure, lastFailure: wait.failure };
    },
  );
  // A redrive begins the schedule anew.
  const { attempts: _used, releases: _had, again: _given, firstFailure: _kept, ...letter } = delivery;
  await queue.send(
    new SendMessageCommand({
      ...toEntry(letter),
      QueueUrl: `${queueUrlBase}${deadQueueOf('deliveries', stage)}`,
      MessageAttributes: { ...toReasonAttribute('not_taken'), ...toErrorAttributes({ firstFailure, lastFailure }) },
    }),
  );
  logger.warn('delivery given up', { ...fields, attempts: number, ...toLogged(lastFailure) });
  return 'leaves';
}

function toLogged(failure: Wait['failure']) {
  return { httpStatus: failure?.httpStatus, reason: failure?.reason };
}
