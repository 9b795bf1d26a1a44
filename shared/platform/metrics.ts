import type { Clock } from '../kernel/clock.ts';
import type { Logger } from './logger.ts';
import {
  metricCatalogue,
  type CountName,
  type DimensionsOf,
  type GaugeName,
  type MeasureName,
  type MetricName,
} from './metricCatalogue.ts';

/** Collects values of metrics. It never throws and never waits; only metrics of the catalogue compile. */
export interface Metrics {
  /** Adds to a sum. */
  readonly count: <Name extends CountName>(name: Name, dimensions: DimensionsOf<Name>, by?: number) => void;
  /** Adds one value, in the unit of the catalogue, to a distribution. */
  readonly measure: <Name extends MeasureName>(name: Name, value: number, dimensions: DimensionsOf<Name>) => void;
  /** Sets the present value of a gauge. A gauge that was not set again since the last flush is not written. */
  readonly gauge: <Name extends GaugeName>(name: Name, value: number, dimensions: DimensionsOf<Name>) => void;
}

export const silentMetrics: Metrics = { count: () => undefined, measure: () => undefined, gauge: () => undefined };

export interface MetricsOptions {
  /** The dimension that every metric has. */
  readonly stage: string;
  /** The kind of this process, as in its log lines. It is a field to search for, not a dimension. */
  readonly processKind: string;
  readonly clock: Clock;
  /** Writes one line without its end, for example to standard output, where CloudWatch Logs finds the metrics in it. */
  readonly write: (line: string) => void;
  /**
   * The time between two flushes, in milliseconds; undefined where the owner flushes, as at the end of a function's
   * call.
   */
  readonly flushEveryMs: number | undefined;
  /** The logger that is told, once for each flush, of values that could not be written. */
  readonly logger: Logger;
}

export interface RunningMetrics extends Metrics {
  /** Writes the collected values. Never throws: values that cannot be written are lost, and that is logged. */
  readonly flush: () => void;
  /** Writes the collected values and ends the timer. */
  readonly stop: () => void;
}

export const METRIC_NAMESPACE = 'Holdfast';
/** The greatest number of values of one metric that CloudWatch accepts in one line. */
const MOST_VALUES_IN_LINE = 100;
/** The number of values at which they are written early: this bounds memory, whatever happens between two flushes. */
export const MOST_VALUES_HELD = 1_000;

/** The collected values of the metrics that share their dimensions, and so their lines. */
interface Series {
  readonly dimensions: Readonly<Record<string, string>>;
  /** The sums of counts, and the last values of gauges. */
  readonly numbers: Map<MetricName, number>;
  readonly measured: Map<MetricName, number[]>;
}

/**
 * Metrics as CloudWatch Embedded Metric Format: log lines that CloudWatch turns into metrics, so that no call waits for
 * an API. Values are put together for a while and written as one line for each set of dimensions. Source of the format:
 * CloudWatch User Guide, "Specification: Embedded metric format".
 */
export function makeMetrics(options: MetricsOptions): RunningMetrics {
  const { clock, flushEveryMs } = options;
  const held = new HeldMetrics(options);
  const stopping = new AbortController();
  const keepFlushing = async (everyMs: number): Promise<void> => {
    for (;;) {
      await clock.sleep(everyMs, stopping.signal);
      if (stopping.signal.aborted) return;
      held.flush();
    }
  };
  if (flushEveryMs !== undefined) void keepFlushing(flushEveryMs);

  return {
    count: (name, dimensions, by = 1) =>
      held.hold(name, by, dimensions, ({ numbers }) => {
        const before = numbers.get(name);
        numbers.set(name, (before ?? 0) + by);
        return before === undefined;
      }),
    measure: (name, value, dimensions) =>
      held.hold(name, value, dimensions, ({ measured }) => {
        const values = measured.get(name);
        if (values === undefined) measured.set(name, [value]);
        else values.push(value);
        return true;
      }),
    gauge: (name, value, dimensions) =>
      held.hold(name, value, dimensions, ({ numbers }) => {
        const isNew = !numbers.has(name);
        numbers.set(name, value);
        return isNew;
      }),
    flush: () => held.flush(),
    stop: () => {
      stopping.abort();
      held.flush();
    },
  };
}

