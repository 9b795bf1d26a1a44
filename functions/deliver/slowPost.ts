import { Stop, type StopSignal } from '../../shared/kernel/clock.ts';
import type { LogFields } from '../../shared/platform/logger.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { Endpoint } from '../../shared/webhook/endpoint.ts';
import type { EndpointBreakerStore } from '../../shared/webhook/endpointBreakerStore.ts';
import type { RememberedEndpoints } from '../../shared/webhook/rememberedEndpoints.ts';
import { isNewlySlow, slowRule } from '../../shared/webhook/slowEndpoint.ts';
import type { DeliveryInHand } from './deliveryInHand.ts';

interface SlowDependencies extends Pick<Surroundings, 'clock' | 'logger'> {
  readonly breakers: Pick<EndpointBreakerStore, 'noteSlow'>;
  readonly known: Pick<RememberedEndpoints, 'forget'>;
}

interface PostInHand extends Pick<DeliveryInHand, 'fields' | 'mayWait'> {
  readonly endpoint: Endpoint;
}

/**
 * Posts. Once the post has waited a second it is noted that the endpoint is slow, and where its batch may not wait the post is told to end.
 *
 * - The note fails: others lose the time of the next post that waits.
 * - The answer comes while the note is written: it counts, and the post is not told to end.
 * - The process dies: as in any post.
 *
 * @param post returns `left` where it ended because it was told to; an answer that was there by then counts
 */
export async function postUntilSlow<Outcome>(
  dependencies: SlowDependencies,
  { endpoint, fields, mayWait }: PostInHand,
  post: (leave: StopSignal) => Promise<Outcome>,
): Promise<Outcome> {
  const { clock } = dependencies;
  const over = new Stop();
  const leave = new Stop();
  const beganMs = clock.monotonicMs();
  const watched = clock.sleep(slowRule.afterMs, over).then(async () => {
    if (over.aborted || clock.monotonicMs() - beganMs < slowRule.afterMs) return;
    const isNew = isNewlySlow(endpoint, clock.nowMs());
    const [may] = await Promise.all([mayWait(), isNew && note(dependencies, endpoint, fields)]);
    // The note stands by now: what is passed on, or goes on later, finds the endpoint slow.
    if (!may && !over.aborted) leave.abort();
  });
  try {
    return await post(leave);
  } finally {
    over.abort();
    // A process may be frozen when its invocation ends: what was begun must be over by then.
    await watched;
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
