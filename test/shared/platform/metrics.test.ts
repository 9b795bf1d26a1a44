import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../shared/kernel/clock.ts';
import { silentLogger, type LogFields } from '../../../shared/platform/logger.ts';
import { metricCatalogue } from '../../../shared/platform/metricCatalogue.ts';
import {
  makeMetrics,
  MOST_VALUES_HELD,
  silentMetrics,
  type Metrics,
  type MetricsOptions,
} from '../../../shared/platform/metrics.ts';
import { keepingMetrics } from './keepingMetrics.ts';

/** One line as CloudWatch reads it. */
interface EmfLine {
  readonly _aws: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
    }[];
  };
  readonly [member: string]: unknown;
}

/** A clock that stands still; `ring` ends the sleep that is going on. */
function aStandingClock() {
  let ring: (() => void) | undefined;
  const slept: number[] = [];
  const clock: Clock = {
    nowMs: () => 1_700_000_000_000,
    monotonicMs: () => 0,
    sleep: (durationMs, signal) =>
      new Promise((resolve) => {
        slept.push(durationMs);
        ring = resolve;
        signal?.addEventListener('abort', () => resolve(), { once: true });
      }),
  };
  return {
    clock,
    slept,
    ring: async () => {
      ring?.();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

/** Metrics that write into an array and log into another. */
function someMetrics(change: Partial<MetricsOptions> = {}) {
  const written: string[] = [];
  const warnings: { readonly message: string; readonly fields: LogFields | undefined }[] = [];
  const metrics = makeMetrics({
    stage: 'prod',
    processKind: 'worker',
    clock: aStandingClock().clock,
    write: (line) => written.push(line),
    flushEveryMs: 60_000,
    logger: { ...silentLogger, warn: (message, fields) => warnings.push({ message, fields }) },
    ...change,
  });
  return { metrics, written, warnings, lines: () => written.map((line) => JSON.parse(line) as EmfLine) };
}

const namesIn = (line: EmfLine): readonly string[] =>
  line._aws.CloudWatchMetrics.flatMap(({ Metrics: named }) => named.map(({ Name }) => Name));
const valuesIn = (lines: readonly EmfLine[], name: string): readonly number[] =>
  lines.flatMap((line) => (namesIn(line).includes(name) ? (line[name] as number | number[]) : []));

describe('a line', () => {
  it('is what CloudWatch expects, to the letter', () => {
    const { metrics, written } = someMetrics();

    metrics.count('WorkersDead', { proof: 'observed' });
    metrics.count('WorkersDead', { proof: 'observed' }, 2);
    metrics.flush();

    expect(written).toEqual([
      '{"_aws":{"Timestamp":1700000000000,"CloudWatchMetrics":[{"Namespace":"Holdfast",' +
        '"Dimensions":[["stage","proof"]],"Metrics":[{"Name":"WorkersDead","Unit":"Count"}]}]},' +
        '"process":"worker","stage":"prod","proof":"observed","WorkersDead":3}',
    ]);
  });

  it('holds all metrics of the same dimensions: sums, lists of values, last values', () => {
    const { metrics, lines } = someMetrics();

    metrics.count('ClaimsWon', {});
    metrics.measure('HeartbeatLatency', 12.5, {});
    metrics.gauge('ShardsOwned', 7, {});
    metrics.count('ClaimsWon', {});
    metrics.measure('HeartbeatLatency', 8, {});
    metrics.gauge('ShardsOwned', 5, {});
    metrics.flush();

    expect(lines()).toEqual([
      {
        _aws: {
          Timestamp: 1_700_000_000_000,
          CloudWatchMetrics: [
            {
              Namespace: 'Holdfast',
              Dimensions: [['stage']],
              Metrics: [
                { Name: 'ClaimsWon', Unit: 'Count' },
                { Name: 'ShardsOwned', Unit: 'Count' },
                { Name: 'HeartbeatLatency', Unit: 'Milliseconds' },
              ],
            },
          ],
        },
        process: 'worker',
        stage: 'prod',
        ClaimsWon: 2,
        ShardsOwned: 5,
        HeartbeatLatency: [12.5, 8],
      },
    ]);
  });

  it('stands for one set of dimensions', () => {
    const { metrics, lines } = someMetrics();

    metrics.count('ShardsMoved', { reason: 'deploy' });
    metrics.count('ShardsMoved', { reason: 'drain' }, 4);
    metrics.count('ShardsMoved', { reason: 'deploy' });
    metrics.count('Conflicts', {});
    metrics.flush();

    expect(lines()).toMatchObject([
      { stage: 'prod', reason: 'deploy', ShardsMoved: 2 },
      { stage: 'prod', reason: 'drain', ShardsMoved: 4 },
      { stage: 'prod', Conflicts: 1 },
    ]);
  });

  it('carries no dimension that the catalogue does not name', () => {
    const { metrics, written } = someMetrics();
    const dead = { proof: 'stopped', workerId: 'wrk_1' } as const;

    metrics.count('WorkersDead', dead);
    metrics.flush();

    expect(written).toHaveLength(1);
    expect(written[0]).not.toContain('wrk_1');
  });

  it('has at most 100 values of a metric; the others follow in more lines, without counting anything twice', () => {
    const { metrics, lines } = someMetrics();
    const values = Array.from({ length: 250 }, (_, index) => index);

    metrics.count('ClaimsWon', {});
    for (const value of values) metrics.measure('HeartbeatLatency', value, {});
    metrics.measure('DrainDuration', 1, {});
    metrics.flush();

    expect(lines().map(namesIn)).toEqual([
      ['ClaimsWon', 'HeartbeatLatency', 'DrainDuration'],
      ['HeartbeatLatency'],
      ['HeartbeatLatency'],
    ]);
    expect(lines().map((line) => (line['HeartbeatLatency'] as number[]).length)).toEqual([100, 100, 50]);
    expect(valuesIn(lines(), 'HeartbeatLatency')).toEqual(values);
  });
});

describe('a flush', () => {
  it('writes nothing when nothing happened', () => {
    const { metrics, written } = someMetrics();

    metrics.flush();
    metrics.count('Conflicts', {});
    metrics.gauge('ShardsUnowned', 3, {});
    metrics.flush();
    metrics.flush();

    expect(written).toHaveLength(1);
  });

  it('happens every so often until the end, which writes what is left', async () => {
    const { clock, slept, ring } = aStandingClock();
    const { metrics, lines } = someMetrics({ clock, flushEveryMs: 5_000 });

    metrics.count('ClaimsWon', {}, 1);
    await ring();
    metrics.count('ClaimsWon', {}, 2);
    await ring();
    metrics.count('ClaimsWon', {}, 3);
    metrics.stop();
    metrics.count('ClaimsWon', {}, 4);
    await ring();

    expect(valuesIn(lines(), 'ClaimsWon')).toEqual([1, 2, 3]);
    expect(slept).toEqual([5_000, 5_000, 5_000]);
  });

  it('has written when stop returns: the process may end at once', () => {
    const { metrics, written } = someMetrics();
    metrics.measure('DrainDuration', 900, {});

    metrics.stop();

    expect(written).toHaveLength(1);
  });

  it('comes early when much is held, so that memory stays small', () => {
    const { metrics, lines } = someMetrics();

    for (let value = 1; value < MOST_VALUES_HELD; value += 1) metrics.measure('OpenBudgetWait', value, {});
    const before = lines().length;
    metrics.count('OpenSucceeded', {});

    expect(before).toBe(0);
    expect(valuesIn(lines(), 'OpenBudgetWait')).toHaveLength(MOST_VALUES_HELD - 1);
    expect(valuesIn(lines(), 'OpenSucceeded')).toEqual([1]);
  });

  it('does not come early for what takes no more room', () => {
    const { metrics, written } = someMetrics();

    for (let index = 0; index < 2 * MOST_VALUES_HELD; index += 1) {
      metrics.count('OpenAttempts', {});
      metrics.gauge('ShardsOwned', index, {});
    }

    expect(written).toEqual([]);
  });
});

describe('what goes wrong', () => {
  it('is logged once per flush when nothing can be written, and does not reach the caller', () => {
    const error = new Error('broken pipe');
    const { metrics, warnings } = someMetrics({
      write: () => {
        throw error;
      },
    });

    metrics.count('ShardsMoved', { reason: 'orphan' });
    metrics.count('ShardsMoved', { reason: 'rebalance' });
    metrics.flush();
    metrics.flush();
    for (let value = 0; value < MOST_VALUES_HELD; value += 1) metrics.measure('TimeToOpen', value, {});

    expect(warnings).toEqual([
      { message: 'metrics not written', fields: { count: 2, error } },
      { message: 'metrics not written', fields: { count: 10, error } },
    ]);
  });

  it('costs the line that could not be written and no other', () => {
    const written: string[] = [];
    const { metrics } = someMetrics({
      write: (line) => {
        if (line.includes('deploy')) throw new Error('too long');
        written.push(line);
      },
    });

    metrics.count('ShardsMoved', { reason: 'deploy' });
    metrics.count('ShardsMoved', { reason: 'drain' });
    metrics.flush();
    metrics.flush();

    expect(written).toEqual([expect.stringContaining('drain')]);
  });

  it('does not reach the caller when the log is gone as well', () => {
    const fail = (): never => {
      throw new Error('broken pipe');
    };
    const { metrics } = someMetrics({ write: fail, logger: { ...silentLogger, warn: fail } });
    metrics.count('FencedCommits', {});

    expect(metrics.stop).not.toThrow();
  });

  it('does not spoil a line: a value that is no finite number is left out and logged', () => {
    const { metrics, lines, warnings } = someMetrics();

    metrics.measure('HandOffDuration', Number.NaN, {});
    metrics.measure('HandOffDuration', 5, {});
    metrics.gauge('BrakeActive', Number.POSITIVE_INFINITY, {});
    metrics.flush();
    metrics.flush();

    expect(lines()).toMatchObject([{ HandOffDuration: [5] }]);
    expect(lines().flatMap(namesIn)).toEqual(['HandOffDuration']);
    expect(warnings).toEqual([{ message: 'metric values ignored that are no finite number', fields: { count: 2 } }]);
  });
});

describe('whatever is said', () => {
  const reason = fc.constantFrom(...metricCatalogue.ShardsMoved.dimensions.reason);
  const saying = fc.oneof(
    fc.record({ what: fc.constant('count' as const), reason, by: fc.integer({ min: 0, max: 1_000 }) }),
    fc.record({ what: fc.constant('measure' as const), from: fc.nat(1_000), times: fc.nat(700) }),
    fc.record({ what: fc.constant('gauge' as const), value: fc.nat(1_000) }),
    fc.record({ what: fc.constant('flush' as const) }),
  );
  type Saying = typeof saying extends fc.Arbitrary<infer Value> ? Value : never;

  const valuesOf = ({ from, times }: { readonly from: number; readonly times: number }): readonly number[] =>
    Array.from({ length: times }, (_, index) => from + index);
  const say = (metrics: ReturnType<typeof makeMetrics>, said: Saying): void => {
    if (said.what === 'count') metrics.count('ShardsMoved', { reason: said.reason }, said.by);
    else if (said.what === 'gauge') metrics.gauge('ShardsUnowned', said.value, {});
    else if (said.what === 'flush') metrics.flush();
    else for (const value of valuesOf(said)) metrics.measure('HeartbeatLatency', value, {});
  };

  it('is never lost and never written twice: sums, values in their order, and the last level', () => {
    fc.assert(
      fc.property(fc.array(saying, { maxLength: 30 }), (sayings) => {
        const { metrics, lines } = someMetrics();

        for (const said of sayings) say(metrics, said);
        metrics.stop();

        for (const each of metricCatalogue.ShardsMoved.dimensions.reason) {
          const counted = sayings.filter((said) => said.what === 'count' && said.reason === each);
          const expected = counted.reduce((sum, said) => sum + (said.what === 'count' ? said.by : 0), 0);
          const ofReason = lines().filter((line) => line['reason'] === each);
          expect(valuesIn(ofReason, 'ShardsMoved').reduce((sum, value) => sum + value, 0)).toBe(expected);
        }
        const measured = sayings.flatMap((said) => (said.what === 'measure' ? valuesOf(said) : []));
        expect(valuesIn(lines(), 'HeartbeatLatency')).toEqual(measured);
        const levels = sayings.flatMap((said) => (said.what === 'gauge' ? said.value : []));
        expect(valuesIn(lines(), 'ShardsUnowned').at(-1)).toBe(levels.at(-1));
      }),
    );
  });

  it('becomes lines that CloudWatch takes: each name has its value, no list is longer than 100', () => {
    fc.assert(
      fc.property(fc.array(saying, { maxLength: 30 }), (sayings) => {
        const { metrics, lines, written } = someMetrics();

        for (const said of sayings) say(metrics, said);
        metrics.stop();

        expect(written.filter((line) => line.includes('\n'))).toEqual([]);
        for (const line of lines()) {
          const [directive] = line._aws.CloudWatchMetrics;
          expect(directive?.Dimensions[0]).toContain('stage');
          for (const dimension of directive?.Dimensions[0] ?? []) expect(line[dimension]).toBeTypeOf('string');
          for (const name of namesIn(line)) {
            const values = [line[name]].flat();
            expect(values.length).toBeGreaterThan(0);
            expect(values.length).toBeLessThanOrEqual(100);
            expect(values.every((value) => Number.isFinite(value))).toBe(true);
          }
        }
      }),
    );
  });
});

describe('the catalogue', () => {
  const entries = Object.entries(metricCatalogue);

  it('gives every metric a question that an operator asks, and no two the same', () => {
    const questions = entries.map(([, { question }]) => question);

    expect(questions.filter((question) => !/^[A-Z][^.?!]*\?$/.test(question))).toEqual([]);
    expect(new Set(questions).size).toBe(questions.length);
  });

  it('fits one line: CloudWatch takes 100 metrics, and no two members may have one name', () => {
    const dimensions = entries.flatMap(([, metric]) => Object.keys(metric.dimensions));
    const taken = new Set(['_aws', 'stage', 'process', ...entries.map(([name]) => name)]);

    expect(entries.length).toBeLessThanOrEqual(100);
    expect(dimensions.filter((dimension) => taken.has(dimension))).toEqual([]);
  });
});

describe('what compiles', () => {
  it('is what the catalogue says (judged by the compiler: each marked line must be an error)', () => {
    const metrics: Metrics = silentMetrics;
    const reason: 'drain' | 'deploy' = 'drain';
    const anyText: string = 'observed';

    metrics.count('Conflicts', {});
    metrics.count('ShardsMoved', { reason }, 3);
    metrics.measure('TimeToOpen', 1, {});
    metrics.gauge('OutageMode', 1, {});
    // @ts-expect-error there is no such metric
    metrics.count('Conflict', {});
    // @ts-expect-error a measure is not counted
    metrics.count('HeartbeatLatency', {});
    // @ts-expect-error a count is not measured
    metrics.measure('Conflicts', 1, {});
    // @ts-expect-error a measure is no gauge
    metrics.gauge('DrainDuration', 1, {});
    // @ts-expect-error the proof is missing
    metrics.count('WorkersDead', {});
    // @ts-expect-error dimensions are never left out
    metrics.count('Conflicts');
    // @ts-expect-error no such proof
    metrics.count('WorkersDead', { proof: 'guessed' });
    // @ts-expect-error a text is not one of the proofs
    metrics.count('WorkersDead', { proof: anyText });
    // @ts-expect-error a dimension that it does not have
    metrics.count('WorkersDead', { proof: 'clean', tenantId: 'ten_1' });
    // @ts-expect-error a dimension where there is none
    metrics.count('Conflicts', { connectionId: 'con_1' });

    expect(silentMetrics).toBeDefined();
  });
});

describe('metrics for tests', () => {
  it('keep what was said', () => {
    const metrics = keepingMetrics();

    metrics.count('WorkersDead', { proof: 'observed' });
    metrics.count('WorkersDead', { proof: 'clean' }, 2);
    metrics.measure('TimeToOpen', 40, {});
    metrics.measure('TimeToOpen', 30, {});

    expect(metrics.totalOf('WorkersDead')).toBe(3);
    expect(metrics.totalOf('WorkersDead', { proof: 'clean' })).toBe(2);
    expect(metrics.valuesOf('TimeToOpen')).toEqual([40, 30]);
    expect(metrics.kept[0]).toEqual({ name: 'WorkersDead', value: 1, dimensions: { proof: 'observed' } });
  });
});
