import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { commandQueueName, queueDefinitions } from '../../../shared/platform/queues.ts';
import type { Surroundings } from '../../../shared/platform/surroundings.ts';
import type { MetricStore } from './metricStore.ts';

/**
 * The metrics that AWS measures by itself and that the embedded stack can measure, too, under the names that dashboards
 * look for.
 */
const API_DIMENSIONS = { ApiId: 'api' } as const;
const EVERY_MS = 10_000;

/** Counts an answer of the API as API Gateway does: one value in each metric, so that all statistics come out right. */
export function noteAnswer(
  store: Pick<MetricStore, 'add'>,
  { status, durationMs }: { readonly status: number; readonly durationMs: number },
  atMs: number,
): void {
  const common = { namespace: 'AWS/ApiGateway', dimensions: API_DIMENSIONS, atMs };
  store.add({ ...common, name: 'Count', values: [1] });
  store.add({ ...common, name: 'Latency', values: [durationMs] });
  store.add({ ...common, name: '4xx', values: [status >= 400 && status < 500 ? 1 : 0] });
  store.add({ ...common, name: '5xx', values: [status >= 500 ? 1 : 0] });
}

export interface QueueWatchOptions extends Pick<Surroundings, 'logger'> {
  readonly queue: SQSClient;
  readonly stage: string;
  readonly queueUrlBase: string;
  readonly eventQueues: number;
  readonly store: Pick<MetricStore, 'add'>;
}

/**
 * Reads again and again how many messages wait in the queues that all shards share. The caller stops this.
 */
export function watchQueues({ queue, stage, queueUrlBase, eventQueues, store, logger }: QueueWatchOptions): {
  readonly stop: () => Promise<void>;
} {
  const names = queueDefinitions(stage, 1, eventQueues)
    .map(({ name }) => name)
    .filter((name) => name !== commandQueueName(stage, 0));
  const look = async (): Promise<void> => {
    for (const name of names) {
      const { Attributes } = await queue.send(
        new GetQueueAttributesCommand({
          QueueUrl: `${queueUrlBase}${name}`,
          AttributeNames: ['ApproximateNumberOfMessages'],
        }),
      );
      store.add({
        namespace: 'AWS/SQS',
        name: 'ApproximateNumberOfMessagesVisible',
        dimensions: { QueueName: name },
        atMs: Date.now(),
        values: [Number(Attributes?.ApproximateNumberOfMessages ?? 0)],
      });
    }
  };
  let looking: Promise<void> | undefined;
  const timer = setInterval(() => {
    looking ??= look()
      .catch((error: unknown) => logger.debug('queues could not be watched', { error }))
      .finally(() => {
        looking = undefined;
      });
  }, EVERY_MS);
  return {
    stop: () => {
      clearInterval(timer);
      queue.destroy();
      return Promise.resolve();
    },
  };
}
