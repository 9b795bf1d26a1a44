import { systemClock } from '../../shared/kernel/clock.ts';
import { markTaskDead } from '../../shared/fleet/fleetLease.ts';
import { makeDocumentClient } from '../../shared/platform/aws.ts';
import type { FleetConfig } from '../../shared/platform/config.ts';
import { makeLogger } from '../../shared/platform/logger.ts';
import type { TaskStoppedDependencies } from './handler.ts';

/** The parts of the stopped-task function. */
export function composeTaskStopped(config: FleetConfig): TaskStoppedDependencies {
  const stores = { table: makeDocumentClient(config), stage: config.stage };
  return {
    markTaskDead: (taskId) => markTaskDead(stores, taskId, systemClock.nowMs()),
    logger: makeLogger('taskStopped', config.logLevel).child({ stage: config.stage }),
  };
}
