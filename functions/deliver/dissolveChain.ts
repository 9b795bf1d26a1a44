import { findEventTexts } from '../../shared/event/eventPages.ts';
import type { TenantEvent } from '../../shared/event/event.ts';
import type { CorrelationId, EventId } from '../../shared/kernel/id.ts';
import { behind, chainDelivery, type Chain, type ChainName } from '../../shared/webhook/chain.ts';
import { advanceChain, dropChain, nextInChain, releaseChain } from '../../shared/webhook/chainStore.ts';
import { enqueueDeliveries, sendDeliveries, type DeliverableEvent } from '../../shared/webhook/delivery.ts';
import type { Endpoint } from '../../shared/webhook/endpoint.ts';
import type { AttemptDependencies, Attempted } from './attemptDelivery.ts';
import type { DeliveryInHand } from './deliveryInHand.ts';

/** The events that are looked at together. */
export const CHAIN_EVENTS = 100;

/** The event of a text of the log, as it is delivered. */
export function toDeliverable(text: string): DeliverableEvent {
  const { id, type, correlationId } = JSON.parse(text) as TenantEvent;
  return { eventId: id as EventId, type, correlationId: correlationId as CorrelationId, text };
}

/**
 * Ends a chain whose webhook is in strict order no more: what waits in it is delivered as any event.
 *
 * - The function dies before the chain is moved on: some are queued twice, under their ids.
 */
export async function dissolveChain(
  dependencies: AttemptDependencies,
  { delivery }: DeliveryInHand,
  name: ChainName,
  endpoint: Endpoint,
  held: Chain,
): Promise<Attempted> {
  const ids = await nextInChain(dependencies, name, held, CHAIN_EVENTS);
  const last = ids.at(-1);
  if (last === undefined) {
    await releaseChain(dependencies, name, held);
    return { end: 'done' };
  }
  const texts = await findEventTexts(dependencies, delivery.tenantId, ids);
  await enqueueDeliveries(dependencies, [endpoint], texts.map(toDeliverable));
  const nowMs = dependencies.clock.nowMs();
  const chain = await advanceChain(dependencies, name, held, { place: behind(last), nowMs });
  if (chain !== undefined) await dropChain(dependencies, name, chain);
  await sendDeliveries(dependencies, [chainDelivery(endpoint, name.connectionId, delivery)]);
  return { end: 'done' };
}
