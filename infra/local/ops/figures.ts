import { namespaceOf, type DashboardDefinition, type ShareLine, type Widget } from '../../dashboards/dashboard.ts';
import type { MetricStore } from './metricStore.ts';

/** One line of a chart: a value for each minute, oldest first; null where there was none. */
export interface FigureLine {
  readonly label: string;
  readonly points: readonly (number | null)[];
}

export interface Figure extends Pick<Widget, 'title' | 'section' | 'unit' | 'limit'> {
  readonly lines: readonly FigureLine[];
  /** Whether all lines are metrics that only AWS measures, so that the chart stays empty here. */
  readonly onlyOnAws: boolean;
}

export interface DashboardFigures {
  readonly name: string;
  readonly title: string;
  readonly figures: readonly Figure[];
}

/**
 * The dashboards with the values that the store holds for them. Apart from reading the store, the function is pure.
 * @param minutes how many, the present one included
 */
export function figuresOf(
  definitions: readonly DashboardDefinition[],
  store: Pick<MetricStore, 'read'>,
  minutes: number,
): readonly DashboardFigures[] {
  return definitions.map(({ name, title, widgets }) => ({
    name,
    title,
    figures: widgets.map((widget) => toFigure(widget, store, minutes)),
  }));
}

function toFigure(widget: Widget, store: Pick<MetricStore, 'read'>, minutes: number): Figure {
  const { title, section, unit, limit, metrics, share } = widget;
  const lines = metrics.map((metric) => ({
    label: metric.label,
    points: store.read(
      { namespace: namespaceOf(metric), name: metric.name, dimensions: metric.dimensions ?? {} },
      metric.stat,
      minutes,
    ),
  }));
  const isSilent = lines.every(({ points }) => points.every((point) => point === null));
  return {
    title,
    section,
    ...(unit === undefined ? {} : { unit }),
    ...(limit === undefined ? {} : { limit }),
    lines: share === undefined ? lines : [toShare(share, lines, minutes)],
    onlyOnAws: isSilent && metrics.every(({ namespace }) => namespace !== undefined),
  };
}

/** 100 × the sum of some lines ÷ the sum of all. A minute in which nothing was counted has no share. */
function toShare({ label, of, among }: ShareLine, lines: readonly FigureLine[], minutes: number): FigureLine {
  const sumAt = (labels: readonly string[], index: number): number =>
    lines.reduce((sum, line) => sum + (labels.includes(line.label) ? (line.points[index] ?? 0) : 0), 0);
  return {
    label,
    points: Array.from({ length: minutes }, (_, index) => {
      const all = sumAt(among, index);
      return all === 0 ? null : (100 * sumAt(of, index)) / all;
    }),
  };
}
