import { SendMessageCommand } from '@aws-sdk/client-sqs';
import type { FactBatch } from '../../shared/event/factBatch.ts';
import { mediaFactKeyOf, type MediaFact } from '../../shared/event/facts/mediaFact.ts';
import { toShownMedia, type Media } from '../../shared/media/media.ts';
import type { MediaQueue } from '../../shared/media/mediaJob.ts';
import { toAsciiJson } from '../../shared/platform/asciiJson.ts';
import { eventQueueName } from '../../shared/platform/queues.ts';

/**
 * Publishes what has become of a file to ingest, which tells it once however often this is called. It goes to the first of the queues, in the group
 * of its connection, and comes behind its message: a file is asked for when that is told.
 */
export async function tellMedia({ queue, stage, queueUrlBase }: MediaQueue, media: Media): Promise<void> {
  const { tenantId, connectionId, messageId, mediaId, correlationId, createdAtMs, endedAtMs = createdAtMs } = media;
  const key = mediaFactKeyOf(media);
  const fact: MediaFact = { kind: 'media', key, atMs: endedAtMs, messageId, mediaId, media: toShownMedia(media) };
  // No epoch is needed: no owner's word stands against it. The shard is for people, who find nothing by it here.
  const batch: FactBatch = {
    version: 1,
    tenantId,
    connectionId,
    shard: 0,
    token: 1,
    correlationId,
    batchId: key,
    events: [fact],
  };
  await queue.send(
    new SendMessageCommand({
      QueueUrl: `${queueUrlBase}${eventQueueName(stage)}`,
      MessageBody: toAsciiJson(batch),
      MessageGroupId: connectionId,
      MessageDeduplicationId: key,
    }),
  );
}
