import { monitorEventLoopDelay } from 'node:perf_hooks';

const NANOSECONDS = 1_000_000;
/** Finer than any delay that matters here. */
const RESOLUTION_MS = 20;

/** How late the event loop was since this was asked last: the 99th percentile, in milliseconds. */
export function makeLoopDelay(): () => number {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  return () => {
    const delayMs = histogram.count === 0 ? 0 : histogram.percentile(99) / NANOSECONDS;
    histogram.reset();
    return delayMs;
  };
}
