import { NestedStack, type NestedStackProps } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnQueue, CfnQueuePolicy } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { fifoThroughput, type QueueDefinition } from '../../shared/platform/queues.ts';
import { queueArn } from '../settings/resources.ts';

/**
 * The number of queues in one nested stack. CloudFormation accepts 500 resources in a stack, and CDK warns from 400 on.
 * The number never changes, because queues would then move to another stack.
 */
export const QUEUES_PER_STACK = 390;

export interface ShardQueueStackProps extends NestedStackProps {
  readonly definitions: readonly QueueDefinition[];
}

/**
 * A part of the command queues. They are bare resources, because a policy for each queue would halve the number that
 * fits.
 */
export class ShardQueueStack extends NestedStack {
  constructor(scope: Construct, id: string, props: ShardQueueStackProps) {
    super(scope, id, props);
    const queues = props.definitions.map((definition) => this.#addQueue(definition));
    new CfnQueuePolicy(this, 'OnlyEncrypted', {
      queues: queues.map((queue) => queue.ref),
      policyDocument: new PolicyDocument({
        statements: [
          new PolicyStatement({
            effect: Effect.DENY,
            principals: [new AnyPrincipal()],
            actions: ['sqs:*'],
            resources: ['*'],
            conditions: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ],
      }),
    });
  }

  #addQueue(definition: QueueDefinition): CfnQueue {
    const { name, fifo, deadLetter } = definition;
    return new CfnQueue(this, `Queue${/\d+/.exec(name.slice(name.lastIndexOf('-')))?.[0] ?? name}`, {
      queueName: name,
      ...(fifo
        ? {
            fifoQueue: true,
            deduplicationScope: fifoThroughput.DeduplicationScope,
            fifoThroughputLimit: fifoThroughput.FifoThroughputLimit,
          }
        : {}),
      sqsManagedSseEnabled: true,
      visibilityTimeout: definition.visibilityTimeoutSeconds,
      messageRetentionPeriod: definition.retentionSeconds,
      ...(deadLetter === undefined
        ? {}
        : {
            redrivePolicy: {
              deadLetterTargetArn: queueArn(this, deadLetter.name),
              maxReceiveCount: deadLetter.maxReceiveCount,
            },
          }),
    });
  }
}
