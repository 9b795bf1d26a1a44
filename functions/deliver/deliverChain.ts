import { chainDelivery, comingOf, hadStood, type ChainName } from '../../shared/webhook/chain.ts';
import { isStrict } from '../../shared/webhook/chainEvents.ts';
import { setChainBack, takeChain } from '../../shared/webhook/chainStore.ts';
import { sendDeliveries } from '../../shared/webhook/delivery.ts';
import { isOpen, type Endpoint } from '../../shared/webhook/endpoint.ts';
import { isSlow } from '../../shared/webhook/slowEndpoint.ts';
import { forgetWaiting } from '../../shared/webhook/waitingDeliveries.ts';
import type { AttemptDependencies, Attempted } from './attemptDelivery.ts';
import type { DeliveryInHand } from './deliveryInHand.ts';
import { dissolveChain } from './dissolveChain.ts';
import { endChainAtDisabled } from './endChainAtDisabled.ts';
import { passToSlow } from './passToSlow.ts';
import { workChain } from './workChain.ts';

/**
 * Works the chain of a connection at a webhook in strict order, for the delivery that stands for it: posts its events one after the other, as
 * long as they are taken and there is time. Throws when it could not be found out whether there is something to do.
 *
 * - The function dies: its delivery comes again, when nobody holds the chain any more, and the event that was being posted is posted again
 *   under its id.
 * - It happens twice: one holds the chain, and the other one leaves word.
 * - A call fails: as where the function dies.
 */
export async function deliverChain(dependencies: AttemptDependencies, one: DeliveryInHand): Promise<Attempted> {
  const { delivery } = one;
  const { tenantId, endpointId, chain: connectionId, backTo } = delivery;
  const endpoint = await dependencies.known.find(tenantId, endpointId);
  if (endpoint === undefined || connectionId === undefined) return { end: 'done' };
  const name: ChainName = { endpointId, connectionId };
  if (!isOpen(endpoint)) return endChainAtDisabled(dependencies, one, name, endpoint);
  if (backTo !== undefined) {
    await setChainBack(dependencies, name, backTo);
    // Another delivery stands for the chain from here on: this one would set it back each time that it comes.
    await sendDeliveries(dependencies, [chainDelivery(endpoint, connectionId, delivery)]);
    await forgetWaiting(dependencies, delivery);
    return { end: 'done' };
  }
  return workOrWait(dependencies, one, name, endpoint);
}

async function workOrWait(
  dependencies: AttemptDependencies,
  one: DeliveryInHand,
  name: ChainName,
  endpoint: Endpoint,
): Promise<Attempted> {
  const nowMs = dependencies.clock.nowMs();
  if (!one.isOfSlow && isSlow(endpoint, nowMs)) return passToSlow(dependencies, one);
  const coming = comingOf(one.delivery, one.receiveCount);
  const took = await takeChain(dependencies, name, { nowMs, coming });
  if (took.taken === 'called') return { end: 'done' };
  if (took.taken === 'not_now') {
    if (coming === 'fresh') return { end: 'done' };
    const leftMs = took.untilMs - nowMs;
    return { end: { atLeastMs: leftMs, atMostMs: leftMs, isKept: true } };
  }
  const chain = took.taken;
  if (hadStood(chain, coming, nowMs)) {
    dependencies.metrics.count('ChainsStood', {});
    dependencies.logger.warn('a chain had stood still', {
      ...one.fields,
      connectionId: name.connectionId,
      lateMs: nowMs - chain.waitsUntilMs,
    });
  }
  if (!isStrict(endpoint)) return dissolveChain(dependencies, one, name, endpoint, chain);
  // A schedule begins from the start where a person has asked for it.
  const isFromStart = coming === 'anew' && (one.delivery.attempts ?? 0) === 0;
  return workChain(dependencies, one, { name, chain: isFromStart ? { ...chain, attempts: 0 } : chain });
}
