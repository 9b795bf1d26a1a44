import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { samplesOf } from '../../../../infra/local/ops/emfLine.ts';
import { MetricStore, MINUTES_KEPT, SERIES_KEPT } from '../../../../infra/local/ops/metricStore.ts';
import { METRIC_NAMESPACE, makeMetrics } from '../../../../shared/platform/metrics.ts';
import { systemClock } from '../../../../shared/kernel/clock.ts';
import { makeLogger } from '../../../../shared/platform/logger.ts';

const MINUTE_MS = 60_000;
const NOW_MS = 1_000 * MINUTE_MS + 30_000;
const metric = { namespace: 'N', name: 'M', dimensions: { stage: 'local', cause: 'x' } };

function aStore(values: readonly number[], atMs = NOW_MS): MetricStore {
  const store = new MetricStore(() => NOW_MS);
  store.add({ ...metric, atMs, values });
  return store;
}

describe('metrics in memory', () => {
  it.each([
    ['Sum', 110],
    ['Maximum', 100],
    ['Minimum', 1],
    ['Average', 22],
    ['SampleCount', 5],
    ['p50', 3],
    ['p99', 100],
    ['PR(:4)', 80],
    ['Median', null],
  ])('give %s of a minute', (stat, expected) => {
    const [value] = aStore([1, 2, 3, 4, 100]).read(metric, stat, 1);

    expect(value).toBe(expected);
  });

  it('are found by exactly their dimensions, in any order', () => {
    const store = aStore([7]);

    const found = store.read({ ...metric, dimensions: { cause: 'x', stage: 'local' } }, 'Sum', 1);
    const fewer = store.read({ ...metric, dimensions: { stage: 'local' } }, 'Sum', 1);

    expect([found, fewer]).toEqual([[7], [null]]);
  });

  it('stand in their minute, with a gap where nothing was said', () => {
    const store = aStore([1], NOW_MS - 2 * MINUTE_MS);
    store.add({ ...metric, atMs: NOW_MS, values: [2] });

    const read = store.read(metric, 'Sum', 4);

    expect(read).toEqual([null, 1, null, 2]);
  });

  it('are not those of another time: neither older than three hours nor of the future', () => {
    const store = aStore([1], NOW_MS - MINUTES_KEPT * MINUTE_MS);
    store.add({ ...metric, atMs: NOW_MS + 5 * MINUTE_MS, values: [2] });

    const read = store.read(metric, 'Sum', MINUTES_KEPT);

    expect(read.filter((value) => value !== null)).toEqual([]);
  });

  it('are forgotten, those that were written longest ago first, when there are too many kinds of them', () => {
    const store = aStore([1]);

    for (let index = 0; index < SERIES_KEPT; index += 1) {
      store.add({ ...metric, name: `M${index}`, atMs: NOW_MS, values: [1] });
    }

    expect(store.read(metric, 'Sum', 1)).toEqual([null]);
    expect(store.read({ ...metric, name: `M${SERIES_KEPT - 1}` }, 'Sum', 1)).toEqual([1]);
  });
});

describe('lines of a log', () => {
  it('give back what our own metrics have written', () => {
    const lines: string[] = [];
    const metrics = makeMetrics({
      stage: 'local',
      processKind: 'worker',
      clock: systemClock,
      write: (line) => lines.push(line),
      flushEveryMs: undefined,
      logger: makeLogger('test', 'silent'),
    });
    metrics.count('WorkersDead', { proof: 'clean' }, 2);
    metrics.measure('TimeToOpen', 12, {});
    metrics.measure('TimeToOpen', 14, {});

    metrics.flush();

    const found = lines.flatMap(samplesOf).map(({ atMs, ...sample }) => ({ ...sample, isNow: atMs > 0 }));
    expect(found).toEqual([
      {
        namespace: METRIC_NAMESPACE,
        name: 'WorkersDead',
        dimensions: { stage: 'local', proof: 'clean' },
        values: [2],
        isNow: true,
      },
      {
        namespace: METRIC_NAMESPACE,
        name: 'TimeToOpen',
        dimensions: { stage: 'local' },
        values: [12, 14],
        isNow: true,
      },
    ]);
  });

  it('that are anything else give nothing and break nothing', () => {
    const anyLine = fc.oneof(
      fc.string(),
      fc.json(),
      fc.json().map((json) => `{"_aws":${json},"M":1}`),
    );

    fc.assert(fc.property(anyLine, (line) => samplesOf(line).every(({ values }) => values.every(Number.isFinite))));
  });
});
