import { StopTaskCommand } from '@aws-sdk/client-ecs';
import { systemClock } from '../../shared/kernel/clock.ts';
import { systemRandom } from '../../shared/kernel/random.ts';
import { makeDocumentClient, makeQueueClient } from '../../shared/platform/aws.ts';
import type { WatchdogConfig } from '../../shared/platform/config.ts';
import { makeLogger } from '../../shared/platform/logger.ts';
import { makeMetrics } from '../../shared/platform/metrics.ts';
import { makeTaskClient } from '../../shared/platform/taskClient.ts';
import type { WatchdogDependencies } from './handler.ts';

/** Longer than a run: each run writes its metrics at its end. */
const FLUSH_EVERY_MS = 60_000;

export interface WatchdogOptions {
  /** Ends a task; ECS does when left out. */
  readonly stopTask?: WatchdogDependencies['stopTask'];
  /** Where the lines of log and metrics go; standard output when left out. */
  readonly destination?: { readonly write: (line: string) => void };
}

/** The parts of the watchdog. */
export function composeWatchdog(
  config: WatchdogConfig,
  { stopTask = makeEcsStop(config), destination }: WatchdogOptions = {},
): WatchdogDependencies {
  const logger = makeLogger('watchdog', config.logLevel, destination).child({ stage: config.stage });
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
    openMetrics: () =>
      makeMetrics({
        stage: config.stage,
        processKind: 'watchdog',
        logger,
        clock: systemClock,
        write: (line) => (destination ?? process.stdout).write(`${line}\n`),
        flushEveryMs: FLUSH_EVERY_MS,
      }),
    logger,
  };
}

function makeEcsStop(config: WatchdogConfig): WatchdogDependencies['stopTask'] {
  const tasks = makeTaskClient(config);
  return async (taskId, reason) => {
    await tasks.send(new StopTaskCommand({ cluster: config.ecsCluster, task: taskId, reason }));
  };
}
