import { Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { queueDefinitions } from '../shared/platform/queues.ts';

export interface QueueStackProps extends StackProps {
  readonly stage: string;
  readonly shardCount: number;
}

/** All queues with their dead letters, made from the same definitions as the embedded stack's. */
export class QueueStack extends Stack {
  constructor(scope: Construct, id: string, props: QueueStackProps) {
    super(scope, id, props);
    const queues = new Map<string, Queue>();
    for (const definition of queueDefinitions(props.stage, props.shardCount)) {
      const deadLetter = definition.deadLetter && queues.get(definition.deadLetter.name);
      const queue = new Queue(this, definition.name, {
        queueName: definition.name,
        ...(definition.fifo ? { fifo: true } : {}),
        encryption: QueueEncryption.SQS_MANAGED,
        enforceSSL: true,
        visibilityTimeout: Duration.seconds(definition.visibilityTimeoutSeconds),
        retentionPeriod: Duration.seconds(definition.retentionSeconds),
        ...(deadLetter === undefined || definition.deadLetter === undefined
          ? {}
          : { deadLetterQueue: { queue: deadLetter, maxReceiveCount: definition.deadLetter.maxReceiveCount } }),
      });
      queues.set(definition.name, queue);
    }
  }
}
