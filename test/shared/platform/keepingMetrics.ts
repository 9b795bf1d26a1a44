import type { MetricName } from '../../../shared/platform/metricCatalogue.ts';
import type { Metrics } from '../../../shared/platform/metrics.ts';

export interface KeptMetric {
  readonly name: MetricName;
  readonly value: number;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** Metrics that remember what was said, for tests of units that say something. */
export interface KeepingMetrics extends Metrics {
  /** Everything that was said, in order. */
  readonly kept: readonly KeptMetric[];
  /** All values of one metric in order, whatever its dimensions. */
  readonly valuesOf: (name: MetricName) => readonly number[];
  /** Sum of the values of one metric whose dimensions are, among others, these. */
  readonly totalOf: (name: MetricName, dimensions?: Readonly<Record<string, string>>) => number;
}

export function keepingMetrics(): KeepingMetrics {
  const kept: KeptMetric[] = [];
  const keep = (name: MetricName, value: number, dimensions: object): void => {
    kept.push({ name, value, dimensions: { ...dimensions } });
  };
  return {
    count: (name, dimensions, by = 1) => keep(name, by, dimensions),
    measure: keep,
    gauge: keep,
    kept,
    valuesOf: (name) => kept.filter((metric) => metric.name === name).map(({ value }) => value),
    totalOf: (name, dimensions = {}) =>
      kept
        .filter((metric) => metric.name === name)
        .filter((metric) => Object.entries(dimensions).every(([key, value]) => metric.dimensions[key] === value))
        .reduce((sum, { value }) => sum + value, 0),
  };
}
