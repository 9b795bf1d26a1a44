import { publishFact } from '../../shared/event/publishFact.ts';
import { webhookDisabledKeyOf } from '../../shared/event/facts/webhookDisabledFact.ts';
import type { ConnectionId } from '../../shared/kernel/id.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { DeliveryQueue } from '../../shared/webhook/delivery.ts';
import type { Disabling, Endpoint } from '../../shared/webhook/endpoint.ts';
import { firstEventIn } from '../../shared/webhook/eventBatch.ts';
import type { EndpointStore } from '../../shared/webhook/endpointStore.ts';
import type { RememberedEndpoints } from '../../shared/webhook/rememberedEndpoints.ts';
import { noteWaiting, type WaitingTable } from '../../shared/webhook/waitingDeliveries.ts';
import type { DeliveryInHand } from './deliveryInHand.ts';

export interface DisableDependencies extends Pick<Surroundings, 'clock' | 'logger'>, DeliveryQueue, WaitingTable {
  readonly stage: string;
  readonly endpoints: Pick<EndpointStore, 'disable' | 'noteDisablingTold'>;
  readonly known: Pick<RememberedEndpoints, 'forget'>;
}

/**
 * Disables an endpoint and tells its tenant by an event, which the tenant's other webhooks get. First it is written who was
 * posted last, then the event is published under a key of that moment, then it is written that it is told.
 *
 * - The process dies in between, or a call fails: the delivery comes again, finds the endpoint disabled and not told, and tells it
 *   (`endAtDisabled`). Ingest tells a fact once, however often it is published.
 * - Several deliveries would disable it: the condition lets one.
 * - A receiver takes something at the same moment: an endpoint that failed for days stays active.
 */
export async function disableEndpoint(
  dependencies: DisableDependencies,
  { delivery }: Pick<DeliveryInHand, 'delivery'>,
  endpoint: Endpoint,
  cause: { readonly because: Disabling['because']; readonly text: string },
): Promise<void> {
  const { endpoints, known, clock } = dependencies;
  const { tenantId, endpointId, failingSinceMs } = endpoint;
  const disabling = {
    because: cause.because,
    atMs: clock.nowMs(),
    connectionId: firstEventIn(cause.text).connectionId as ConnectionId,
    correlationId: delivery.correlationId,
    ...(cause.because === 'failing' ? { failingSinceMs } : {}),
  };
  try {
    if ((await endpoints.disable(tenantId, endpointId, disabling)) === 'not_now') return;
  } finally {
    known.forget(endpoint);
  }
  await tellDisabled(dependencies, endpoint, disabling);
}

/**
 * Ends a delivery whose endpoint is not open. One that is held keeps it until its tenant is resumed. Of a disabled one it is told first,
 * where nobody has yet. What was not taken by one that failed for days is
 * kept for the day on which it is resumed, and begins its schedule from the start then; one that answered 410 wants none of it.
 */
export async function endAtDisabled(
  dependencies: DisableDependencies,
  { delivery }: DeliveryInHand,
  endpoint: Endpoint,
): Promise<void> {
  const { disabling, isHeld } = endpoint;
  if (disabling === undefined && isHeld !== true) return;
  if (disabling?.isTold === false) await tellDisabled(dependencies, endpoint, disabling);
  if (disabling?.because === 'gone') return;
  const nowMs = dependencies.clock.nowMs();
  await noteWaiting(dependencies, delivery, { attempts: 0, notBeforeMs: 0, nowMs });
}

async function tellDisabled(
  dependencies: DisableDependencies,
  { tenantId, endpointId }: Endpoint,
  { because, atMs, connectionId, correlationId, failingSinceMs }: Omit<Disabling, 'isTold'>,
): Promise<void> {
  const { endpoints, logger } = dependencies;
  await publishFact(
    dependencies,
    { tenantId, connectionId, correlationId },
    {
      kind: 'webhook_disabled',
      key: webhookDisabledKeyOf(endpointId, atMs),
      atMs,
      webhookId: endpointId,
      because,
      ...(failingSinceMs === undefined ? {} : { failingSinceMs }),
    },
  );
  await endpoints.noteDisablingTold(tenantId, endpointId, { atMs });
  logger.warn('a webhook is disabled', { tenantId, endpointId, connectionId, correlationId, reason: because });
}
