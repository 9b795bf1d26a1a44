import type { SQSClient } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import type { ConnectionId, CorrelationId, MediaId, TenantId } from '../kernel/id.ts';
import { mediaQueueName } from '../platform/queues.ts';
import { sendEntries } from '../platform/sendEntries.ts';
import { sentUses } from './sentUse.ts';

const branded = <Brand>() =>
  z
    .string()
    .min(1)
    .max(128)
    .transform((text) => text as Brand);

/** The most hosts of files that are asked, and the lengths of what names one, in characters. */
export const MOST_HOSTS = 8;
export const HOST_CHARACTERS = 255;
export const TOKEN_CHARACTERS = 4_096;

/**
 * The body of a message in the queue of media: a file that is to be prepared, sealed and brought to WhatsApp, with the right to do so. The
 * token is a secret of the account: it is in no log.
 */
export const sendJobSchema = z.object({
  version: z.literal(1),
  kind: z.literal('send'),
  tenantId: branded<TenantId>(),
  /** The connection whose message needs it, which is told when it is there. */
  connectionId: branded<ConnectionId>(),
  shard: z.number().int().min(0).max(9_999),
  correlationId: branded<CorrelationId>(),
  mediaId: branded<MediaId>(),
  as: z.enum(sentUses),
  convert: z.boolean(),
  /** Whether it is for channels, where files are not sealed. */
  plain: z.boolean().optional(),
  /** How many tokens of the upload had been refused when this one was asked for. */
  round: z.number().int().min(0),
  /** WhatsApp's hosts of files, in the order in which they are asked. */
  hosts: z.array(z.string().min(1).max(HOST_CHARACTERS)).min(1).max(MOST_HOSTS),
  token: z.string().min(1).max(TOKEN_CHARACTERS),
});
export type SendJob = z.infer<typeof sendJobSchema>;

export interface SendJobQueue {
  readonly queue: SQSClient;
  readonly stage: string;
  readonly queueUrlBase: string;
}

/** Has a file brought to WhatsApp. Resolves when the queue has the job; one that is asked for twice is uploaded once. */
export async function askForUpload({ queue, stage, queueUrlBase }: SendJobQueue, job: SendJob): Promise<void> {
  // A group in a standard queue is for fairness: a tenant with many files does not hold up the others.
  const entry = { MessageBody: JSON.stringify(job), MessageGroupId: job.tenantId };
  await sendEntries(queue, `${queueUrlBase}${mediaQueueName(stage)}`, [entry]);
}
