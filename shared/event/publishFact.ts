import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { toAsciiJson } from '../platform/asciiJson.ts';
import { eventQueueName } from '../platform/queues.ts';
import type { FactBatch } from './factBatch.ts';
import type { Fact } from './facts/factRows.ts';

/** The queues of facts, as a function reaches them. */
export interface FactQueue {
  readonly queue: SQSClient;
  readonly stage: string;
  readonly queueUrlBase: string;
}

/** The connection and the request that a fact of ours is about. */
export interface FactSubject extends Pick<FactBatch, 'tenantId' | 'connectionId' | 'correlationId'> {
  readonly shard?: number | undefined;
}

/**
 * Publishes a fact that a function has found to ingest, which tells it once however often this is called. It goes to the first of the
 * queues, in the group of its connection, and in no order with what the connection's owner publishes.
 */
export async function publishFact(
  { queue, stage, queueUrlBase }: FactQueue,
  { tenantId, connectionId, correlationId, shard = 0 }: FactSubject,
  fact: Fact,
): Promise<void> {
  // No epoch is needed: no owner's word stands against it. The shard is for people alone.
  const batch: FactBatch = {
    version: 1,
    tenantId,
    connectionId,
    shard,
    token: 1,
    correlationId,
    batchId: fact.key,
    events: [fact],
  };
  await queue.send(
    new SendMessageCommand({
      QueueUrl: `${queueUrlBase}${eventQueueName(stage)}`,
      MessageBody: toAsciiJson(batch),
      MessageGroupId: connectionId,
      MessageDeduplicationId: fact.key,
    }),
  );
}
