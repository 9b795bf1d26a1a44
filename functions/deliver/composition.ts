import { systemClock } from '../../shared/kernel/clock.ts';
import type { DeliverConfig } from '../../shared/platform/config.ts';
import { AddressGuard, systemResolve } from '../../shared/webhook/addressGuard.ts';
import { makeEndpointBreakerStore } from '../../shared/webhook/endpointBreakerStore.ts';
import { makeWebhookPoster } from '../../shared/webhook/postWebhook.ts';
import { makeDeliverHandler } from './handler.ts';
import { thenFlush } from '../runtime/functionMetrics.ts';
import { composeStores } from '../runtime/storeComposition.ts';

/**
 * The deliver function.
 * @param options.allowLoopback lets webhooks lead to 127.0.0.1 and localhost; only the embedded stack sets it
 */
export function composeDeliver(config: DeliverConfig, options: { readonly allowLoopback?: boolean } = {}) {
  const guard = new AddressGuard({ resolve: systemResolve, allowLoopback: options.allowLoopback ?? false });
  const poster = makeWebhookPoster({ guard, clock: systemClock, timeoutMs: config.webhookTimeoutMs });
  const stores = composeStores(config, 'deliver');
  const parts = { ...stores, poster, breakers: makeEndpointBreakerStore(stores) };
  return thenFlush(parts.metrics, makeDeliverHandler(parts));
}
