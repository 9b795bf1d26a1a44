import { Stop } from '../../shared/kernel/clock.ts';
import type { LogFields } from '../../shared/platform/logger.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { Endpoint } from '../../shared/webhook/endpoint.ts';
import type { EndpointBreakerStore } from '../../shared/webhook/endpointBreakerStore.ts';
import type { RememberedEndpoints } from '../../shared/webhook/rememberedEndpoints.ts';
import { isNewlySlow, slowRule } from '../../shared/webhook/slowEndpoint.ts';

interface SlowDependencies extends Pick<Surroundings, 'clock' | 'logger'> {
  readonly breakers: Pick<EndpointBreakerStore, 'noteSlow'>;
  readonly known: Pick<RememberedEndpoints, 'forget'>;
}

/**
 * Posts, and notes meanwhile that the endpoint is slow once the post has waited a second. A note that fails costs others the time of the next
 * post that waits, and this one nothing.
 */
export async function whileNotingSlow<Outcome>(
  dependencies: SlowDependencies,
  { endpoint, fields }: { readonly endpoint: Endpoint; readonly fields: LogFields },
  post: () => Promise<Outcome>,
): Promise<Outcome> {
  const { clock } = dependencies;
  const over = new Stop();
  const beganMs = clock.monotonicMs();
  const noted = clock.sleep(slowRule.afterMs, over).then(async () => {
    const isLong = !over.aborted && clock.monotonicMs() - beganMs >= slowRule.afterMs;
    if (isLong && isNewlySlow(endpoint, clock.nowMs())) await note(dependencies, endpoint, fields);
  });
  try {
    return await post();
  } finally {
    over.abort();
    // A process may be frozen when its invocation ends: what was begun must be over by then.
    await noted;
  }
}

async function note(
  { breakers, known, clock, logger }: SlowDependencies,
  endpoint: Endpoint,
  fields: LogFields,
): Promise<void> {
  try {
    await breakers.noteSlow(endpoint, clock.nowMs() + slowRule.forMs);
    logger.info('endpoint is slow', fields);
  } catch (error) {
    logger.warn('it could not be noted that an endpoint is slow', { ...fields, error });
  } finally {
    known.forget(endpoint);
  }
}
