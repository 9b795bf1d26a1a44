import { systemClock } from '../shared/kernel/clock.ts';
import { makeBreakers, type Breakers } from '../shared/platform/breakers.ts';
import type { Logger } from '../shared/platform/logger.ts';
import { makeMetrics, type Metrics } from '../shared/platform/metrics.ts';

/** Nothing is held for so long: what is counted is written at once. */
const NEVER_MS = 2 ** 31 - 1;

/**
 * The breakers of one instance of a function. What they have to say is rare and must not wait for a timer, since an
 * instance may be frozen as soon as it has answered.
 */
export function makeFunctionBreakers(processKind: string, stage: string, logger: Logger): Breakers {
  const count = countAtOnce(processKind, stage, logger);
  // How it stands at the moment is a question for a process that lives on.
  return makeBreakers({ clock: systemClock, logger, metrics: { count, gauge: () => undefined } });
}

/** Counts of which each is a line of its own. */
export function countAtOnce(processKind: string, stage: string, logger: Logger): Metrics['count'] {
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  return (name, dimensions, by) => {
    const metrics = makeMetrics({ stage, processKind, logger, clock: systemClock, write, flushEveryMs: NEVER_MS });
    metrics.count(name, dimensions, by);
    metrics.stop();
  };
}
