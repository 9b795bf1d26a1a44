import { createHash } from 'node:crypto';
import type { TenantEvent } from '../event/event.ts';
import { makeBatchDeliveryId, type EndpointId, type EventId } from '../kernel/id.ts';
import { escapedLength } from '../platform/asciiJson.ts';

/**
 * Events that go to an endpoint in one request, where it asks for that: those of one connection that were recorded together, in
 * their order. Nothing waits for more to come.
 *
 * A batch is one delivery, from its first attempt to its last: it has the same events, the same body and the same `webhook-id` each
 * time, and is taken or not as a whole. A receiver that has taken some of them knows them by their ids when the batch comes again. Where ingest
 * records the same events a second time they may be cut into batches in another way, so what is recognised for certain is the id of
 * an event.
 */

/** The most events of a batch. */
export const BATCH_EVENTS = 100;

/** Cuts events into batches: each has at most so many events and bytes in the queue, and one event in any case. */
export function cutIntoBatches<One extends { readonly text?: string | undefined }>(
  events: readonly One[],
  most: { readonly events: number; readonly bytes: number },
): readonly (readonly [One, ...One[]])[] {
  const batches: [One, ...One[]][] = [];
  let bytes = 0;
  for (const event of events) {
    const size = escapedLength(event.text ?? '') + 1;
    const batch = batches.at(-1);
    bytes += size;
    if (batch !== undefined && batch.length < most.events && bytes <= most.bytes) {
      batch.push(event);
    } else {
      batches.push([event]);
      bytes = size;
    }
  }
  return batches;
}

/** The body of a batch. @param texts the events as the log has them */
export function batchBody(texts: readonly string[]): string {
  return `{"events":[${texts.join(',')}]}`;
}

/** The first event of a body, whether it is a batch or an event alone. */
export function firstEventIn(body: string): TenantEvent {
  const told = JSON.parse(body) as TenantEvent | { readonly events: readonly [TenantEvent, ...TenantEvent[]] };
  return 'events' in told ? told.events[0] : told;
}

/** What tells a batch from others with other events: the same for the same events. */
function digestOf(eventIds: readonly EventId[]): string {
  return createHash('sha256').update(eventIds.join(' ')).digest('hex').slice(0, 26).toUpperCase();
}

/** The `webhook-id` of a batch. */
export function batchIdOf(eventIds: readonly EventId[]): string {
  return `bat_${digestOf(eventIds)}`;
}

/** The id of the delivery of a batch. */
export function batchDeliveryIdOf(endpointId: EndpointId, eventIds: readonly EventId[]) {
  return makeBatchDeliveryId(endpointId, digestOf(eventIds));
}
