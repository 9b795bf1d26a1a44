import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { measureEventLoop } from '../../../worker/status/eventLoopDelay.ts';
import { keepingMetrics } from '../../shared/platform/keepingMetrics.ts';
import { until } from '../../whatsapp/until.ts';

const BLOCKED_MS = 300;

describe('the delay of the event loop', () => {
  it('is at least as long as something held it up', async () => {
    const metrics = keepingMetrics();
    const stop = new AbortController();
    const measuring = measureEventLoop(metrics, systemClock, 50, stop.signal);
    await until(
      'a first measurement',
      () => metrics.valuesOf('EventLoopDelay').length,
      (count) => count > 0,
    );

    const since = performance.now();
    while (performance.now() - since < BLOCKED_MS);
    await until(
      'the delay',
      () => Math.max(...metrics.valuesOf('EventLoopDelay')),
      (most) => most >= BLOCKED_MS / 2,
    );

    stop.abort();
    await measuring;
    expect(metrics.valuesOf('EventLoopDelay').every((value) => value >= 0)).toBe(true);
  });
});
