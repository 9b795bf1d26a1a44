import { z } from 'zod';
import { deadlines } from '../shared/kernel/deadlines.ts';
import { systemClock, type Clock } from '../shared/kernel/clock.ts';
import { metadataUrl, workerConfig, type TaskPlace, type WorkerConfig } from '../shared/platform/config.ts';
import type { ProtectTask } from './fleet/taskProtection.ts';

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

/** What ECS's agent answers to a change of protection: the state afterwards, or why there was none with status 200, too. */
const protectionAnswerSchema = z.object({
  protection: z.object({ ProtectionEnabled: z.boolean() }).optional(),
  failure: z.object({ Reason: z.string() }).optional(),
  error: z.object({ Code: z.string(), Message: z.string().optional() }).optional(),
});

/**
 * Sets and lifts the protection of this task at ECS's agent (`task-protection/v1/state`). Rejects with the agent's reason,
 * and where it has not answered in time; asks only once, as the caller has its own pace.
 */
export function makeTaskProtector(url: string): ProtectTask {
  return async (minutes) => {
    const isProtected = minutes !== undefined;
    const answer = await fetch(url, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ProtectionEnabled: isProtected, ...(isProtected ? { ExpiresInMinutes: minutes } : {}) }),
      signal: AbortSignal.timeout(deadlines.taskProtection.ms),
    });
    const told = protectionAnswerSchema.safeParse(await answer.json().catch(() => undefined));
    const { protection, failure, error } = told.data ?? {};
    if (answer.ok && protection?.ProtectionEnabled === isProtected) return;
    const reason = failure?.Reason ?? error?.Code ?? 'nothing that can be read';
    throw new Error(`ECS's agent answered ${answer.status}: ${reason}`);
  };
}
