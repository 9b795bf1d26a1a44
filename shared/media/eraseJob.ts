import { z } from 'zod';
import type { ConnectionId, MediaId, MessageId, TenantId } from '../kernel/id.ts';
import { mediaQueueName } from '../platform/queues.ts';
import { sendEntries } from '../platform/sendEntries.ts';
import { broughtHoldOf, type BroughtFile } from './broughtFile.ts';
import { keptDaysChoices, keptKeyOf } from './fileKeeping.ts';
import { objectKeyOf, objectNameOf, type Media } from './media.ts';
import type { MediaQueue } from './mediaJob.ts';
import type { Hold } from './objectHolds.ts';

const text = z.string().min(1).max(512);
const tenantId = text.transform((id) => id as TenantId);

/**
 * The body of a message in the queue of media: a file that is gone by its row, whose bytes are to be removed. It says all that takes, since the file may be
 * fetched anew before it is done.
 */
export const eraseJobSchema = z.object({
  version: z.literal(1),
  kind: z.literal('erase'),
  tenantId,
  mediaId: text.transform((id) => id as MediaId),
  /** What it holds: the object is removed with its last holder. */
  name: text,
  generation: z.number().int().min(0),
  holder: text,
  /** Where its object may lie. */
  keys: z.array(text).max(16),
  /** The name under which it was uploaded to WhatsApp. */
  file: text,
});
export type EraseJob = z.infer<typeof eraseJobSchema>;

/** The same for all files of a message that was taken back. Their rows say that it is asked for. */
export const eraseMessageJobSchema = z.object({
  version: z.literal(1),
  kind: z.literal('erase_message'),
  tenantId,
  messageId: text.transform((id) => id as MessageId),
});
export type EraseMessageJob = z.infer<typeof eraseMessageJobSchema>;

/** The number of files of one job: they are erased one after the other, in less time than a run of the function has. */
const FILES_A_JOB = 20;

/** The same for some files that came with messages of a connection that was deleted. */
export const eraseFilesJobSchema = z.object({
  version: z.literal(1),
  kind: z.literal('erase_files'),
  tenantId,
  connectionId: text.transform((id) => id as ConnectionId),
  mediaIds: z.array(text.transform((id) => id as MediaId)).max(FILES_A_JOB),
});
export type EraseFilesJob = z.infer<typeof eraseFilesJobSchema>;

/** The same for some files of a tenant that is deleted, of which nothing is to stay. */
export const eraseForGoodJobSchema = z.object({
  version: z.literal(1),
  kind: z.literal('erase_for_good'),
  tenantId,
  mediaIds: z.array(text.transform((id) => id as MediaId)).max(FILES_A_JOB),
});
export type EraseForGoodJob = z.infer<typeof eraseForGoodJobSchema>;

/** The jobs that erase some files of a tenant for good. */
export function eraseForGoodJobsOf(owner: TenantId, mediaIds: readonly MediaId[]): readonly EraseForGoodJob[] {
  return inJobs(mediaIds).map((some) => ({
    version: 1,
    kind: 'erase_for_good',
    tenantId: owner,
    mediaIds: [...some],
  }));
}

function inJobs(mediaIds: readonly MediaId[]): readonly (readonly MediaId[])[] {
  return Array.from({ length: Math.ceil(mediaIds.length / FILES_A_JOB) }, (_, place) =>
    mediaIds.slice(place * FILES_A_JOB, (place + 1) * FILES_A_JOB),
  );
}

/** The jobs that erase some files of a connection. */
export function eraseFilesJobsOf(
  { tenantId: owner, connectionId }: Pick<EraseFilesJob, 'tenantId' | 'connectionId'>,
  mediaIds: readonly MediaId[],
): readonly EraseFilesJob[] {
  const common = { version: 1, kind: 'erase_files', tenantId: owner, connectionId } as const;
  return inJobs(mediaIds).map((some) => ({ ...common, mediaIds: [...some] }));
}

/** What a file that came with a message holds, while it has a round. */
export function holderOf({ mediaId, round }: Pick<Media, 'mediaId' | 'round'>): string {
  return `${mediaId}.${round}`;
}

/** Where an object of a generation may lie: a tenant may have chosen another number of days meanwhile. */
export function keysOfHold({ object, generation }: Hold): readonly string[] {
  return keptDaysChoices.map((days) => keptKeyOf(object, generation, days));
}

/** The job that removes the bytes of a file. */
export function eraseJobOf(row: Media | BroughtFile): EraseJob {
  const { tenantId: owner, mediaId, sha256 } = row;
  const common = { version: 1, kind: 'erase', tenantId: owner, mediaId, file: sha256 ?? mediaId } as const;
  if ('broughtBy' in row) {
    const { object, generation, holder } = broughtHoldOf(row);
    return { ...common, name: object.name, generation, holder, keys: [row.objectKey] };
  }
  const object = objectNameOf(row);
  const { generation = 0 } = row;
  const hold = { object, generation, holder: holderOf(row) };
  return {
    ...common,
    name: object.name,
    generation,
    holder: hold.holder,
    keys: [...new Set([objectKeyOf(row), ...keysOfHold(hold)])],
  };
}

/** Has bytes removed. Resolves when the queue has the jobs; one that is asked for twice is done twice, which is as good as once. */
export async function askToErase(
  { queue, stage, queueUrlBase }: MediaQueue,
  jobs: readonly (EraseJob | EraseMessageJob | EraseFilesJob | EraseForGoodJob)[],
): Promise<void> {
  const entries = jobs.map((job) => ({ MessageBody: JSON.stringify(job), MessageGroupId: job.tenantId }));
  await sendEntries(queue, `${queueUrlBase}${mediaQueueName(stage)}`, entries);
}
