import {
  commandQueueName,
  deliveryQueueNames,
  eventQueueNames,
  mediaQueueName,
  queueDefinitions,
} from '../../shared/platform/queues.ts';
import { tableDefinitions, tableName } from '../../shared/platform/tables.ts';
import type { DashboardMetric, PhysicalNames, Widget } from './dashboard.ts';

/**
 * Widgets about the parts that do not report for themselves; AWS measures them. Outside AWS these widgets stay empty.
 */
export function apiWidgets(section: string, { apiId }: PhysicalNames): readonly Widget[] {
  const metric = (name: string, stat: string, label: string): DashboardMetric => ({
    namespace: 'AWS/ApiGateway',
    name,
    dimensions: { ApiId: apiId },
    stat,
    label,
  });
  return [
    { section, title: 'How many requests?', unit: 'count', metrics: [metric('Count', 'SampleCount', 'requests')] },
    {
      section,
      title: 'How many were refused or failed?',
      unit: 'count',
      metrics: [metric('4xx', 'Sum', 'refused'), metric('5xx', 'Sum', 'failed')],
    },
    {
      section,
      title: 'How long did they take?',
      unit: 'milliseconds',
      metrics: [metric('Latency', 'p50', 'p50'), metric('Latency', 'p99', 'p99')],
      limit: { value: 3_000, label: 'slow' },
    },
  ];
}

/** Age and length of the queues between the parts, and the number of dead letters. */
export function queueWidgets(stage: string, section: string, { eventQueues }: PhysicalNames): readonly Widget[] {
  const queues = [...eventQueueNames(stage, eventQueues), ...deliveryQueueNames(stage), mediaQueueName(stage)];
  const deadNames = queueDefinitions(stage, 1)
    .filter(({ name }) => [commandQueueName(stage, 0), ...queues].includes(name))
    .flatMap(({ deadLetter }) => deadLetter?.name ?? []);
  const dead = [...new Set(deadNames)];
  const metric = (name: string) => (queue: string) =>
    ({
      namespace: 'AWS/SQS',
      name,
      dimensions: { QueueName: queue },
      stat: 'Maximum',
      label: queue,
    }) as const;
  return [
    {
      section,
      title: 'How old is the oldest message, in seconds?',
      metrics: queues.map(metric('ApproximateAgeOfOldestMessage')),
    },
    {
      section,
      title: 'How many wait?',
      unit: 'count',
      metrics: queues.map(metric('ApproximateNumberOfMessagesVisible')),
    },
    {
      section,
      title: 'Are there dead letters?',
      unit: 'count',
      metrics: dead.map(metric('ApproximateNumberOfMessagesVisible')),
    },
  ];
}

const kinds = ['Read', 'Write'] as const;

/** Whether the tables accept the calls made to them, and how many calls there are. */
export function storeWidgets(stage: string, section: string): readonly Widget[] {
  return [
    {
      section,
      title: 'Do tables throttle?',
      unit: 'count',
      metrics: tableMetrics(stage, (kind) => `${kind}ThrottleEvents`),
    },
    {
      section,
      title: 'How long do reads and writes of one item take?',
      unit: 'milliseconds',
      metrics: tableDefinitions.flatMap(({ name }) =>
        ['GetItem', 'UpdateItem'].map((operation) => ({
          namespace: 'AWS/DynamoDB' as const,
          name: 'SuccessfulRequestLatency',
          dimensions: { TableName: tableName(stage, name), Operation: operation },
          stat: 'p99',
          label: `${name} ${operation}`,
        })),
      ),
    },
  ];
}

function tableMetrics(stage: string, nameOf: (kind: (typeof kinds)[number]) => string): readonly DashboardMetric[] {
  return tableDefinitions.flatMap(({ name }) =>
    kinds.map((kind) => ({
      namespace: 'AWS/DynamoDB' as const,
      name: nameOf(kind),
      dimensions: { TableName: tableName(stage, name) },
      stat: 'Sum',
      label: `${name} ${kind.toLowerCase()}s`,
    })),
  );
}

/** How full the workers are, as ECS measures it, and which functions are throttled. */
export function capacityWidgets(
  stage: string,
  section: string,
  { clusterName, serviceName }: PhysicalNames,
): readonly Widget[] {
  const ofService = (name: string, stat: string, label: string): DashboardMetric => ({
    namespace: 'AWS/ECS',
    name,
    dimensions: { ClusterName: clusterName, ServiceName: serviceName },
    stat,
    label,
  });
  return [
    {
      section,
      title: 'How full is the fullest worker?',
      unit: 'percent',
      metrics: [ofService('MemoryUtilization', 'Maximum', 'memory'), ofService('CPUUtilization', 'Maximum', 'CPU')],
      limit: { value: 80, label: 'short' },
    },
    {
      section,
      title: 'How many workers are running?',
      unit: 'count',
      metrics: [ofService('CPUUtilization', 'SampleCount', 'workers')],
    },
    {
      section,
      title: 'Are functions held back by their reserved concurrency?',
      unit: 'count',
      metrics: functionNames.map((name) => lambdaMetric(stage, name, 'Throttles')),
    },
  ];
}

/** Functions whose load grows with the number of connections. */
const functionNames = ['api', 'ingest', 'deliver'] as const;

function lambdaMetric(stage: string, functionName: string, name: string): DashboardMetric {
  return {
    namespace: 'AWS/Lambda',
    name,
    dimensions: { FunctionName: `${stage}-${functionName}` },
    stat: 'Sum',
    label: functionName,
  };
}

/** The quantities that the bill grows with. */
export function costWidgets(stage: string, section: string, { eventQueues }: PhysicalNames): readonly Widget[] {
  return [
    {
      section,
      title: 'How many units of reading and writing do the tables take?',
      unit: 'count',
      metrics: tableMetrics(stage, (kind) => `Consumed${kind}CapacityUnits`),
    },
    {
      section,
      title: 'How many messages go through the queues?',
      unit: 'count',
      metrics: [...eventQueueNames(stage, eventQueues), ...deliveryQueueNames(stage), mediaQueueName(stage)].map(
        (queue) => ({
          namespace: 'AWS/SQS',
          name: 'NumberOfMessagesSent',
          dimensions: { QueueName: queue },
          stat: 'Sum',
          label: queue,
        }),
      ),
    },
    {
      section,
      title: 'How much do we write to the logs?',
      unit: 'bytes',
      metrics: ['worker', ...functionNames].map((name) => ({
        namespace: 'AWS/Logs',
        name: 'IncomingBytes',
        dimensions: { LogGroupName: `/holdfast/${stage}/${name}` },
        stat: 'Sum',
        label: name,
      })),
    },
  ];
}
