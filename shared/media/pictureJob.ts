import { z } from 'zod';
import type { ConnectionId, CorrelationId, MediaId, TenantId } from '../kernel/id.ts';
import { mediaQueueName } from '../platform/queues.ts';
import { sendEntries } from '../platform/sendEntries.ts';
import type { MediaQueue } from './mediaJob.ts';
import { pictureUses } from './pictureBytes.ts';

const branded = <Brand>() =>
  z
    .string()
    .min(1)
    .max(128)
    .transform((text) => text as Brand);

/** The body of a message in the queue of media: a file that is to be made a picture that can be set. */
export const pictureJobSchema = z.object({
  version: z.literal(1),
  kind: z.literal('picture'),
  tenantId: branded<TenantId>(),
  /** The connection whose action needs it, which is told when it is there. */
  connectionId: branded<ConnectionId>(),
  shard: z.number().int().min(0).max(9_999),
  correlationId: branded<CorrelationId>(),
  mediaId: branded<MediaId>(),
  as: z.enum(pictureUses),
});
export type PictureJob = z.infer<typeof pictureJobSchema>;

/** Has a file made a picture. Resolves when the queue has the job; one that is asked for twice is made twice, which is as good as once. */
export async function askForPicture(
  { queue, stage, queueUrlBase }: MediaQueue,
  job: Omit<PictureJob, 'version' | 'kind'>,
): Promise<void> {
  const body: PictureJob = { version: 1, kind: 'picture', ...job };
  // A group in a standard queue is for fairness: a tenant with many files does not hold up the others.
  const entry = { MessageBody: JSON.stringify(body), MessageGroupId: job.tenantId };
  await sendEntries(queue, `${queueUrlBase}${mediaQueueName(stage)}`, [entry]);
}
