import { systemClock } from '../../shared/kernel/clock.ts';
import { freezesBetweenCalls, type DeliverConfig } from '../../shared/platform/config.ts';
import { AddressGuard, systemResolve } from '../../shared/platform/addressGuard.ts';
import { makeEndpointBreakerStore } from '../../shared/webhook/endpointBreakerStore.ts';
import { makeWebhookPoster } from '../../shared/webhook/postWebhook.ts';
import { AttemptNotes } from './attemptNotes.ts';
import { makeDeliverHandler } from './handler.ts';
import { thenFlush } from '../runtime/functionMetrics.ts';
import { composeStores } from '../runtime/storeComposition.ts';

/**
 * The deliver function.
 * @param options.allowLoopback lets webhooks lead to 127.0.0.1 and localhost; only the embedded stack sets it
 * @returns the handler, and what a process that runs on calls before it ends, when no invocation is under way
 */
export function composeDeliver(config: DeliverConfig, options: { readonly allowLoopback?: boolean } = {}) {
  const guard = new AddressGuard({ resolve: systemResolve, allowLoopback: options.allowLoopback ?? false });
  const poster = makeWebhookPoster({ guard, clock: systemClock, timeoutMs: config.webhookTimeoutMs });
  const stores = composeStores(config, 'deliver');
  const notes = new AttemptNotes(stores, freezesBetweenCalls());
  const parts = { ...stores, poster, breakers: makeEndpointBreakerStore(stores), notes };
  return { handler: thenFlush(parts.metrics, makeDeliverHandler(parts)), end: () => notes.end() };
}
