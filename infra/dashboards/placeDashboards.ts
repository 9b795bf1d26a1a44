import { Duration } from 'aws-cdk-lib';
import {
  Column,
  Dashboard,
  GraphWidget,
  MathExpression,
  Metric,
  Row,
  TextWidget,
  type IMetric,
  type IWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import {
  namespaceOf,
  type DashboardDefinition,
  type DashboardMetric,
  type PhysicalNames,
  type Widget,
} from './dashboard.ts';
import { dashboardDefinitions } from './definitions.ts';
import type { Settings } from '../settings/settings.ts';

const WIDTH = 24;
const HEIGHT = 6;
const IN_A_ROW = 3;

/** The dashboards of a stage, from the same definitions as the local page: `<stage>-holdfast`, and one for each concern. */
export function addDashboards(
  scope: Construct,
  { stage, dashboards }: Pick<Settings, 'stage' | 'dashboards'>,
  names: PhysicalNames,
): void {
  const definitions = dashboardDefinitions(stage, names);
  for (const definition of dashboards === 'ops' ? definitions.filter(({ name }) => name === 'ops') : definitions) {
    addDashboard(scope, stage, definition);
  }
}

function addDashboard(scope: Construct, stage: string, { name, widgets }: DashboardDefinition): void {
  const dashboard = new Dashboard(scope, `${name}-dashboard`, {
    dashboardName: name === 'ops' ? `${stage}-holdfast` : `${stage}-holdfast-${name}`,
  });
  for (const [section, ofSection] of Map.groupBy(widgets, (widget) => widget.section)) {
    const inRow = Math.min(ofSection.length, IN_A_ROW);
    const graphs = ofSection.map((widget) => toGraph(widget, WIDTH / inRow));
    const rows = Array.from(
      { length: Math.ceil(graphs.length / inRow) },
      (_, index) => new Row(...graphs.slice(index * inRow, (index + 1) * inRow)),
    );
    dashboard.addWidgets(new Column(new TextWidget({ markdown: `## ${section}`, width: WIDTH, height: 1 }), ...rows));
  }
}

function toGraph({ title, metrics, share, limit }: Widget, width: number): IWidget {
  const made = new Map(metrics.map((metric) => [metric.label, toMetric(metric, 1)]));
  const left: readonly IMetric[] =
    share === undefined
      ? [...made.values()]
      : [
          shareExpression(
            share.of.map((label) => made.get(label)).filter((metric) => metric !== undefined),
            share.among.map((label) => made.get(label)).filter((metric) => metric !== undefined),
            { label: share.label, minutes: 1 },
          ),
        ];
  return new GraphWidget({
    title,
    left: [...left],
    leftAnnotations: limit === undefined ? [] : [limit],
    width,
    height: HEIGHT,
  });
}

/** The CloudWatch metric of a line. */
export function toMetric(metric: DashboardMetric, minutes: number): Metric {
  return new Metric({
    namespace: namespaceOf(metric),
    metricName: metric.name,
    dimensionsMap: { ...metric.dimensions },
    statistic: metric.stat,
    label: metric.label,
    period: Duration.minutes(minutes),
  });
}

/**
 * 100 × the sum of some ÷ the sum of others. A count of nothing is no data, and then an expression would have no value
 * at all: a missing count is taken as 0. When there are none of the others, the share is no data.
 */
export function shareExpression(
  of: readonly Metric[],
  among: readonly Metric[],
  { label, minutes }: { readonly label: string; readonly minutes: number },
): MathExpression {
  const sum = (letter: string, all: readonly Metric[]): string =>
    all.map((_, index) => `FILL(${letter}${index}, 0)`).join(' + ');
  return new MathExpression({
    expression: `100 * (${sum('a', of)}) / (${sum('b', among)})`,
    usingMetrics: {
      ...Object.fromEntries(of.map((metric, index) => [`a${index}`, metric])),
      ...Object.fromEntries(among.map((metric, index) => [`b${index}`, metric])),
    },
    label,
    period: Duration.minutes(minutes),
  });
}
