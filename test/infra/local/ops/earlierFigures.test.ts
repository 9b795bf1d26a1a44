import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readEarlierFigures } from '../../../../infra/local/ops/earlierFigures.ts';
import { MetricStore } from '../../../../infra/local/ops/metricStore.ts';
import { makeMetrics } from '../../../../shared/platform/metrics.ts';
import { silentLogger } from '../../../../shared/platform/logger.ts';
import { systemClock } from '../../../../shared/kernel/clock.ts';

describe('the figures of the run before', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-figures-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const metric = { namespace: 'Holdfast', name: 'MessagesSent', dimensions: { stage: 'local' } };

  /** A log as a worker writes it, with other lines before and after. */
  const aLog = (atMs: number): string => {
    const lines: string[] = [];
    const clock = { ...systemClock, nowMs: () => atMs };
    const options = { stage: 'local', processKind: 'worker', clock, flushEveryMs: undefined, logger: silentLogger };
    const metrics = makeMetrics({ ...options, write: (line) => lines.push(line) });
    metrics.count('MessagesSent', {}, 7);
    metrics.flush();
    return ['{"level":"info","message":"x"}', ...lines, 'no JSON', '{"_aws":'].join('\n');
  };

  it('are there again after a restart, from every log, a part that was put aside too', async () => {
    const nowMs = Date.now();
    writeFileSync(join(folder, 'worker-1.log'), aLog(nowMs - 300_000));
    writeFileSync(join(folder, 'worker-1.log.1'), aLog(nowMs - 600_000));
    const store = new MetricStore(() => nowMs);

    await readEarlierFigures(folder, store, nowMs);

    expect(store.read(metric, 'Sum', 15).filter((value) => value !== null)).toEqual([7, 7]);
  });

  it('are not read from logs that are older than what the page shows', async () => {
    const nowMs = Date.now();
    const file = join(folder, 'worker-1.log');
    writeFileSync(file, aLog(nowMs));
    const long = new Date(nowMs - 4 * 3_600_000);
    utimesSync(file, long, long);
    const added: unknown[] = [];

    await readEarlierFigures(folder, { add: (sample) => added.push(sample) }, nowMs);

    expect(added).toEqual([]);
  });
});
