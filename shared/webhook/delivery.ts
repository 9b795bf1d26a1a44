import type { SQSClient } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import type { EventType, TenantEvent } from '../event/event.ts';
import { chatAddressOf } from '../event/eventFilter.ts';
import {
  makeDeliveryId,
  type ConnectionId,
  type CorrelationId,
  type DeliveryId,
  type EndpointId,
  type EventId,
  type TenantId,
} from '../kernel/id.ts';
import { escapedLength, toAsciiJson } from '../platform/asciiJson.ts';
import { deliveryQueueName, slowDeliveryQueueName } from '../platform/queues.ts';
import { sendEntries, type QueueEntry } from '../platform/sendEntries.ts';
import { failureSchema } from './attempt.ts';
import { wants, type Endpoint } from './endpoint.ts';
import { BATCH_EVENTS, batchBody, batchDeliveryIdOf, batchIdOf, cutIntoBatches } from './eventBatch.ts';

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
  /** How often it was sent anew before its time because another one was taken; such an attempt is none of its schedule. */
  releases: z.number().int().min(0).optional(),
  /** How its first attempt failed, in an earlier round. */
  firstFailure: failureSchema.optional(),
  /** It was given out before, in the queue from which it was passed on. */
  again: z.boolean().optional(),
  /** The events of a batch in their order; `eventId` is the first. Left out where one event goes alone. */
  eventIds: z.array(brandedText<EventId>()).min(1).max(BATCH_EVENTS).optional(),
  /** The connection whose chain the delivery stands for, of a webhook in strict order; `eventId` is one of its events. */
  chain: brandedText<ConnectionId>().optional(),
  /** The event to which that chain goes back. */
  backTo: brandedText<EventId>().optional(),
  /** The body: the event as the log has it, in the same bytes, or the batch; left out where it is to be read from the log. */
  event: z.string().min(1).optional(),
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

/** The URL of the queue of deliveries to endpoints that take their time. */
export function slowDeliveryQueueUrl({ stage, queueUrlBase }: Omit<DeliveryQueue, 'queue'>): string {
  return `${queueUrlBase}${slowDeliveryQueueName(stage)}`;
}

/**
 * The greatest length of an event that its delivery carries, in bytes as the queue has them. SQS bills by 64 KB: below
 * this a delivery is one unit wherever it goes. A longer event is read from the log when it is posted.
 */
export const CARRIED_EVENT_BYTES = 48 * 1_024;

/** What a batch has around its events, and a margin. */
const BATCH_OVERHEAD_BYTES = 64;

/** An event that is to be delivered, with its text if the caller has it. */
export interface DeliverableEvent {
  readonly eventId: EventId;
  readonly type: EventType;
  readonly correlationId: CorrelationId;
  /** The event as the log has it. Without it no endpoint wants the event that wants only some connections or chats. */
  readonly text?: string | undefined;
}

/**
 * Enqueues one delivery for each event and each endpoint that wants it. Resolves when SQS has all of them. Throws when
 * it refused one; a repetition then enqueues some twice, which receivers recognise by the event id.
 */
export async function enqueueDeliveries(
  dependencies: DeliveryQueue,
  endpoints: readonly Endpoint[],
  events: readonly DeliverableEvent[],
): Promise<number> {
  const deliveries = toDeliveries(endpoints, events);
  await sendDeliveries(dependencies, deliveries);
  return deliveries.length;
}

/** Puts deliveries into the queue, in no order (`sendEntries`). */
export function sendDeliveries(dependencies: DeliveryQueue, deliveries: readonly Delivery[]): Promise<void> {
  return sendEntries(dependencies.queue, deliveryQueueUrl(dependencies), deliveries.map(toEntry));
}

/** The deliveries of some events: for each event, one for each endpoint that wants it; those that ask for it get batches. */
export function toDeliveries(endpoints: readonly Endpoint[], events: readonly DeliverableEvent[]): readonly Delivery[] {
  const alone = endpoints.filter(({ batch }) => batch === undefined);
  const together = endpoints.filter(({ batch }) => batch !== undefined);
  return [...toSingles(alone, events), ...together.flatMap((endpoint) => toBatches(endpoint, events))];
}

function toBatches(endpoint: Endpoint, events: readonly DeliverableEvent[]): readonly Delivery[] {
  const { tenantId, endpointId, batch } = endpoint;
  const wanted = wantedOf(endpoint, events);
  const most = { events: batch?.maxEvents ?? 1, bytes: CARRIED_EVENT_BYTES - BATCH_OVERHEAD_BYTES };
  return cutIntoBatches(wanted, most).map((some) => {
    const eventIds = some.map(({ eventId }) => eventId);
    const texts = some.flatMap(({ text }) => (text === undefined ? [] : [text]));
    const body = texts.length === some.length ? batchBody(texts) : undefined;
    const isCarried = body !== undefined && escapedLength(body) <= CARRIED_EVENT_BYTES;
    return {
      version: 1 as const,
      tenantId,
      endpointId,
      eventId: some[0].eventId,
      eventIds,
      correlationId: some[0].correlationId,
      deliveryId: batchDeliveryIdOf(endpointId, eventIds),
      ...(isCarried ? { event: body } : {}),
    };
  });
}

/** The events that an endpoint wants. */
export function wantedOf<One extends Pick<DeliverableEvent, 'type' | 'text'>>(
  endpoint: Endpoint,
  events: readonly One[],
): readonly One[] {
  return events.filter(({ type, text }) =>
    wants(endpoint, { type, ...(text !== undefined && isChoosy(endpoint) ? partsOf(text) : ANY) }),
  );
}

/** The `webhook-id` of a delivery: that of its event, or of its batch. */
export function webhookIdOf({ eventId, eventIds }: Pick<Delivery, 'eventId' | 'eventIds'>): string {
  return eventIds === undefined ? eventId : batchIdOf(eventIds);
}

function toSingles(endpoints: readonly Endpoint[], events: readonly DeliverableEvent[]): readonly Delivery[] {
  return events.flatMap(({ eventId, type, correlationId, text }) => {
    // Most endpoints want all events: then the text need not be read.
    const parts = { type, ...(text !== undefined && endpoints.some(isChoosy) ? partsOf(text) : ANY) };
    const wanting = endpoints.filter((endpoint) => wants(endpoint, parts));
    if (wanting.length === 0) return [];
    const carried = text !== undefined && toAsciiJson(text).length <= CARRIED_EVENT_BYTES ? { event: text } : {};
    return wanting.map(({ tenantId, endpointId }) => ({
      version: 1 as const,
      tenantId,
      endpointId,
      eventId,
      correlationId,
      deliveryId: makeDeliveryId(endpointId, eventId),
      ...carried,
    }));
  });
}

const ANY = { connectionId: '', chat: undefined } as const;

function isChoosy({ connectionIds, chatKinds }: Endpoint): boolean {
  return connectionIds !== undefined || chatKinds !== undefined;
}

function partsOf(text: string): { readonly connectionId: string; readonly chat: string | undefined } {
  const event = JSON.parse(text) as TenantEvent;
  return { connectionId: event.connectionId, chat: chatAddressOf(event) };
}

/** The entry of a delivery in a queue, whichever queue it is. */
export function toEntry(delivery: Delivery): QueueEntry {
  // A group in a standard queue is for fairness: a slow endpoint does not hold up the others.
  return { MessageBody: toAsciiJson(delivery), MessageGroupId: delivery.endpointId };
}
