import { SendMessageBatchCommand, type SendMessageBatchRequestEntry, type SQSClient } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import type { EventType } from '../event/event.ts';
import {
  makeDeliveryId,
  type CorrelationId,
  type DeliveryId,
  type EndpointId,
  type EventId,
  type TenantId,
} from '../kernel/id.ts';
import { toAsciiJson } from '../platform/asciiJson.ts';
import { BATCH_ENTRIES, entryFailures, entryId } from '../platform/queueBatch.ts';
import { deliveryQueueName, MESSAGE_BYTES } from '../platform/queues.ts';
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
  /** The event as the log has it, in the same bytes; left out where the event is to be read from the log by its id. */
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

/**
 * The greatest length of an event that its delivery carries, in bytes as the queue has them. SQS bills by 64 KB: below
 * this a delivery is one unit wherever it goes. A longer event is read from the log when it is posted.
 */
export const CARRIED_EVENT_BYTES = 48 * 1_024;

/** The number of calls to the queue that one caller has under way. */
const CALLS_AT_ONCE = 4;
/** How often the entries that a call refused are sent again at once, before the caller has to. */
const REPEATS = 1;

/** An event that is to be delivered, with its text if the caller has it. */
export interface DeliverableEvent {
  readonly eventId: EventId;
  readonly type: EventType;
  readonly correlationId: CorrelationId;
  /** The event as the log has it. */
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

/**
 * Puts deliveries into the queue, in no order, ten in a call. Resolves when SQS has all of them. Throws the failure of
 * one that it refused, also after a second try, under the name that SQS gave it, so that it can be judged.
 */
export async function sendDeliveries(dependencies: DeliveryQueue, deliveries: readonly Delivery[]): Promise<void> {
  const calls = inCalls(deliveries.map(toEntry));
  const lane = async (): Promise<void> => {
    for (let entries = calls.shift(); entries !== undefined; entries = calls.shift()) {
      await sendEntries(dependencies, entries, REPEATS);
    }
  };
  await Promise.all(Array.from({ length: Math.min(CALLS_AT_ONCE, calls.length) }, lane));
}

type Entry = Omit<SendMessageBatchRequestEntry, 'Id'> & { readonly MessageBody: string };

/** The entries in as few calls as SQS allows. A body is in ASCII, so its length is its size in bytes. */
function inCalls(entries: readonly Entry[]): (readonly Entry[])[] {
  const calls: Entry[][] = [];
  let bytes = 0;
  for (const entry of entries) {
    const call = calls.at(-1);
    bytes += entry.MessageBody.length;
    if (call !== undefined && call.length < BATCH_ENTRIES && bytes <= MESSAGE_BYTES) {
      call.push(entry);
    } else {
      calls.push([entry]);
      bytes = entry.MessageBody.length;
    }
  }
  return calls;
}

/** Sends entries in one call, and those that it refused again, alone: SQS has the others. */
async function sendEntries(dependencies: DeliveryQueue, entries: readonly Entry[], repeats: number): Promise<void> {
  const answer = await dependencies.queue.send(
    new SendMessageBatchCommand({
      QueueUrl: deliveryQueueUrl(dependencies),
      Entries: entries.map((entry, place) => ({ ...entry, Id: entryId(place) })),
    }),
  );
  const failures = entryFailures(entries.length, answer);
  const [refused] = failures.values();
  if (refused === undefined) return;
  if (repeats === 0) throw refused;
  await sendEntries(
    dependencies,
    entries.filter((_entry, place) => failures.has(place)),
    repeats - 1,
  );
}

/** The deliveries of some events: for each event, one for each endpoint that wants its type. */
export function toDeliveries(endpoints: readonly Endpoint[], events: readonly DeliverableEvent[]): readonly Delivery[] {
  return events.flatMap(({ eventId, type, correlationId, text }) => {
    const wanting = endpoints.filter((endpoint) => wants(endpoint, type));
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

function toEntry(delivery: Delivery): Entry {
  // A group in a standard queue is for fairness: a slow endpoint does not hold up the others.
  return { MessageBody: toAsciiJson(delivery), MessageGroupId: delivery.endpointId };
}
