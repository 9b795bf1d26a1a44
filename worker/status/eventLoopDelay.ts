import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from '../../shared/kernel/clock.ts';
import type { Metrics } from '../../shared/platform/metrics.ts';

/** Node looks this often whether its timers come late. */
const RESOLUTION_MS = 20;
const NANOSECONDS_IN_MS = 1e6;

/**
 * Measures how long the event loop was held up, at worst, in each stretch of time: heartbeats and acknowledgements wait for
 * that long. Goes on until the signal aborts; never rejects.
 */
export async function measureEventLoop(
  metrics: Metrics,
  clock: Clock,
  everyMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  while (signal?.aborted !== true) {
    await clock.sleep(everyMs, signal);
    // What Node measures is the time between two of its looks, which are this far apart when nothing holds it up.
    metrics.measure('EventLoopDelay', Math.max(0, histogram.max / NANOSECONDS_IN_MS - RESOLUTION_MS), {});
    histogram.reset();
  }
  histogram.disable();
}
