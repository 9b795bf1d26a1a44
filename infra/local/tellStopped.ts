import { makeTaskStoppedHandler, WORKER_CONTAINER } from '../../functions/taskStopped/handler.ts';
import { composeTaskStopped } from '../../functions/taskStopped/composition.ts';
import { fleetConfig } from '../../shared/platform/config.ts';
import { asCaller } from './callers.ts';

/**
 * Reports to the fleet that a worker's task has ended, in the form in which ECS reports it.
 * @param settings settings of the functions
 */
export async function tellStopped(settings: Readonly<Record<string, string>>, taskId: string): Promise<void> {
  const handler = makeTaskStoppedHandler(
    composeTaskStopped(asCaller(fleetConfig({ ...settings, HOLDFAST_LOG_LEVEL: 'silent' }), 'taskStopped')),
  );
  await handler({
    source: 'aws.ecs',
    'detail-type': 'ECS Task State Change',
    detail: {
      taskArn: `arn:aws:ecs:us-east-1:000000000000:task/local/${taskId}`,
      lastStatus: 'DEPROVISIONING',
      containers: [{ name: WORKER_CONTAINER, lastStatus: 'STOPPED' }],
    },
  });
}
