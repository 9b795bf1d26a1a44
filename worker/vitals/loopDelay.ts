import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Scope } from '../../shared/kernel/scope.ts';

/**
 * The time between two looks of the platform's own timer, in milliseconds. It is coarse, because each look wakes an
 * idle process.
 */
const RESOLUTION_MS = 20;
const NANOSECONDS_PER_MS = 1e6;

/**
 * Measures how late the event loop is: each call of the returned function gives the 99th percentile, in milliseconds,
 * since the last call. It is started once for each process. A loop that is held up is looked at less often, so that
 * single stalls weigh little and a busy loop much.
 */
export function measureLoopDelay(scope: Scope): () => number {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  scope.hold('timer', () => void histogram.disable());
  return () => {
    // Before the first look there is no figure.
    const delayMs = histogram.count === 0 ? 0 : histogram.percentile(99) / NANOSECONDS_PER_MS - RESOLUTION_MS;
    histogram.reset();
    return Math.max(0, delayMs);
  };
}
