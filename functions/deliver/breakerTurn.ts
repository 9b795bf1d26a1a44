import type { LogFields } from '../../shared/platform/logger.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { admit, afterAttempt, type AttemptEnd } from '../../shared/webhook/endpointBreaker.ts';
import type { EndpointBreakerStore } from '../../shared/webhook/endpointBreakerStore.ts';
import type { Endpoint } from '../../shared/webhook/endpoint.ts';
import type { RememberedEndpoints } from '../../shared/webhook/rememberedEndpoints.ts';
import type { Postponed } from './postpone.ts';

export interface TurnDependencies extends Surroundings {
  readonly breakers: EndpointBreakerStore;
  readonly known: Pick<RememberedEndpoints, 'forget'>;
}

/** The wait of a delivery while another one tries the endpoint, in milliseconds. */
const TRIAL_WAIT_MS = 5_000;

/** Whether the endpoint may be posted to now; with the trial of its breaker, when this attempt is the trial. */
export async function takeTurn(
  { breakers, clock }: Pick<TurnDependencies, 'breakers' | 'clock'>,
  endpoint: Endpoint,
): Promise<{ readonly held: number | undefined } | Postponed> {
  const admitted = admit(endpoint.breaker, clock.nowMs());
  if (admitted.admission === 'post') return { held: undefined };
  if (admitted.admission === 'wait') return { atLeastMs: admitted.waitMs };
  const taken = await breakers.takeTrial(endpoint, admitted.seen, clock.nowMs());
  return taken === 'taken' ? { atLeastMs: TRIAL_WAIT_MS } : taken;
}

/**
 * Gives the trial of a breaker back that found nothing out, so that the next delivery may take it. A trial that is not given back is free
 * again after half a minute.
 */
export async function giveTurnBack(
  { breakers, clock, logger }: Pick<TurnDependencies, 'breakers' | 'clock' | 'logger'>,
  { endpoint, held, fields }: Tried,
): Promise<void> {
  if (held === undefined) return;
  const nowMs = clock.nowMs();
  const to = { failures: endpoint.breaker.failures, openUntilMs: nowMs };
  await breakers.write(endpoint, { change: 'set', held, to }, nowMs).catch((error: unknown) => {
    logger.warn('trial of a breaker could not be given back', { ...fields, error });
  });
}

/** An attempt whose outcome is to be recorded. */
export interface Tried {
  readonly endpoint: Endpoint;
  /** The trial that it held; undefined for none. */
  readonly held: number | undefined;
  readonly fields: LogFields;
}

/**
 * Records the outcome in the breaker, if it changes anything. Returns for how long this attempt has opened it, or
 * undefined when it has not. A failure here must not repeat a POST that the receiver has accepted: a trial that is not
 * settled is free again after half a minute.
 */
export async function settleBreaker(
  { breakers, clock, metrics, random, logger, known }: TurnDependencies,
  { endpoint, held, fields }: Tried,
  end: Pick<AttemptEnd, 'succeeded' | 'retryAfterMs'>,
): Promise<number | undefined> {
  const nowMs = clock.nowMs();
  const change = afterAttempt(endpoint.breaker, held, { ...end, nowMs, jitter: random.unit() });
  if (change === undefined) return undefined;
  try {
    const written = await breakers.write(endpoint, change, nowMs);
    if (written === 'opened') {
      logger.info('breaker opened', { ...fields, dependency: 'webhook' });
      metrics.count('BreakerOpened', { dependency: 'webhook' });
    }
    if (change.change === 'count') return written === 'opened' ? change.openMs : undefined;
    if (change.change === 'forget' || change.to.openUntilMs === undefined) return undefined;
    return change.to.openUntilMs - nowMs;
  } catch (error) {
    logger.warn('breaker could not be written', { ...fields, error });
    return undefined;
  } finally {
    known.forget(endpoint);
  }
}
