import { metricCatalogue, type DimensionsOf, type MetricName } from '../../shared/platform/metricCatalogue.ts';
import { METRIC_NAMESPACE } from '../../shared/platform/metrics.ts';

/**
 * The contents of a dashboard, as data: CloudWatch's dashboards and the local page are both made of it. Nothing here
 * knows CDK.
 */
export interface DashboardMetric {
  /** The namespace of the metric; {@link METRIC_NAMESPACE} when left out. A namespace of AWS exists only there. */
  readonly namespace?: `AWS/${string}`;
  readonly name: string;
  /** All dimensions, `stage` included: a metric is found by exactly those under which it was written. */
  readonly dimensions?: Readonly<Record<string, string>>;
  /**
   * The statistic of one minute, in CloudWatch's word: `Sum`, `Maximum`, `Average`, `SampleCount`, `p50`, `p99`,
   * `PR(:10000)`.
   */
  readonly stat: string;
  /** The name of the line, unique in its widget. */
  readonly label: string;
}

export type WidgetUnit = 'count' | 'milliseconds' | 'percent' | 'bytes' | 'flag';

/** A line made of others: 100 × the sum of `of` ÷ the sum of `among`, both by label. */
export interface ShareLine {
  readonly label: string;
  readonly of: readonly string[];
  readonly among: readonly string[];
}

export interface Widget {
  /** The question that the widget answers. */
  readonly title: string;
  /** The heading under which the widget stands, together with its neighbours of the same heading. */
  readonly section: string;
  readonly metrics: readonly DashboardMetric[];
  readonly unit?: WidgetUnit;
  /** The line to show instead of the metrics that it is made of. */
  readonly share?: ShareLine;
  /** A level that should not be left, drawn across the chart. */
  readonly limit?: { readonly value: number; readonly label: string };
}

export interface DashboardDefinition {
  /** The name of the dashboard: unique in a stage, and part of the physical name. */
  readonly name: string;
  readonly title: string;
  readonly widgets: readonly Widget[];
}

/** The names that AWS gives when a stack is made. */
export interface PhysicalNames {
  readonly apiId: string;
  readonly clusterName: string;
  readonly serviceName: string;
  /** The number of queues for events. */
  readonly eventQueues: number;
}

/** A line from a metric of our own. Only metrics of the catalogue compile. */
export function ownMetric<Name extends MetricName>(
  stage: string,
  name: Name,
  dimensions: DimensionsOf<Name>,
  stat: string,
  label: string,
): DashboardMetric {
  return { name, dimensions: { stage, ...dimensions }, stat, label };
}

const unitOf = { Count: 'count', Milliseconds: 'milliseconds', Percent: 'percent', None: 'flag' } as const;

/** The default way to show one metric of the catalogue: its question, and a line for each of its values. */
export function widgetOf(stage: string, section: string, name: MetricName): Widget {
  const { kind, unit, question } = metricCatalogue[name];
  const dimensions: Readonly<Record<string, readonly string[]>> = metricCatalogue[name].dimensions;
  // Workers write the gauges of what they hold side by side, and the fleet is their sum.
  const stats = kind === 'measure' ? ['p50', 'p99'] : [kind === 'count' || isShared(name) ? 'Sum' : 'Maximum'];
  const [dimension] = Object.entries(dimensions);
  const sets = dimension === undefined ? [{}] : dimension[1].map((value) => ({ [dimension[0]]: value }));
  return {
    title: question,
    section,
    unit: unitOf[unit],
    metrics: sets.flatMap((set: Readonly<Record<string, string>>) =>
      stats.map((stat) => ({
        name,
        dimensions: { stage, ...set },
        stat,
        label: [...Object.values(set), ...(kind === 'measure' ? [stat] : [])].join(' ') || name,
      })),
    ),
  };
}

function isShared(name: MetricName): boolean {
  return name === 'ConnectionsByStatus';
}

/** The namespace of a metric. */
export function namespaceOf({ namespace }: DashboardMetric): string {
  return namespace ?? METRIC_NAMESPACE;
}
