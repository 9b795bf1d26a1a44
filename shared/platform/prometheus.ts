import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { metricCatalogue, type MetricName } from './metricCatalogue.ts';
import type { Metrics } from './metrics.ts';

/** The bounds of the buckets in milliseconds: from a quick write to a connection that took two minutes to open. */
const BUCKETS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 120_000];
/**
 * How often the platform's own timer looks how late the event loop is, in milliseconds. The library's ten milliseconds wake
 * an idle process a hundred times a second, which was a fifth of what a worker took at rest.
 */
const LOOP_LOOK_MS = 100;

export interface PrometheusMetrics extends Metrics {
  /** All values so far, in Prometheus' text format, with the process' own memory, CPU and event loop. */
  readonly text: () => Promise<string>;
  readonly contentType: string;
}

/**
 * The metrics of the catalogue for a scrape, beside the ones for CloudWatch. Names are of the form
 * `holdfast_heartbeat_latency_ms`.
 */
export function makePrometheusMetrics(stage: string): PrometheusMetrics {
  const registry = new Registry();
  registry.setDefaultLabels({ stage });
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LOOP_LOOK_MS });
  const counters = new Map<MetricName, Counter>();
  const gauges = new Map<MetricName, Gauge>();
  const histograms = new Map<MetricName, Histogram>();
  for (const name of Object.keys(metricCatalogue) as MetricName[]) {
    const { kind, question, dimensions } = metricCatalogue[name];
    const common = { help: question, labelNames: Object.keys(dimensions), registers: [registry] };
    const plain = toSnakeCase(name);
    if (kind === 'count') counters.set(name, new Counter({ ...common, name: `${plain}_total` }));
    else if (kind === 'gauge') gauges.set(name, new Gauge({ ...common, name: plain }));
    else histograms.set(name, new Histogram({ ...common, name: `${plain}_ms`, buckets: BUCKETS_MS }));
  }
  return {
    count: (name, dimensions, by = 1) => {
      if (isAddable(by)) counters.get(name)?.inc(labelsOf(name, dimensions), by);
    },
    measure: (name, value, dimensions) => {
      if (Number.isFinite(value)) histograms.get(name)?.observe(labelsOf(name, dimensions), value);
    },
    gauge: (name, value, dimensions) => {
      if (Number.isFinite(value)) gauges.get(name)?.set(labelsOf(name, dimensions), value);
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

/** Passes every value to two collectors. */
export function toBoth(first: Metrics, second: Metrics): Metrics {
  return {
    count: (...said) => {
      first.count(...said);
      second.count(...said);
    },
    measure: (...said) => {
      first.measure(...said);
      second.measure(...said);
    },
    gauge: (...said) => {
      first.gauge(...said);
      second.gauge(...said);
    },
  };
}

/** The dimensions of the catalogue and no others: a variable may carry more, and labels are for ever. */
function labelsOf(name: MetricName, given: object): Record<string, string> {
  const values = given as Readonly<Record<string, string>>;
  const names = Object.keys(metricCatalogue[name].dimensions);
  return Object.fromEntries(names.map((label) => [label, values[label] ?? 'unknown']));
}

/** Whether a value can be added to a counter of Prometheus, which only grows, and throws otherwise. */
function isAddable(by: number): boolean {
  return Number.isFinite(by) && by >= 0;
}

function toSnakeCase(name: string): string {
  return `holdfast${name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
}
