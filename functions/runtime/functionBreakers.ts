import { systemClock } from '../../shared/kernel/clock.ts';
import { makeBreakers, type Breakers } from '../../shared/platform/breakers.ts';
import type { Logger } from '../../shared/platform/logger.ts';
import type { Metrics } from '../../shared/platform/metrics.ts';

/**
 * The breakers of one instance of a function.
 * @param count counts their changes of state, which are rare
 */
export function makeFunctionBreakers(count: Metrics['count'], logger: Logger): Breakers {
  // Gauges of the present state are left out: they are for a process that lives on.
  return makeBreakers({ clock: systemClock, logger, metrics: { count, gauge: () => undefined } });
}
