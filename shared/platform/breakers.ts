import type { Clock } from '../kernel/clock.ts';
import { Breaker, type BreakerRule, type BreakerState } from './breaker.ts';
import type { Metrics } from './metrics.ts';
import type { Surroundings } from './surroundings.ts';

/** The services that a process calls and can do without for a while. */
export type Dependency = 'dynamodb' | 'sqs' | 'kms' | 's3';

/**
 * The rules by which a process stops calling a service that does not answer. Five failures in a row open a breaker and
 * two successful trials close it. 60 s are for parties that are not ours (webhook endpoints:
 * `webhook/endpointBreaker.ts`, a connection's sends: `worker/sending/sendPause.ts`). A store of ours is tried much
 * sooner: one trial every two seconds costs nothing, and a worker must go on as soon as the store answers. Reconnects
 * have the policy of `runner/closeRules.ts` as their breaker, heartbeats and ownership have none (a lease must be
 * renewed at the first moment), nor have long polls (they pace themselves).
 */
export const breakerRules = {
  dynamodb: { failures: 5, openMs: 2_000, successes: 2, reason: 'a worker resumes within seconds of the store' },
  sqs: {
    failures: 5,
    openMs: 2_000,
    successes: 2,
    reason: 'received messages wait for the events queue, 15 s at most',
  },
  kms: {
    failures: 5,
    openMs: 5_000,
    successes: 2,
    reason: 'asked once per connection and claim; nothing waits for less',
  },
  s3: { failures: 5, openMs: 2_000, successes: 2, reason: 'files wait in their queue, and are tried again from there' },
} as const satisfies Record<Dependency, BreakerRule>;

/** The breakers of one process, one for each service. */
export interface Breakers {
  readonly of: (dependency: Dependency) => Breaker;
  /** The states of the breakers that were used so far. */
  readonly states: () => Readonly<Partial<Record<Dependency, BreakerState>>>;
}

/** The values of the metric `BreakerState`. */
const LEVELS = { closed: 0, half_open: 1, open: 2 } as const satisfies Record<BreakerState, number>;

export interface BreakersOptions extends Pick<Surroundings, 'logger'> {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly metrics: Pick<Metrics, 'count' | 'gauge'>;
  /** Rules for tests that replace the ones above. */
  readonly rules?: Readonly<Record<Dependency, BreakerRule>>;
}

/** Makes the breakers of a process. Each change is logged once and counted. */
export function makeBreakers(options: BreakersOptions): Breakers {
  const { clock, logger, metrics, rules = breakerRules } = options;
  const made = new Map<Dependency, Breaker>();

  const make = (dependency: Dependency): Breaker => {
    const say = (state: BreakerState): void => metrics.gauge('BreakerState', LEVELS[state], { dependency });
    const breaker = new Breaker(dependency, rules[dependency], {
      clock,
      onChange: (state) => {
        say(state);
        if (state === 'open') metrics.count('BreakerOpened', { dependency });
        if (state === 'half_open') logger.debug('breaker tries', { dependency });
        else if (state === 'open') logger.warn('breaker opened', { dependency });
        else logger.info('breaker closed', { dependency });
      },
      // The gauge is set again at each flush, because a gauge without a new value is not written.
      onRefused: () => say(breaker.state),
    });
    made.set(dependency, breaker);
    return breaker;
  };

  return {
    of: (dependency) => made.get(dependency) ?? make(dependency),
    states: () => Object.fromEntries([...made].map(([dependency, { state }]) => [dependency, state])),
  };
}
