import { z } from 'zod';
import type { Surroundings } from '../../shared/platform/surroundings.ts';

/** The name of the container that runs the worker in its task; the task definition uses the same. */
export const WORKER_CONTAINER = 'worker';

/** The fields of EventBridge's "ECS Task State Change" which show that a worker process is gone. */
const taskStateChangeSchema = z.object({
  'detail-type': z.literal('ECS Task State Change'),
  detail: z.object({
    taskArn: z.string().min(1),
    containers: z.array(z.object({ name: z.string(), lastStatus: z.string() })),
  }),
});

export interface TaskStoppedDependencies extends Pick<Surroundings, 'logger'> {
  /** Marks the leases of a task DEAD. Returns how many it changed. */
  readonly markTaskDead: (taskId: string) => Promise<number>;
}

/**
 * Proof of death: ECS reports that the worker's container has stopped, seconds after it did, so its shards need not
 * wait until observers are sure. The container counts and not the task, which is reported tens of seconds later. Throws
 * when the store fails, so that EventBridge sends the event again; observers find the death without it, too.
 */
export function makeTaskStoppedHandler(dependencies: TaskStoppedDependencies): (event: unknown) => Promise<void> {
  return async (event) => {
    const taskId = stoppedTaskOf(event);
    if (taskId === undefined) return;
    const count = await dependencies.markTaskDead(taskId);
    dependencies.logger.info('worker container has stopped', { taskId, count });
  };
}

/** The task whose worker container has stopped, or undefined when the event reports no such thing. */
export function stoppedTaskOf(event: unknown): string | undefined {
  const parsed = taskStateChangeSchema.safeParse(event);
  if (!parsed.success) return undefined;
  const { taskArn, containers } = parsed.data.detail;
  const stopped = containers.some(({ name, lastStatus }) => name === WORKER_CONTAINER && lastStatus === 'STOPPED');
  return stopped ? taskArn.split('/').at(-1) : undefined;
}
