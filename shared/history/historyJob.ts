import { z } from 'zod';
import type { ConnectionId, TenantId } from '../kernel/id.ts';
import type { MediaQueue } from '../media/mediaJob.ts';
import { mediaQueueName } from '../platform/queues.ts';
import { sendEntries } from '../platform/sendEntries.ts';

const text = z.string().min(1).max(128);

/** The body of a message in the queue of media: a part of a history that is to be taken in. All else stands in its row. */
export const historyJobSchema = z.object({
  version: z.literal(1),
  kind: z.literal('history'),
  tenantId: text.transform((id) => id as TenantId),
  connectionId: text.transform((id) => id as ConnectionId),
  noticeId: text,
});
export type HistoryJob = z.infer<typeof historyJobSchema>;

/** Has a part of a history taken in. Resolves when the queue has the job; one that is asked for twice finds what the first has done. */
export async function askForHistory(
  { queue, stage, queueUrlBase }: MediaQueue,
  job: Omit<HistoryJob, 'version' | 'kind'>,
): Promise<void> {
  const body: HistoryJob = { version: 1, kind: 'history', ...job };
  // A group in a standard queue is for fairness: a tenant with a long history does not hold up the files of others.
  const entry = { MessageBody: JSON.stringify(body), MessageGroupId: job.tenantId };
  await sendEntries(queue, `${queueUrlBase}${mediaQueueName(stage)}`, [entry]);
}
