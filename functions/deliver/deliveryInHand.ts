import type { SQSRecord } from 'aws-lambda';
import type { LogFields, Logger } from '../../shared/platform/logger.ts';
import { slowDeliveryQueueName } from '../../shared/platform/queues.ts';
import {
  deliveryQueueUrl,
  deliverySchema,
  slowDeliveryQueueUrl,
  type Delivery,
  type DeliveryQueue,
} from '../../shared/webhook/delivery.ts';
import { parseBody } from '../runtime/recordBatch.ts';
import type { BatchPatience } from './batchPatience.ts';

/** A delivery that the function has in hand, and the record that brought it. */
export interface DeliveryInHand {
  readonly record: SQSRecord;
  readonly delivery: Delivery;
  /** How often the queue has given the message, this time included. */
  readonly receiveCount: number;
  /** The same with the attempts of earlier rounds: the number of an attempt that is made now. */
  readonly number: number;
  /** Whether it was given out before, also in another queue. */
  readonly isAgain: boolean;
  /** Whether it comes out of the queue of endpoints that take their time. */
  readonly isOfSlow: boolean;
  /** Whether its batch may wait longer than a second for a receiver. Never rejects. */
  readonly mayWait: () => Promise<boolean>;
  /** What each line of the log says of it. A logger of its own for each delivery would cost more than its one line. */
  readonly fields: LogFields;
}

/** The delivery of a record; undefined, after a line in the log, for one that is none. */
export function readRecord(
  { logger, stage }: { readonly logger: Logger; readonly stage: string },
  record: SQSRecord,
  patience: Pick<BatchPatience, 'mayWait'>,
): DeliveryInHand | undefined {
  const receiveCount = Number(record.attributes.ApproximateReceiveCount);
  const parsed = parseBody(deliverySchema, record);
  if ('wrongFields' in parsed) {
    logger.error('delivery is not valid', { attributes: parsed.wrongFields, receiveCount });
    return undefined;
  }
  const { tenantId, endpointId, eventId, correlationId, deliveryId, round, attempts = 0 } = parsed.body;
  const fields = { tenantId, endpointId, eventId, correlationId, deliveryId, round };
  const isAgain = receiveCount > 1 || parsed.body.again === true;
  const isOfSlow = isOfSlowQueue(stage, record);
  const mayWait = () => (isOfSlow ? Promise.resolve(true) : patience.mayWait());
  const number = receiveCount + attempts;
  return { record, delivery: parsed.body, receiveCount, number, isAgain, isOfSlow, mayWait, fields };
}

/** The URL of the queue that a record comes from. */
export function queueUrlOf(place: Omit<DeliveryQueue, 'queue'>, record: Pick<SQSRecord, 'eventSourceARN'>): string {
  return isOfSlowQueue(place.stage, record) ? slowDeliveryQueueUrl(place) : deliveryQueueUrl(place);
}

function isOfSlowQueue(stage: string, { eventSourceARN }: Pick<SQSRecord, 'eventSourceARN'>): boolean {
  return eventSourceARN.endsWith(`:${slowDeliveryQueueName(stage)}`);
}
