import type { Clock } from '../../../shared/kernel/clock.ts';
import type { Sample } from './emfLine.ts';

/** Samples of the same namespace and dimensions, which share a line. */
interface Series extends Pick<Sample, 'namespace' | 'dimensions'> {
  readonly values: Map<string, number[]>;
}

const GATHER_MS = 1_000;
/** The number of values at which they are written early, which bounds memory. */
const MOST_VALUES = 1_000;

/**
 * Writes what this process measures in the place of AWS as lines of its log, in the format of all other metrics, so that
 * they go the same way. What is measured within a second becomes one line; a process that is killed loses that.
 */
export class SampleLines {
  readonly #clock: Pick<Clock, 'nowMs' | 'sleep'>;
  readonly #write: (line: string) => void;
  #series = new Map<string, Series>();
  #held = 0;

  /** @param write takes a line with its end */
  constructor(clock: Pick<Clock, 'nowMs' | 'sleep'>, write: (line: string) => void) {
    this.#clock = clock;
    this.#write = write;
  }

  readonly add = ({ namespace, dimensions, name, values }: Sample): void => {
    const key = JSON.stringify([namespace, dimensions]);
    const series: Series = this.#series.get(key) ?? { namespace, dimensions, values: new Map() };
    this.#series.set(key, series);
    const held = series.values.get(name) ?? [];
    held.push(...values);
    series.values.set(name, held);
    if (this.#held === 0) void this.#clock.sleep(GATHER_MS).then(() => this.flush());
    this.#held += values.length;
    if (this.#held >= MOST_VALUES) this.flush();
  };

  flush(): void {
    const all = [...this.#series.values()];
    this.#series = new Map();
    this.#held = 0;
    for (const { namespace, dimensions, values } of all) {
      const Metrics = [...values.keys()].map((Name) => ({ Name }));
      const CloudWatchMetrics = [{ Namespace: namespace, Dimensions: [Object.keys(dimensions)], Metrics }];
      const line = { _aws: { Timestamp: this.#clock.nowMs(), CloudWatchMetrics }, ...dimensions };
      this.#write(`${JSON.stringify({ ...line, ...Object.fromEntries(values) })}\n`);
    }
  }
}
