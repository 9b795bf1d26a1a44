import type { Clock } from '../kernel/clock.ts';
import type { Random } from '../kernel/random.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

/**
 * The surroundings of every part of a process: time, chance, log and metrics. Each is an argument, so that a test can
 * decide it. A part that needs only some of them takes a `Pick` of these.
 */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
}
