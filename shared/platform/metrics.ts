import type { Clock } from '../kernel/clock.ts';
import {
  metricCatalogue,
  type CountName,
  type DimensionsOf,
  type GaugeName,
  type MeasureName,
  type MetricName,
} from './metricCatalogue.ts';

/** Takes what happened. Never throws and never waits; only what is in the catalogue compiles. */
export interface Metrics {
  readonly count: <Name extends CountName>(name: Name, dimensions: DimensionsOf<Name>, by?: number) => void;
  readonly measure: <Name extends MeasureName>(name: Name, value: number, dimensions: DimensionsOf<Name>) => void;
  readonly gauge: <Name extends GaugeName>(name: Name, value: number, dimensions: DimensionsOf<Name>) => void;
}

export const silentMetrics: Metrics = { count: () => undefined, measure: () => undefined, gauge: () => undefined };

export interface EmfOptions {
  readonly stage: string;
  readonly process: string;
  readonly clock: Clock;
  /** Takes one line, for example to standard output, where CloudWatch Logs finds the metrics in it. */
  readonly write: (line: string) => void;
  readonly flushEveryMs: number;
}

export interface EmfMetrics extends Metrics {
  /** Writes what is held. */
  readonly flush: () => void;
  /** Writes what is held and ends. */
  readonly stop: () => void;
}

const NAMESPACE = 'Holdfast';
/** Values of one metric in one line: CloudWatch's limit. Also what is held at most before a line is written early. */
const MOST_VALUES = 100;

interface Series {
  readonly name: MetricName;
  readonly dimensions: Readonly<Record<string, string>>;
  values: number[];
}

/**
 * Metrics as CloudWatch Embedded Metric Format: log lines that CloudWatch turns into metrics, so that no call waits for an
 * API. Values are put together for a while; counts are added up, of gauges the last one counts.
 * Source of the format: CloudWatch User Guide, "Specification: Embedded metric format".
 */
export function makeEmfMetrics({ stage, process, clock, write, flushEveryMs }: EmfOptions): EmfMetrics {
  const held = new Map<string, Series>();
  const stopping = new AbortController();

  const seriesOf = (name: MetricName, given: object): Series => {
    const dimensions = given as Readonly<Record<string, string>>;
    const key = `${name} ${Object.values(dimensions).join(' ')}`;
    const series = held.get(key) ?? { name, dimensions, values: [] };
    held.set(key, series);
    return series;
  };
  const flush = (): void => {
    for (const series of held.values()) write(toLine(series, { stage, process, atMs: clock.nowMs() }));
    held.clear();
  };
  const keepFlushing = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await clock.sleep(flushEveryMs, stopping.signal);
      flush();
    }
  };
  void keepFlushing();

  return {
    count: (name, dimensions, by = 1) => {
      const series = seriesOf(name, dimensions);
      series.values = [(series.values[0] ?? 0) + by];
    },
    measure: (name, value, dimensions) => {
      const series = seriesOf(name, dimensions);
      if (series.values.length >= MOST_VALUES) flush();
      seriesOf(name, dimensions).values.push(value);
    },
    gauge: (name, value, dimensions) => {
      seriesOf(name, dimensions).values = [value];
    },
    flush,
    stop: () => stopping.abort(),
  };
}

function toLine(
  { name, dimensions, values }: Series,
  { stage, process, atMs }: { readonly stage: string; readonly process: string; readonly atMs: number },
): string {
  const said = { stage, process, ...dimensions };
  const metric = { Name: name, Unit: metricCatalogue[name].unit };
  return JSON.stringify({
    _aws: {
      Timestamp: atMs,
      CloudWatchMetrics: [{ Namespace: NAMESPACE, Dimensions: [Object.keys(said)], Metrics: [metric] }],
    },
    ...said,
    [name]: values.length === 1 ? values[0] : values,
  });
}
