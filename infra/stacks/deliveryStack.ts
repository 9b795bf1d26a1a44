import { Size, Stack, type StackProps } from 'aws-cdk-lib';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping, type DockerImageCode, type IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import {
  deliveryQueueNames,
  eventQueueNames,
  functionTimes,
  mediaQueueName,
  mediaTimes,
} from '../../shared/platform/queues.ts';
import { accessStatements, objectStatements } from '../access/accessStatements.ts';
import { Handler } from '../constructs/handler.ts';
import { acknowledgeObjects } from '../constructs/objectAccess.ts';
import { conversionEnvironment, objectEnvironment, storeEnvironment } from '../settings/environment.ts';
import { batchesAtOnce, sharesOfQueues } from '../settings/concurrency.ts';
import { queueArn } from '../settings/resources.ts';
import type { Settings } from '../settings/settings.ts';

export interface DeliveryStackProps extends StackProps {
  readonly settings: Settings;
  /** The key with which the files of messages are sealed. */
  readonly dataKeyArn: string;
  /** The image of the media function for ARM64. */
  readonly mediaImage: DockerImageCode;
}

/** The largest batch that SQS gives of a FIFO queue. */
const BATCH_SIZE = 10;

interface Consumer {
  readonly name: 'ingest' | 'deliver' | 'media';
  readonly queueNames: readonly string[];
  readonly timeoutSeconds: number;
  readonly batchSize: number;
  readonly memoryMib?: number;
  readonly disk?: Size;
  readonly image?: DockerImageCode;
  readonly environment?: Readonly<Record<string, string>>;
  readonly statements?: readonly PolicyStatement[];
}

/**
 * The way from the events queue to stored messages, events and deliveries, from there to the tenants' webhooks, and to the
 * files of messages.
 */
export class DeliveryStack extends Stack {
  constructor(scope: Construct, id: string, props: DeliveryStackProps) {
    super(scope, id, props);
    const { settings, dataKeyArn, mediaImage } = props;
    const { stage, eventQueues } = settings;
    const common = { timeoutSeconds: functionTimes.timeoutSeconds, batchSize: BATCH_SIZE };
    this.#addConsumer(settings, { ...common, name: 'ingest', queueNames: eventQueueNames(stage, eventQueues) });
    this.#addConsumer(settings, { ...common, name: 'deliver', queueNames: deliveryQueueNames(stage) });
    const media = this.#addConsumer(settings, {
      name: 'media',
      queueNames: [mediaQueueName(stage)],
      timeoutSeconds: mediaTimes.timeoutSeconds,
      batchSize: mediaTimes.batchSize,
      // Lambda gives processor and network by memory: one whole core from 1,769 MiB on. A file that is converted takes a third of it.
      memoryMib: 2_048,
      // What is converted lies here once as it came and twice as it is made; what is only passed on never does.
      disk: Size.mebibytes(1_024),
      image: mediaImage,
      environment: { ...objectEnvironment(this, settings), ...conversionEnvironment },
      statements: objectStatements(this, settings, 'media', dataKeyArn),
    });
    acknowledgeObjects(media.role, stage);
  }

  #addConsumer(settings: Settings, consumer: Consumer): Handler {
    const {
      name,
      queueNames,
      timeoutSeconds,
      batchSize,
      memoryMib,
      disk,
      image,
      environment = {},
      statements = [],
    } = consumer;
    const concurrency = batchesAtOnce(settings, name);
    const handler = new Handler(this, name, {
      settings,
      name,
      code: image ?? `functions/${name}/entry.ts`,
      timeoutSeconds,
      ...(memoryMib === undefined ? {} : { memoryMib }),
      ...(disk === undefined ? {} : { disk }),
      reservedConcurrency: concurrency,
      environment: { ...storeEnvironment(this, settings), ...environment },
      statements: [...accessStatements(this, settings, name), ...statements],
      isShifted: true,
    });
    const shares = sharesOfQueues(name, concurrency, queueNames.length);
    for (const [place, queueName] of queueNames.entries()) {
      const id = place === 0 ? `${name}-source` : `${name}-source-${place}`;
      const atOnce = shares[place] ?? 0;
      const source = this.#addSource(id, handler.target, queueName, { atOnce, batchSize });
      // The policy must exist first: AWS checks whether the role may read the queue when the source is made.
      source.node.addDependency(handler.role);
    }
    return handler;
  }

  #addSource(
    id: string,
    target: IFunction,
    queueName: string,
    { atOnce, batchSize }: { readonly atOnce: number; readonly batchSize: number },
  ): EventSourceMapping {
    return new EventSourceMapping(this, id, {
      target,
      eventSourceArn: queueArn(this, queueName),
      // There is no batching window: what waits for a full batch is late, and a backlog fills the batches by itself.
      batchSize,
      // Without this, the whole batch would come again because of one record.
      reportBatchItemFailures: true,
      // More batches at once than the function's concurrency would be throttled, and each throttle counts as a receive
      // on the way to the dead letters.
      maxConcurrency: atOnce,
    });
  }
}
