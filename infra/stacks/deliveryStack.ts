import { Stack, type StackProps } from 'aws-cdk-lib';
import { EventSourceMapping, type IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { deliveryQueueName, eventQueueNames, functionTimes } from '../../shared/platform/queues.ts';
import { accessStatements } from '../access/accessStatements.ts';
import { Handler } from '../constructs/handler.ts';
import { storeEnvironment } from '../settings/environment.ts';
import { batchesAtOnce } from '../settings/concurrency.ts';
import { queueArn } from '../settings/resources.ts';
import type { Settings } from '../settings/settings.ts';

export interface DeliveryStackProps extends StackProps {
  readonly settings: Settings;
}

/** The largest batch that SQS gives of a FIFO queue. */
const BATCH_SIZE = 10;

/** The way from the events queue to stored messages, events and deliveries, and from there to the tenants' webhooks. */
export class DeliveryStack extends Stack {
  constructor(scope: Construct, id: string, props: DeliveryStackProps) {
    super(scope, id, props);
    const { settings } = props;
    const { stage, eventQueues } = settings;
    this.#addConsumer(settings, 'ingest', eventQueueNames(stage, eventQueues));
    this.#addConsumer(settings, 'deliver', [deliveryQueueName(stage)]);
  }

  #addConsumer(settings: Settings, name: 'ingest' | 'deliver', queueNames: readonly string[]): void {
    const concurrency = batchesAtOnce(settings, name);
    const { target, role } = new Handler(this, name, {
      settings,
      name,
      entry: `functions/${name}/entry.ts`,
      timeoutSeconds: functionTimes.timeoutSeconds,
      reservedConcurrency: concurrency,
      environment: storeEnvironment(this, settings),
      statements: accessStatements(this, settings, name),
      isShifted: true,
    });
    for (const [place, queueName] of queueNames.entries()) {
      const id = place === 0 ? `${name}-source` : `${name}-source-${place}`;
      const source = this.#addSource(id, target, queueName, Math.floor(concurrency / queueNames.length));
      // The policy must exist first: AWS checks whether the role may read the queue when the source is made.
      source.node.addDependency(role);
    }
  }

  #addSource(id: string, target: IFunction, queueName: string, concurrency: number): EventSourceMapping {
    return new EventSourceMapping(this, id, {
      target,
      eventSourceArn: queueArn(this, queueName),
      // There is no batching window: what waits for a full batch is late, and a backlog fills the batches by itself.
      batchSize: BATCH_SIZE,
      // Without this, the whole batch would come again because of one record.
      reportBatchItemFailures: true,
      // More batches at once than the function's concurrency would be throttled, and each throttle counts as a receive
      // on the way to the dead letters.
      maxConcurrency: concurrency,
    });
  }
}
