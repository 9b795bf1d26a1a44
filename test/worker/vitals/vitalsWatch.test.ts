import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { Scope } from '../../../shared/kernel/scope.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { keepingMetrics } from '../../shared/platform/keepingMetrics.ts';
import { until } from '../../whatsapp/until.ts';
import { makeVitalsSource } from '../../../worker/vitals/vitalsSource.ts';
import { VitalsWatch } from '../../../worker/vitals/vitalsWatch.ts';
import { FakeClock } from '../runner/fakes.ts';

const EVERY_MS = 15_000;
const rules = { maxAgeMs: 3_600_000, fullShare: 0.75, recycleShare: 0.8, drainShare: 0.95, loopDelayLimitMs: 200 };

/** A watch on a worker of 1,000 bytes, in a time that passes when told. */
function aWatch() {
  const clock = new FakeClock();
  const scope = new Scope('worker', clock);
  const metrics = keepingMetrics();
  const now = { memoryBytes: 500, loopDelayMs: 5 };
  const told: string[] = [];
  const watch = new VitalsWatch({
    config: { ...rules, everyMs: EVERY_MS, memoryLimitBytes: undefined },
    source: { memoryLimitBytes: 1_000, read: () => ({ ...now }) },
    scope,
    clock,
    metrics,
    logger: silentLogger,
    onMayOpen: (mayOpen) => told.push(mayOpen ? 'may open' : 'may not open'),
    onCritical: () => told.push('critical'),
  });
  return { clock, scope, metrics, now, told, watch };
}

describe('the watch over vital signs', () => {
  it('looks each quarter of a minute, and asks to be replaced with the third look above 80 %', async () => {
    const { clock, now, watch } = aWatch();
    now.memoryBytes = 850;

    await clock.pass(3 * EVERY_MS - 1);
    const before = watch.load;
    await clock.pass(1);

    expect([before, watch.load]).toEqual([
      { full: false, recycle: 'none' },
      { full: true, recycle: 'memory' },
    ]);
  });

  it('asks to be replaced when it is too old', async () => {
    const { clock, watch } = aWatch();

    await clock.pass(rules.maxAgeMs + EVERY_MS);

    expect(watch.load).toEqual({ full: false, recycle: 'age' });
  });

  it('says with each look from the third above 95 % on that it must go', async () => {
    const { clock, now, told } = aWatch();
    now.memoryBytes = 960;

    await clock.pass(4 * EVERY_MS);

    expect(told).toEqual(['may open', 'may open', 'may open', 'critical', 'may open', 'critical']);
  });

  it('says whether sockets may be opened with each look', async () => {
    const { clock, now, told } = aWatch();

    await clock.pass(EVERY_MS);
    now.loopDelayMs = 201;
    for (let look = 0; look < 3; look += 1) await clock.pass(EVERY_MS);
    now.loopDelayMs = 199;
    await clock.pass(EVERY_MS);

    expect(told).toEqual(['may open', 'may open', 'may open', 'may not open', 'may open']);
  });

  it('measures memory, loop delay and what the worker holds, by kind', async () => {
    const { clock, scope, metrics } = aWatch();
    const connection = scope.child('connection');
    connection.hold('socket', () => undefined);
    connection.timeout(1e9, () => undefined);

    await clock.pass(EVERY_MS);

    expect(metrics.valuesOf('WorkerMemoryShare')).toEqual([0.5]);
    expect(metrics.valuesOf('EventLoopDelay')).toEqual([5]);
    // The watch has a timer of its own.
    expect(metrics.totalOf('ScopeResources', { kind: 'timer' })).toBe(2);
    expect(metrics.totalOf('ScopeResources', { kind: 'socket' })).toBe(1);
    expect(metrics.totalOf('ScopeResources', { kind: 'other' })).toBe(1);
    expect(metrics.totalOf('ScopeResources', { kind: 'listener' })).toBe(0);
  });

  it('ends with its worker', async () => {
    const { clock, scope, metrics } = aWatch();

    await scope.close();
    await clock.pass(10 * EVERY_MS);

    expect(metrics.kept).toEqual([]);
    expect(clock.sleeping).toBe(0);
  });
});

describe('what a process reads of itself', () => {
  it('is its resident memory, and how late its loop was since the last read', async () => {
    await using scope = new Scope('process');
    const source = makeVitalsSource(scope, undefined);

    const holdUp = async (): Promise<number> => {
      const sinceMs = performance.now();
      while (performance.now() - sinceMs < 300);
      // The platform looks at the loop when it turns again.
      await systemClock.sleep(60);
      return source.read().loopDelayMs;
    };
    const late = await until('a late loop', holdUp, (delayMs) => delayMs > 150);
    const inTime = await until(
      'a loop in time',
      async () => {
        await systemClock.sleep(200);
        return source.read().loopDelayMs;
      },
      (delayMs) => delayMs < late / 2,
    );

    expect(inTime).toBeGreaterThanOrEqual(0);
    expect(source.memoryLimitBytes).toBeGreaterThan(64 * 1_024 * 1_024);
    expect(source.read().memoryBytes).toBeGreaterThan(16 * 1_024 * 1_024);
    expect(scope.counts().timer).toBe(1);
  });

  it('has the limit that is configured, before that of its container', async () => {
    await using scope = new Scope('process');

    expect(makeVitalsSource(scope, 123).memoryLimitBytes).toBe(123);
  });
});
