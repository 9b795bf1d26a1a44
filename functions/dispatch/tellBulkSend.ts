import { SendMessageCommand } from '@aws-sdk/client-sqs';
import type { BulkCounts, BulkSend } from '../../shared/bulk/bulkSend.ts';
import { toShownCounts } from '../../shared/bulk/bulkSendView.ts';
import type { FactBatch } from '../../shared/event/factBatch.ts';
import { bulkSendKeyOf, type BulkSendFact } from '../../shared/event/facts/bulkSendFact.ts';
import type { CommandQueue } from '../../shared/message/command.ts';
import { toAsciiJson } from '../../shared/platform/asciiJson.ts';
import { eventQueueName } from '../../shared/platform/queues.ts';

/**
 * Publishes the present state of a bulk send to ingest, which tells it once however often this is called. It goes to the first of
 * the queues, in the group of its connection, and needs no order with what workers publish: it is published when the rows of the
 * messages already say what it counts.
 */
export async function tellBulkSend(
  { queue, stage, queueUrlBase }: CommandQueue,
  bulk: BulkSend,
  counts: BulkCounts,
): Promise<void> {
  const { tenantId, connectionId, shard, correlationId, bulkSendId, changes, changedAtMs, state, total } = bulk;
  const key = bulkSendKeyOf(bulkSendId, changes);
  const fact: BulkSendFact = {
    kind: 'bulk_send',
    key,
    atMs: changedAtMs,
    bulkSendId,
    status: state,
    total,
    counts: toShownCounts(counts),
  };
  // No epoch is needed: no owner's word stands against it.
  const batch: FactBatch = {
    version: 1,
    tenantId,
    connectionId,
    shard,
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