/** What is put together between two flushes. */
class HeldMetrics {
  readonly #options: Pick<MetricsOptions, 'stage' | 'processKind' | 'clock' | 'write' | 'logger'>;
  #held = new Map<string, Series>();
  #valuesHeld = 0;
  #notFinite = 0;

  constructor(options: Pick<MetricsOptions, 'stage' | 'processKind' | 'clock' | 'write' | 'logger'>) {
    this.#options = options;
  }

  /** @param put adds a value to its series; returns whether it takes room that was not taken before */
  hold(name: MetricName, value: number, given: object, put: (series: Series) => boolean): void {
    // JSON cannot express such a value, and CloudWatch accepts nothing but numbers.
    if (!Number.isFinite(value)) {
      this.#notFinite += 1;
      return;
    }
    const dimensions = { stage: this.#options.stage, ...dimensionsOf(name, given) };
    const key = JSON.stringify(dimensions);
    const series: Series = this.#held.get(key) ?? { dimensions, numbers: new Map(), measured: new Map() };
    this.#held.set(key, series);
    if (put(series)) this.#valuesHeld += 1;
    if (this.#valuesHeld >= MOST_VALUES_HELD) this.flush();
  }

  flush(): void {
    const { processKind, clock, write, logger } = this.#options;
    const atMs = clock.nowMs();
    const lines = [...this.#held.values()].flatMap((series) => toLines(series, processKind, atMs));
    const ignored = this.#notFinite;
    const failures: unknown[] = [];
    this.#held = new Map();
    this.#valuesHeld = 0;
    this.#notFinite = 0;
    for (const line of lines) {
      try {
        write(line);
      } catch (error) {
        failures.push(error);
      }
    }
    try {
      if (failures.length > 0) logger.warn('metrics not written', { count: failures.length, error: failures[0] });
      if (ignored > 0) logger.warn('metric values ignored that are no finite number', { count: ignored });
    } catch {
      // The log goes where the metrics go; a caller that counts something must not fail because both are gone.
    }
  }
}

/**
 * The dimensions that the catalogue names, in its order. The types let a variable carry more than they ask for: an id
 * must not become a dimension that way.
 */
function dimensionsOf(name: MetricName, given: object): Readonly<Record<string, string>> {
  const values = given as Readonly<Record<string, string>>;
  const names = Object.keys(metricCatalogue[name].dimensions);
  return Object.fromEntries(names.map((dimension) => [dimension, values[dimension] ?? 'unknown']));
}

/** The values as one line, or as many lines as the longest list of values needs. */
function toLines({ dimensions, numbers, measured }: Series, processKind: string, atMs: number): readonly string[] {
  const lines: string[] = [];
  let values = new Map<MetricName, number | readonly number[]>(numbers);
  for (let from = 0; ; from += MOST_VALUES_IN_LINE) {
    for (const [name, all] of measured) {
      if (from < all.length) values.set(name, all.slice(from, from + MOST_VALUES_IN_LINE));
    }
    if (values.size === 0) return lines;
    lines.push(toLine(dimensions, values, processKind, atMs));
    values = new Map();
  }
}

function toLine(
  dimensions: Series['dimensions'],
  values: ReadonlyMap<MetricName, number | readonly number[]>,
  processKind: string,
  atMs: number,
): string {
  const definitions = [...values.keys()].map((name) => ({ Name: name, Unit: metricCatalogue[name].unit }));
  return JSON.stringify({
    _aws: {
      Timestamp: atMs,
      CloudWatchMetrics: [{ Namespace: METRIC_NAMESPACE, Dimensions: [Object.keys(dimensions)], Metrics: definitions }],
    },
    process: processKind,
    ...dimensions,
    ...Object.fromEntries(values),
  });
}
