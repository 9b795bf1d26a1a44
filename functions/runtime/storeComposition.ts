import { ActionStore } from '../../shared/action/actionStore.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { systemRandom } from '../../shared/kernel/random.ts';
import { MessageStore } from '../../shared/message/messageStore.ts';
import { makeDocumentClient, makeQueueClient } from '../../shared/platform/aws.ts';
import type { StoreConfig } from '../../shared/platform/storeConfig.ts';
import { makeLogger } from '../../shared/platform/logger.ts';
import { EndpointStore } from '../../shared/webhook/endpointStore.ts';
import { makeFunctionBreakers } from './functionBreakers.ts';
import { makeFunctionMetrics } from './functionMetrics.ts';

/**
 * The parts that the functions behind the queues and schedules share. Entry files compose them on AWS, and the embedded
 * stack composes them locally. Each function has a file of its own that adds the rest, so that none carries the
 * libraries of another.
 */
export function composeStores(config: StoreConfig, name: string) {
  const logger = makeLogger(name, config.logLevel).child({ stage: config.stage });
  const metrics = makeFunctionMetrics(config, name, logger);
  const breakers = makeFunctionBreakers(metrics.count, logger);
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
    actions: new ActionStore(stores),
    endpoints: new EndpointStore(stores),
    logger,
    metrics,
  };
}
