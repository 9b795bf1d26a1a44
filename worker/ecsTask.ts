import { z } from 'zod';
import { systemClock, type Clock } from '../shared/kernel/clock.ts';
import { metadataUrl, workerConfig, type TaskPlace, type WorkerConfig } from '../shared/platform/config.ts';

/**
 * The time limit of one try, in milliseconds. ECS answers within milliseconds; a container that has just started may be
 * earlier than its agent.
 */
const TRY_MS = 2_000;
const TRIES = 3;
const PAUSE_MS = 500;

/** The fields of ECS's "task metadata endpoint version 4" that say where this process runs. */
const taskMetadataSchema = z.object({
  TaskARN: z.string().regex(/^arn:[^:]+:ecs:.*\/[^/]+$/, 'is not the ARN of a task'),
  AvailabilityZone: z.string().min(1).optional(),
  /** The revision of the task definition, which ECS counts up with each deploy that changes workers; ECS gives it as text. */
  Revision: z.coerce.number().int().min(1).optional(),
});

/** The task, its zone and its deploy generation, from ECS's answer. Throws an Error that names the wrong field. */
export function parseTaskMetadata(metadata: unknown): TaskPlace {
  const result = taskMetadataSchema.safeParse(metadata);
  if (!result.success) {
    const fields = result.error.issues.map(({ path, message }) => `${path.join('.') || '(all)'}: ${message}`);
    throw new Error(`ECS says nothing of the task that can be read: ${fields.join(', ')}`);
  }
  const { TaskARN, AvailabilityZone: zone, Revision: generation } = result.data;
  // The stopped-task function takes the same part of the same ARN, so that both name one lease.
  return { taskId: TaskARN.slice(TaskARN.lastIndexOf('/') + 1), zone, generation };
}

/**
 * Asks ECS where this process runs. Rejects when ECS has not answered after a few tries, which end after some seconds.
 */
export async function askWhereThisRuns(url: string, clock: Pick<Clock, 'sleep'> = systemClock): Promise<TaskPlace> {
  for (let number = 1; ; number += 1) {
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(TRY_MS) });
      if (!answer.ok) throw new Error(`it answered ${answer.status}`);
      return parseTaskMetadata(await answer.json());
    } catch (error) {
      if (number === TRIES) {
        const why = (error as Error).message;
        throw new Error(`HOLDFAST_TASK_ID is not set, and ECS could not be asked at ${url}: ${why}`, { cause: error });
      }
      await clock.sleep(PAUSE_MS);
    }
  }
}

/**
 * Reads the configuration of a worker. Where the environment does not name its task, ECS is asked. Rejects with an
 * Error that names each wrong variable, or says that neither of the two names the task.
 */
export async function readWorkerConfig(): Promise<WorkerConfig> {
  const url = metadataUrl();
  return workerConfig(undefined, url === undefined ? undefined : await askWhereThisRuns(url));
}
