import { systemClock, type Clock } from '../../shared/kernel/clock.ts';
import { freezesBetweenCalls } from '../../shared/platform/config.ts';
import type { StoreConfig } from '../../shared/platform/storeConfig.ts';
import type { Logger } from '../../shared/platform/logger.ts';
import { makeMetrics, type RunningMetrics } from '../../shared/platform/metrics.ts';
import { standardOutput } from '../../shared/platform/standardOutput.ts';

/**
 * The metrics of a function. They have no timer, as on Lambda a function is frozen between two calls: see {@link
 * thenFlush}.
 */
export function makeFunctionMetrics(config: Pick<StoreConfig, 'stage'>, name: string, logger: Logger): RunningMetrics {
  return makeMetrics({
    stage: config.stage,
    processKind: name,
    clock: systemClock,
    write: (line) => standardOutput.write(`${line}\n`),
    flushEveryMs: undefined,
    logger,
  });
}

/** How long what was counted may wait in a process that is not frozen, in milliseconds: for the calls that follow. */
const LATE_MS = 1_000;

/**
 * Wraps a handler so that what it counted is written, whether it succeeds or throws: before it ends where the process is
 * frozen after it, and otherwise within a second, together with what the next calls count, or when the process ends.
 */
export function thenFlush<Event, Answer>(
  metrics: Pick<RunningMetrics, 'flush'>,
  handle: (event: Event) => Promise<Answer>,
  { isFrozen = freezesBetweenCalls(), clock = systemClock }: FlushOptions = {},
): (event: Event) => Promise<Answer> {
  let isAwaited = false;
  const flushLate = async (): Promise<void> => {
    isAwaited = true;
    await clock.sleep(LATE_MS);
    isAwaited = false;
    metrics.flush();
  };
  if (!isFrozen) process.on('exit', () => metrics.flush());
  return async (event) => {
    try {
      return await handle(event);
    } finally {
      if (isFrozen) metrics.flush();
      else if (!isAwaited) void flushLate();
    }
  };
}

interface FlushOptions {
  readonly isFrozen?: boolean;
  readonly clock?: Pick<Clock, 'sleep'>;
}

/** Counts of which each is written at once, for handlers that hardly ever count. */
export function countAtOnce({ count, flush }: Pick<RunningMetrics, 'count' | 'flush'>): RunningMetrics['count'] {
  return (name, dimensions, by) => {
    count(name, dimensions, by);
    flush();
  };
}
