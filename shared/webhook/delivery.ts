import { SendMessageBatchCommand, type SendMessageBatchRequestEntry, type SQSClient } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import type { RecordedEvent } from '../event/recordOnce.ts';
import {
  makeDeliveryId,
  type CorrelationId,
  type DeliveryId,
  type EndpointId,
  type EventId,
  type TenantId,
} from '../kernel/id.ts';
import { toAsciiJson } from '../platform/asciiJson.ts';
import { deliveryQueueName } from '../platform/queues.ts';
import { wants, type Endpoint } from './endpoint.ts';

/** One event for one endpoint, until success or exhaustion: the body of a message in the deliveries queue. */
const brandedText = <Brand>() =>
  z
    .string()
    .min(1)
    .transform((text) => text as Brand);

export const deliverySchema = z.object({
  version: z.literal(1),
  tenantId: brandedText<TenantId>(),
  endpointId: brandedText<EndpointId>(),
  eventId: brandedText<EventId>(),
  correlationId: brandedText<CorrelationId>(),
  deliveryId: brandedText<DeliveryId>(),
  /** How often the delivery was put into the queue anew, because its wait ended early. The highest round counts. */
  round: z.number().int().min(0).optional(),
  /** The number of attempts in earlier rounds. */
  attempts: z.number().int().min(0).optional(),
});
export type Delivery = z.infer<typeof deliverySchema>;

export interface DeliveryQueue {
  readonly queue: SQSClient;
  readonly stage: string;
  readonly queueUrlBase: string;
}

/** The URL of the deliveries queue. */
export function deliveryQueueUrl({ stage, queueUrlBase }: Omit<DeliveryQueue, 'queue'>): string {
  return `${queueUrlBase}${deliveryQueueName(stage)}`;
}

/** The greatest number of messages that SQS accepts in one call. */
const BATCH_SIZE = 10;

/**
 * Enqueues one delivery for each event and each endpoint that wants it. Resolves when SQS has all of them. Throws when
 * it refused one; a repetition then enqueues some twice, which receivers recognise by the event id.
 */
export async function enqueueDeliveries(
  dependencies: DeliveryQueue,
  endpoints: readonly Endpoint[],
  events: readonly RecordedEvent[],
): Promise<number> {
  const deliveries = toDeliveries(endpoints, events);
  await sendDeliveries(dependencies, deliveries);
  return deliveries.length;
}

/** Puts deliveries into the queue. Resolves when SQS has all of them, and throws when it refused one. */
export async function sendDeliveries(dependencies: DeliveryQueue, deliveries: readonly Delivery[]): Promise<void> {
  const entries = deliveries.map(toEntry);
  for (let start = 0; start < entries.length; start += BATCH_SIZE) {
    const Entries = entries.slice(start, start + BATCH_SIZE).map((entry, index) => ({ ...entry, Id: String(index) }));
    const answer = await dependencies.queue.send(
      new SendMessageBatchCommand({ QueueUrl: deliveryQueueUrl(dependencies), Entries }),
    );
    const [refused] = answer.Failed ?? [];
    // The refusal is thrown under its own name, so that it can be judged.
    if (refused !== undefined) {
      const name = refused.Code ?? 'Error';
      throw Object.assign(new Error(`SQS refused a delivery: ${name}`), { name });
    }
  }
}

/** The deliveries of some events: for each event, one for each endpoint that wants its type. */
export function toDeliveries(endpoints: readonly Endpoint[], events: readonly RecordedEvent[]): readonly Delivery[] {
  return events.flatMap(({ eventId, type, correlationId }) =>
    endpoints
      .filter((endpoint) => wants(endpoint, type))
      .map(({ tenantId, endpointId }) => ({
        version: 1 as const,
        tenantId,
        endpointId,
        eventId,
        correlationId,
        deliveryId: makeDeliveryId(endpointId, eventId),
      })),
  );
}

function toEntry(delivery: Delivery): Omit<SendMessageBatchRequestEntry, 'Id'> {
  // A group in a standard queue is for fairness: a slow endpoint does not hold up the others.
  return { MessageBody: toAsciiJson(delivery), MessageGroupId: delivery.endpointId };
}
