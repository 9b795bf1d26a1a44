import { CreateQueueCommand, SetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { fifoThroughput, MESSAGE_BYTES, queueDefinitions, type QueueDefinition } from '../../shared/platform/queues.ts';
import { credentialsOf } from './callers.ts';

/** Account id and region that the SQS emulator puts into ARNs and URLs. */
const ACCOUNT = '000000000000';
const REGION = 'us-east-1';

/** The part of a queue's URL that stands before its name. */
export function queueUrlBase(endpoint: string): string {
  return `${endpoint}/${ACCOUNT}/`;
}

/**
 * Makes the queues of a stage, with their dead-letter queues. One that is there already, from an earlier release, gets
 * the settings of this one.
 */
export async function createQueues(
  endpoint: string,
  stage: string,
  shardCount: number,
  eventQueues = 1,
): Promise<void> {
  const client = new SQSClient({ endpoint, region: REGION, credentials: credentialsOf('stack') });
  try {
    for (const definition of queueDefinitions(stage, shardCount, eventQueues)) {
      await create(client, endpoint, definition);
    }
  } finally {
    client.destroy();
  }
}

async function create(client: SQSClient, endpoint: string, definition: QueueDefinition): Promise<void> {
  const Attributes = attributesOf(definition);
  try {
    await client.send(new CreateQueueCommand({ QueueName: definition.name, Attributes }));
  } catch (error) {
    if (!(error instanceof Error) || !error.name.endsWith('QueueNameExists')) throw error;
    const { FifoQueue: _kind, ...changeable } = Attributes;
    const QueueUrl = `${queueUrlBase(endpoint)}${definition.name}`;
    await client.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: changeable }));
  }
}

function attributesOf(definition: QueueDefinition): Record<string, string> {
  return {
    VisibilityTimeout: String(definition.visibilityTimeoutSeconds),
    MaximumMessageSize: String(MESSAGE_BYTES),
    MessageRetentionPeriod: String(definition.retentionSeconds),
    ...(definition.fifo ? { FifoQueue: 'true', ...fifoThroughput } : {}),
    ...(definition.deadLetter === undefined
      ? {}
      : {
          RedrivePolicy: JSON.stringify({
            deadLetterTargetArn: `arn:aws:sqs:${REGION}:${ACCOUNT}:${definition.deadLetter.name}`,
            maxReceiveCount: definition.deadLetter.maxReceiveCount,
          }),
        }),
  };
}
