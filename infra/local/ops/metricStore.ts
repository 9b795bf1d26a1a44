import { LRUCache } from 'lru-cache';
import type { Sample } from './emfLine.ts';

/** The values that are kept for one minute of a metric. */
interface Minute {
  readonly minute: number;
  count: number;
  sum: number;
  max: number;
  min: number;
  /** The first values of the minute, for percentiles. */
  readonly values: number[];
}

const MINUTE_MS = 60_000;
/** Three hours, as far back as a person on call looks. Together with the two limits below it bounds the memory. */
export const MINUTES_KEPT = 180;
export const SERIES_KEPT = 1_000;
const VALUES_KEPT = 200;
/** How far ahead of now a value may be; clocks of processes on one machine agree. */
const AHEAD_MS = MINUTE_MS;

/** Metrics of the last three hours in memory, minute by minute, as CloudWatch would keep them. Bounded in every direction. */
export class MetricStore {
  readonly #series = new LRUCache<string, Minute[]>({ max: SERIES_KEPT });
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Adds values. Values that are not of the last three hours are ignored. */
  add({ namespace, name, dimensions, atMs, values }: Sample): void {
    const nowMs = this.#nowMs();
    const minute = Math.floor(atMs / MINUTE_MS);
    const oldest = Math.floor(nowMs / MINUTE_MS) - MINUTES_KEPT + 1;
    if (minute < oldest || atMs > nowMs + AHEAD_MS || values.length === 0) return;
    const key = keyOf(namespace, name, dimensions);
    const minutes = this.#series.get(key) ?? [];
    let bucket = minutes.findLast((kept) => kept.minute === minute);
    if (bucket === undefined) {
      bucket = { minute, count: 0, sum: 0, max: -Infinity, min: Infinity, values: [] };
      this.#series.set(key, [...minutes.filter((kept) => kept.minute >= oldest), bucket]);
    }
    for (const value of values) {
      bucket.count += 1;
      bucket.sum += value;
      bucket.max = Math.max(bucket.max, value);
      bucket.min = Math.min(bucket.min, value);
      if (bucket.values.length < VALUES_KEPT) bucket.values.push(value);
    }
  }

  /**
   * One statistic of a metric, minute by minute.
   * @param stat CloudWatch's word: `Sum`, `Maximum`, `Minimum`, `Average`, `SampleCount`, `p99`, `PR(:10000)`
   * @param minutes how many, the present one included
   * @returns a value for each minute, oldest first; null where there is none
   */
  read(
    metric: { readonly namespace: string; readonly name: string; readonly dimensions: Sample['dimensions'] },
    stat: string,
    minutes: number,
  ): readonly (number | null)[] {
    const series = this.#series.get(keyOf(metric.namespace, metric.name, metric.dimensions)) ?? [];
    const byMinute = new Map(series.map((kept) => [kept.minute, kept]));
    const last = Math.floor(this.#nowMs() / MINUTE_MS);
    return Array.from({ length: minutes }, (_, index) => {
      const bucket = byMinute.get(last - minutes + 1 + index);
      return bucket === undefined ? null : (statistic(bucket, stat) ?? null);
    });
  }
}

function statistic({ count, sum, max, min, values }: Minute, stat: string): number | undefined {
  if (stat === 'Sum') return sum;
  if (stat === 'Maximum') return max;
  if (stat === 'Minimum') return min;
  if (stat === 'Average') return sum / count;
  if (stat === 'SampleCount') return count;
  const percentile = /^p(\d+(?:\.\d+)?)$/.exec(stat)?.[1];
  if (percentile !== undefined) return quantile(values, Number(percentile) / 100);
  const bound = /^PR\(:(\d+)\)$/.exec(stat)?.[1];
  if (bound === undefined) return undefined;
  return (100 * values.filter((value) => value <= Number(bound)).length) / values.length;
}

function quantile(values: readonly number[], share: number): number | undefined {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))];
}

/** A metric is found by exactly the dimensions under which it was written, in any order. */
function keyOf(namespace: string, name: string, dimensions: Sample['dimensions']): string {
  const sorted = Object.entries(dimensions).sort(([left], [right]) => (left < right ? -1 : 1));
  return JSON.stringify([namespace, name, sorted]);
}
