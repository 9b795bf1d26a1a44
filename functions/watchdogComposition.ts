import { StopTaskCommand } from '@aws-sdk/client-ecs';
import { systemClock } from '../shared/kernel/clock.ts';
import { systemRandom } from '../shared/kernel/random.ts';
import { makeDocumentClient, makeQueueClient } from '../shared/platform/aws.ts';
import type { WatchdogConfig } from '../shared/platform/config.ts';
import { makeLogger } from '../shared/platform/logger.ts';
import { makeMetrics } from '../shared/platform/metrics.ts';
import { makeTaskClient } from '../shared/platform/taskClient.ts';
import type { WatchdogDependencies } from './watchdog.ts';

/** Each run writes its own at its end. */
const FLUSH_EVERY_MS = 60_000;

/**
 * Parts of the watchdog.
 * @param stopTask what ends a task; ECS's if left out
 */
export function composeWatchdog(
  config: WatchdogConfig,
  stopTask: WatchdogDependencies['stopTask'] = makeEcsStop(config),
): WatchdogDependencies & { readonly stop: () => void } {
  const logger = makeLogger('watchdog', config.logLevel).child({ stage: config.stage });
  const metrics = makeMetrics({
    stage: config.stage,
    processKind: 'watchdog',
    logger,
    clock: systemClock,
    write: (line) => process.stdout.write(`${line}\n`),
    flushEveryMs: FLUSH_EVERY_MS,
  });
  return {
    table: makeDocumentClient(config),
    stage: config.stage,
    queue: makeQueueClient(config),
    queueUrlBase: config.queueUrlBase,
    clock: systemClock,
    random: systemRandom,
    rules: config.rules,
    shardCount: config.shardCount,
    stopTask,
    metrics,
    logger,
    stop: metrics.stop,
  };
}

function makeEcsStop(config: WatchdogConfig): WatchdogDependencies['stopTask'] {
  const tasks = makeTaskClient(config);
  return async (taskId, reason) => {
    await tasks.send(new StopTaskCommand({ cluster: config.ecsCluster, task: taskId, reason }));
  };
}
