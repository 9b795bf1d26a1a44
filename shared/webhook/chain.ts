import { z } from 'zod';
import { makeChainDeliveryId, type ConnectionId, type EndpointId, type EventId } from '../kernel/id.ts';
import { DELIVERY_ATTEMPTS, failureSchema, type Failure } from './attempt.ts';
import type { Delivery } from './delivery.ts';
import type { Endpoint } from './endpoint.ts';

/**
 * The chain of a connection at a webhook in strict order: its events, each posted once the one before it was taken or given up.
 * The events of a chain are rows, written before anything is queued, in the order of the connection; how far the chain has come is
 * one more row, its cursor, which is moved by compare-and-set. In the queue one delivery stands for all that waits in a chain, however
 * much that is. This file is pure; `chainStore.ts` writes what is decided here.
 *
 * | the cursor says   | a delivery that comes fresh | one that was sent anew | one that comes again |
 * | ----------------- | --------------------------- | ---------------------- | -------------------- |
 * | nothing           | works the chain             | works the chain        | works the chain      |
 * | somebody holds it | leaves word, and ends       | leaves word, and ends  | waits until the hold is over: the holder may be dead, and this its delivery |
 * | it waits          | ends: another one stands for the chain | works the chain | waits as long |
 */
export interface ChainName {
  readonly endpointId: EndpointId;
  readonly connectionId: ConnectionId;
}

/** How far a chain has come. */
export interface Chain {
  /** Where it goes on: an event id, or what {@link behind} makes of one. */
  readonly place: string;
  /** The number of attempts to post the event at its head that failed. */
  readonly attempts: number;
  readonly firstFailure?: Failure | undefined;
  /** The number of events of a batch at its head that failed: the next attempt has the same. */
  readonly headEvents?: number | undefined;
  /** Nothing is posted before. */
  readonly waitsUntilMs: number;
  /** How often somebody has come to it while another one held it. */
  readonly calls: number;
  /** Until when it is held; 0 where nobody has it. */
  readonly heldUntilMs: number;
}

const rowSchema = z.object({
  place: z.string().default(''),
  attempts: z.number().default(0),
  firstFailure: failureSchema.optional(),
  headEvents: z.number().optional(),
  waitsUntilMs: z.number().default(0),
  calls: z.number().default(0),
  heldUntilMs: z.number().default(0),
});

/** Reads the row of a chain. */
export function toChain(item: Readonly<Record<string, unknown>>): Chain {
  return rowSchema.parse(item);
}

/** The place right behind an event: it sorts after the event's id and before the next one. */
export function behind(eventId: EventId): string {
  return `${eventId}+`;
}

/**
 * The delivery that stands for a chain.
 * @param of one of its events
 * @param backTo the event to which the chain is to go back first
 */
export function chainDelivery(
  { tenantId, endpointId }: Pick<Endpoint, 'tenantId' | 'endpointId'>,
  connectionId: ConnectionId,
  { eventId, correlationId }: Pick<Delivery, 'eventId' | 'correlationId'>,
  backTo?: EventId,
): Delivery {
  return {
    version: 1,
    tenantId,
    endpointId,
    eventId,
    correlationId,
    deliveryId: makeChainDeliveryId(endpointId, connectionId),
    chain: connectionId,
    ...(backTo === undefined ? {} : { backTo }),
  };
}

/** How a delivery comes to a chain: `fresh` from ingest; `anew`, sent because a wait has ended early; or it has been here before. */
export type Coming = 'fresh' | 'anew' | 'again';

/** How a delivery comes to its chain. */
export function comingOf(delivery: Pick<Delivery, 'round' | 'again'>, receiveCount: number): Coming {
  if (receiveCount > 1 || delivery.again === true) return 'again';
  return delivery.round === undefined ? 'fresh' : 'anew';
}

/**
 * How long after its time a chain stands still, in milliseconds: its wait may end in the last minute of reconcile's six, and a queue may be
 * behind. Nothing stood for one that is gone on with later.
 */
export const CHAIN_STOOD_MS = 15 * 60_000;

/**
 * Whether a chain had stood still when a delivery took it. One that was sent anew may come as late as a person has asked for it, or as its
 * webhook was disabled.
 */
export function hadStood({ waitsUntilMs }: Pick<Chain, 'waitsUntilMs'>, coming: Coming, nowMs: number): boolean {
  return coming !== 'anew' && waitsUntilMs > 0 && nowMs - waitsUntilMs >= CHAIN_STOOD_MS;
}

/** How long after the first failure of a head the endpoint may have begun to fail, as both are noted, in milliseconds. */
const NOTED_WITHIN_MS = 60_000;

/**
 * Whether the receiver has taken nothing since the head of a chain failed for the first time. Then it is down, and what is posted makes no
 * difference; else it takes other events, and this one is what it does not take.
 * @param endpoint as it was before the last attempt
 */
export function isDown(
  { failingSinceMs }: Pick<Endpoint, 'failingSinceMs'>,
  { firstFailure }: Pick<Chain, 'firstFailure'>,
): boolean {
  if (failingSinceMs === undefined || firstFailure === undefined) return false;
  return failingSinceMs <= firstFailure.atMs + NOTED_WITHIN_MS;
}

/** The number of attempts with which a head goes on whose receiver was down for the whole schedule: the long waits come once more. */
const LONG_WAITS_FROM = DELIVERY_ATTEMPTS - 5;

/** What becomes of a chain after its head failed. */
export type AfterFailure =
  | { readonly next: 'wait'; readonly attempts: number; readonly isDown: boolean }
  /** The head is given up, and the chain goes on behind it. */
  | { readonly next: 'pass' };

/**
 * Decides after a failed attempt. A receiver that takes nothing passes nothing, or the events behind would reach it before this one; when it
 * has taken nothing for five days its webhook is disabled, and the chain stays where it is.
 * @param head with the attempt that has just failed
 */
export function afterFailure(
  endpoint: Pick<Endpoint, 'failingSinceMs'>,
  head: Pick<Chain, 'attempts' | 'firstFailure'>,
): AfterFailure {
  const down = isDown(endpoint, head);
  if (head.attempts < DELIVERY_ATTEMPTS) return { next: 'wait', attempts: head.attempts, isDown: down };
  return down ? { next: 'wait', attempts: LONG_WAITS_FROM, isDown: true } : { next: 'pass' };
}
