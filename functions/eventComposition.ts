import { systemClock } from '../shared/kernel/clock.ts';
import { systemRandom } from '../shared/kernel/random.ts';
import { MessageStore } from '../shared/message/messageStore.ts';
import { makeDocumentClient, makeQueueClient } from '../shared/platform/aws.ts';
import type { DeliverConfig, FleetConfig, IngestConfig, StoreConfig } from '../shared/platform/config.ts';
import { markTaskDead } from '../shared/fleet/fleetLease.ts';
import { makeLogger } from '../shared/platform/logger.ts';
import { AddressGuard, systemResolve } from '../shared/webhook/addressGuard.ts';
import { makeEndpointBreakerStore } from '../shared/webhook/endpointBreakerStore.ts';
import { EndpointStore } from '../shared/webhook/endpointStore.ts';
import { makeWebhookPoster } from '../shared/webhook/postWebhook.ts';
import type { DeliverDependencies } from './deliver.ts';
import { countAtOnce, makeFunctionBreakers } from './functionBreakers.ts';
import type { IngestDependencies } from './ingest.ts';
import type { ReconcileDependencies } from './reconcile.ts';
import type { TaskStoppedDependencies } from './taskStopped.ts';

/** What the functions behind the queues and schedules are made of: on AWS by the entry files, locally by the embedded stack. */
function composeStores(config: StoreConfig, name: string) {
  const logger = makeLogger(name, config.logLevel).child({ stage: config.stage });
  const breakers = makeFunctionBreakers(name, config.stage, logger);
  const stores = {
    table: makeDocumentClient(config, { breakers }),
    stage: config.stage,
    clock: systemClock,
    random: systemRandom,
  };
  return {
    ...stores,
    queue: makeQueueClient(config, { breakers }),
    queueUrlBase: config.queueUrlBase,
    messages: new MessageStore(stores),
    endpoints: new EndpointStore(stores),
    logger,
  };
}

/** Parts of the ingest function. */
export function composeIngest(config: IngestConfig): IngestDependencies {
  return composeStores(config, 'ingest');
}

/** Parts of the reconcile function. */
export function composeReconcile(config: IngestConfig): ReconcileDependencies {
  return composeStores(config, 'reconcile');
}

/**
 * Parts of the deliver function.
 * @param options.allowLoopback lets webhooks lead to 127.0.0.1 and localhost: for the embedded stack alone
 */
export function composeDeliver(
  config: DeliverConfig,
  options: { readonly allowLoopback?: boolean } = {},
): DeliverDependencies {
  const guard = new AddressGuard({ resolve: systemResolve, allowLoopback: options.allowLoopback ?? false });
  const poster = makeWebhookPoster({ guard, clock: systemClock, timeoutMs: config.webhookTimeoutMs });
  const stores = composeStores(config, 'deliver');
  const count = countAtOnce('deliver', config.stage, stores.logger);
  return { ...stores, poster, breakers: makeEndpointBreakerStore(stores), count };
}

/** Parts of the stopped-task function. */
export function composeTaskStopped(config: FleetConfig): TaskStoppedDependencies {
  const stores = { table: makeDocumentClient(config), stage: config.stage };
  return {
    markTaskDead: (taskId) => markTaskDead(stores, taskId, systemClock.nowMs()),
    logger: makeLogger('taskStopped', config.logLevel).child({ stage: config.stage }),
  };
}
