import type { Clock } from '../kernel/clock.ts';
import type { Random } from '../kernel/random.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

/**
 * What is around every part of a process: time, chance, and where it says what happens. Each is an argument, so that a test
 * can decide it. A part that needs only some of them takes a `Pick` of these.
 */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
}
