import { Duration } from 'aws-cdk-lib';
import {
  Column,
  Dashboard,
  GraphWidget,
  Metric,
  Row,
  TextWidget,
  type IMetric,
  type IWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import type { FargateService } from 'aws-cdk-lib/aws-ecs';
import type { Construct } from 'constructs';
import { metricCatalogue, type MetricName } from '../shared/platform/metricCatalogue.ts';
import { METRIC_NAMESPACE } from '../shared/platform/metrics.ts';
import { commandQueueName, deliveryQueueName, eventQueueName } from '../shared/platform/queues.ts';
import { tableDefinitions } from '../shared/platform/tables.ts';
import { deadLettersOf } from './queueDefinition.ts';
import { throttleMetric } from './tableAlarms.ts';

/** Which questions stand together, from top to bottom as somebody on call asks them. */
const rows: readonly (readonly [title: string, ...names: readonly MetricName[]])[] = [
  ['Who owns what', 'ShardsUnowned', 'ShardsOwned', 'ShardsMoved', 'ClaimsWon', 'ClaimsLost', 'HandOffDuration'],
  ['Workers', 'WorkersDead', 'LeaderChanges', 'BrakeActive', 'DrainDuration'],
  ['Watchdog', 'WatchdogSteps', 'WatchdogBrake'],
  ['Their leases', 'HeartbeatLatency', 'HeartbeatMissed', 'SuspendedDuration', 'FencedCommits'],
  ['Their condition', 'WorkerMemoryShare', 'EventLoopDelay', 'WorkerRecycled', 'ScopeResources'],
  [
    'Opening',
    'OpenAttempts',
    'OpenSucceeded',
    'OpenFailed',
    'TimeToOpen',
    'OpenBudgetWait',
    'OutageMode',
    'ClientVersionRefused',
  ],
  ['What we depend on', 'BreakerState', 'BreakerOpened'],
  ['Open in name only', 'ConnectionsUnwell', 'SocketsRecycled', 'WorkersUnwell'],
  ['As connections are set', 'MessagesFiltered', 'ReadReceiptsLost', 'CallsRejected'],
  ['Messages', 'MessagesSent', 'RetryReceipts', 'SessionsRenewed', 'SessionItemsTooLarge', 'Conflicts'],
];

const WIDTH = 24;
const HEIGHT = 6;

export interface DashboardProps {
  readonly stage: string;
  readonly api: HttpApi;
  readonly service: FargateService;
}

/** One dashboard: what the workers say of themselves, each graph titled with its question, and what AWS says of the rest. */
export function addDashboard(scope: Construct, props: DashboardProps): Dashboard {
  const { stage } = props;
  const dashboard = new Dashboard(scope, 'Dashboard', { dashboardName: `${stage}-holdfast` });
  for (const [title, ...names] of rows) {
    addRow(
      dashboard,
      title,
      names.map((name) => ({ title: metricCatalogue[name].question, metrics: catalogueMetrics(stage, name) })),
    );
  }
  for (const { title, graphs } of awsRows(props)) addRow(dashboard, title, graphs);
  return dashboard;
}

interface Graph {
  readonly title: string;
  readonly metrics: readonly IMetric[];
}

function addRow(dashboard: Dashboard, title: string, graphs: readonly Graph[]): void {
  const inRow = Math.min(graphs.length, 3);
  const widgets = graphs.map(
    (graph): IWidget =>
      new GraphWidget({ title: graph.title, left: [...graph.metrics], width: WIDTH / inRow, height: HEIGHT }),
  );
  const lines = Array.from(
    { length: Math.ceil(widgets.length / inRow) },
    (_, index) => new Row(...widgets.slice(index * inRow, (index + 1) * inRow)),
  );
  dashboard.addWidgets(new Column(new TextWidget({ markdown: `## ${title}`, width: WIDTH, height: 1 }), ...lines));
}

/** A line for each value of its dimension; two for a distribution. */
function catalogueMetrics(stage: string, name: MetricName): readonly IMetric[] {
  const { kind, dimensions } = metricCatalogue[name];
  const statistics = kind === 'count' ? ['Sum'] : kind === 'gauge' ? ['Maximum'] : ['p50', 'p99'];
  const [dimension] = Object.entries<readonly string[]>(dimensions);
  const sets = dimension === undefined ? [{}] : dimension[1].map((value) => ({ [dimension[0]]: value }));
  return sets.flatMap((set: Readonly<Record<string, string>>) =>
    statistics.map(
      (statistic) =>
        new Metric({
          namespace: METRIC_NAMESPACE,
          metricName: name,
          dimensionsMap: { stage, ...set },
          statistic,
          period: Duration.minutes(1),
          label: [name, ...Object.values(set), ...(kind === 'measure' ? [statistic] : [])].join(' '),
        }),
    ),
  );
}

function awsRows({ stage, api, service }: DashboardProps): readonly {
  readonly title: string;
  readonly graphs: readonly Graph[];
}[] {
  const period = Duration.minutes(1);
  const queues = [eventQueueName(stage), deliveryQueueName(stage)];
  const dead = [commandQueueName(stage, 0), ...queues].map((name) => deadLettersOf(stage, name));
  const ofQueue = (metricName: string) => (QueueName: string) =>
    new Metric({ namespace: 'AWS/SQS', metricName, dimensionsMap: { QueueName }, statistic: 'Maximum', period });
  return [
    {
      title: 'API',
      graphs: [
        { title: 'How many requests?', metrics: [api.metricCount({ period, statistic: 'SampleCount' })] },
        {
          title: 'How many were refused or failed?',
          metrics: [
            api.metricClientError({ period, statistic: 'Sum' }),
            api.metricServerError({ period, statistic: 'Sum' }),
          ],
        },
        {
          title: 'How long did they take?',
          metrics: ['p50', 'p99'].map((statistic) => api.metricLatency({ period, statistic })),
        },
      ],
    },
    {
      title: 'Queues',
      graphs: [
        { title: 'How old is the oldest message?', metrics: queues.map(ofQueue('ApproximateAgeOfOldestMessage')) },
        { title: 'How many wait?', metrics: queues.map(ofQueue('ApproximateNumberOfMessagesVisible')) },
        { title: 'Are there dead letters?', metrics: dead.map(ofQueue('ApproximateNumberOfMessagesVisible')) },
      ],
    },
    {
      title: 'Machines and tables',
      graphs: [
        {
          title: 'How full is the fullest worker?',
          metrics: [
            service.metricMemoryUtilization({ period, statistic: 'Maximum' }),
            service.metricCpuUtilization({ period, statistic: 'Maximum' }),
          ],
        },
        {
          title: 'How many workers are running?',
          metrics: [service.metricCpuUtilization({ period, statistic: 'SampleCount', label: 'workers' })],
        },
        {
          title: 'Do tables throttle?',
          metrics: tableDefinitions.flatMap(({ name }) =>
            (['Read', 'Write'] as const).map((kind) => throttleMetric(stage, name, kind)),
          ),
        },
      ],
    },
  ];
}
