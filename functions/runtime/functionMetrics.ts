import { systemClock } from '../../shared/kernel/clock.ts';
import type { StoreConfig } from '../../shared/platform/storeConfig.ts';
import type { Logger } from '../../shared/platform/logger.ts';
import { makeMetrics, type RunningMetrics } from '../../shared/platform/metrics.ts';

/**
 * The metrics of a function. Between two calls a function is frozen, so nothing may wait for a timer: see {@link
 * thenFlush}.
 */
export function makeFunctionMetrics(config: Pick<StoreConfig, 'stage'>, name: string, logger: Logger): RunningMetrics {
  return makeMetrics({
    stage: config.stage,
    processKind: name,
    clock: systemClock,
    write: (line) => process.stdout.write(`${line}\n`),
    flushEveryMs: undefined,
    logger,
  });
}

/** Wraps a handler so that it writes what was counted before it ends, whether it succeeds or throws. */
export function thenFlush<Event, Answer>(
  metrics: Pick<RunningMetrics, 'flush'>,
  handle: (event: Event) => Promise<Answer>,
): (event: Event) => Promise<Answer> {
  return async (event) => {
    try {
      return await handle(event);
    } finally {
      metrics.flush();
    }
  };
}

/** Counts of which each is written at once, for handlers that hardly ever count. */
export function countAtOnce({ count, flush }: Pick<RunningMetrics, 'count' | 'flush'>): RunningMetrics['count'] {
  return (name, dimensions, by) => {
    count(name, dimensions, by);
    flush();
  };
}
