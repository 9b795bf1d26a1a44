import type { SQSClient } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import type { MediaId, TenantId } from '../kernel/id.ts';
import { mediaQueueName } from '../platform/queues.ts';
import { sendEntries } from '../platform/sendEntries.ts';

const branded = <Brand>() =>
  z
    .string()
    .min(1)
    .transform((text) => text as Brand);

/** The body of a message in the queue of media: a file that is to be fetched. All else stands in its row. */
export const mediaJobSchema = z.object({
  version: z.literal(1),
  tenantId: branded<TenantId>(),
  mediaId: branded<MediaId>(),
});
export type MediaJob = z.infer<typeof mediaJobSchema>;

export interface MediaQueue {
  readonly queue: SQSClient;
  readonly stage: string;
  readonly queueUrlBase: string;
}

/**
 * Has files fetched. Resolves when the queue has all of them; a file that is asked for twice is fetched once, or the second finds it done.
 * @param delaySeconds how long the queue keeps them before it gives them out, at most 900
 */
export async function askForFiles(
  { queue, stage, queueUrlBase }: MediaQueue,
  jobs: readonly MediaJob[],
  delaySeconds = 0,
): Promise<void> {
  const entries = jobs.map((job) => ({
    MessageBody: JSON.stringify(job),
    // A group in a standard queue is for fairness: a tenant with many files does not hold up the others.
    MessageGroupId: job.tenantId,
    ...(delaySeconds === 0 ? {} : { DelaySeconds: delaySeconds }),
  }));
  await sendEntries(queue, `${queueUrlBase}${mediaQueueName(stage)}`, entries);
}
