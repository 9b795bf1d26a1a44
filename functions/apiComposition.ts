import { ConnectionStore } from '../shared/connection/connectionStore.ts';
import { systemClock } from '../shared/kernel/clock.ts';
import { deadlines } from '../shared/kernel/deadlines.ts';
import { systemRandom } from '../shared/kernel/random.ts';
import { MessageStore } from '../shared/message/messageStore.ts';
import { makeDocumentClient, makeQueueClient } from '../shared/platform/aws.ts';
import type { Breakers } from '../shared/platform/breakers.ts';
import type { ApiConfig } from '../shared/platform/config.ts';
import { makeLogger } from '../shared/platform/logger.ts';
import { AddressGuard, systemResolve } from '../shared/webhook/addressGuard.ts';
import { makeEndpointBreakerStore } from '../shared/webhook/endpointBreakerStore.ts';
import { EndpointStore } from '../shared/webhook/endpointStore.ts';
import { makeWebhookPoster } from '../shared/webhook/postWebhook.ts';
import type { AdminDependencies } from './admin.ts';
import type { ApiDependencies } from './api.ts';
import { makeAuthenticate } from './authentication.ts';
import { makeFunctionBreakers } from './functionBreakers.ts';
import { countAtOnce, makeFunctionMetrics } from './functionMetrics.ts';

function composeHttp(config: ApiConfig, name: string): AdminDependencies & { readonly breakers: Breakers } {
  const logger = makeLogger(name, config.logLevel).child({ stage: config.stage });
  const breakers = makeFunctionBreakers(countAtOnce(makeFunctionMetrics(config, name, logger)), logger);
  const stores = { table: makeDocumentClient(config, { breakers }), stage: config.stage };
  return {
    ...stores,
    clock: systemClock,
    random: systemRandom,
    authenticate: makeAuthenticate(stores),
    logger,
    breakers,
    shardCount: config.shardCount,
    connections: new ConnectionStore(stores),
    messages: new MessageStore(stores),
  };
}

/**
 * Parts of the function that serves tenants.
 * @param options.allowLoopback lets webhooks lead to 127.0.0.1 and localhost: for the embedded stack alone
 */
export function composeApi(config: ApiConfig, options: { readonly allowLoopback?: boolean } = {}): ApiDependencies {
  const http = composeHttp(config, 'api');
  const guard = new AddressGuard({ resolve: systemResolve, allowLoopback: options.allowLoopback ?? false });
  return {
    ...http,
    endpoints: new EndpointStore(http),
    guard,
    poster: makeWebhookPoster({ guard, clock: systemClock, timeoutMs: deadlines.webhookTest.ms }),
    endpointBreakers: makeEndpointBreakerStore(http),
    queue: makeQueueClient(config, { breakers: http.breakers }),
    queueUrlBase: config.queueUrlBase,
    shardCap: config.shardCap,
  };
}

/** Parts of the function that serves operators. */
export function composeAdmin(config: ApiConfig): AdminDependencies {
  return composeHttp(config, 'admin');
}
