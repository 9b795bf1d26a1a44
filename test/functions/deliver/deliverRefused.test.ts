import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { makeDeliveryId, type CorrelationId } from '../../../shared/kernel/id.ts';
import { AddressGuard, systemResolve } from '../../../shared/platform/addressGuard.ts';
import { DELIVERY_ATTEMPTS, MOST_RELEASES } from '../../../shared/webhook/attempt.ts';
import type { Delivery } from '../../../shared/webhook/delivery.ts';
import type { Endpoint } from '../../../shared/webhook/endpoint.ts';
import { makeWebhookPoster, type WebhookPoster } from '../../../shared/webhook/postWebhook.ts';
import { aStatusDraft, logEvent } from '../../shared/event/loggedEvents.ts';
import { startReceiver, type Receiver } from '../../shared/webhook/receiver.ts';
import { aTenantWith, startQueueStack, type QueueStack } from '../queueStack.ts';
import { queueInTime, type Shown } from './queueInTime.ts';

const HOUR_MS = 3_600_000;

/** Refused together, so that each fails while another one is failing as well. */
const REFUSED = 3;

describe('events that a receiver does not take, which takes all others', () => {
  let stack: QueueStack;
  let poster: WebhookPoster;
  let receiver: Receiver;
  const refused = new Set<string>();
  /** When each of them was tried. */
  const triedAtMs = new Map<string, number[]>();
  beforeAll(async () => {
    stack = await startQueueStack();
    receiver = await startReceiver((request, response) => {
      const id = String(request.headers['webhook-id']);
      const isRefused = refused.has(id);
      if (isRefused) triedAtMs.set(id, [...(triedAtMs.get(id) ?? []), stack.clock.nowMs()]);
      response.writeHead(isRefused ? 422 : 200).end();
    });
    const guard = new AddressGuard({ resolve: systemResolve, allowLoopback: true });
    poster = makeWebhookPoster({ guard, clock: systemClock, timeoutMs: 5_000 });
  });
  afterAll(async () => {
    await Promise.all([poster.close(), receiver.stop()]);
    await stack.stop();
  });

  const aDelivery = async ({ tenantId, endpointId }: Endpoint): Promise<Delivery> => {
    const eventId = await logEvent(stack, aStatusDraft(tenantId));
    const correlationId = 'cor-of-request' as CorrelationId;
    return {
      version: 1,
      tenantId,
      endpointId,
      eventId,
      correlationId,
      deliveryId: makeDeliveryId(endpointId, eventId),
    };
  };

  it('are tried for more than a day, however often others are taken meanwhile', async () => {
    const { endpoints } = await aTenantWith(stack, [{ url: `${receiver.url}/hook` }]);
    const endpoint = endpoints[0] as Endpoint;
    const { goOn, shown } = queueInTime(stack, poster);
    const startMs = stack.clock.nowMs();
    let queue: readonly Shown[] = [];
    for (let made = 0; made < REFUSED; made += 1) {
      const one = await aDelivery(endpoint);
      refused.add(one.eventId);
      queue = [...queue, shown(one)];
    }

    // Others come every few seconds for ten minutes, and every two hours after that.
    for (let turn = 0; turn < 75; turn += 1) {
      const afterMs = turn < 40 ? 15_000 : 2 * HOUR_MS;
      queue = await goOn(endpoint, [...queue, shown(await aDelivery(endpoint))], stack.clock.nowMs() + afterMs);
    }

    expect(queue).toEqual([]);
    const all = [...triedAtMs.values()];
    expect(all).toHaveLength(REFUSED);
    for (const tried of all) {
      expect((tried.at(-1) ?? 0) - startMs).toBeGreaterThan(24 * HOUR_MS);
      // A turn counts as well at which the breaker, which the others have opened, lets one of them try.
      expect(tried.length).toBeGreaterThan(DELIVERY_ATTEMPTS / 2);
      expect(tried.length).toBeLessThanOrEqual(DELIVERY_ATTEMPTS + MOST_RELEASES);
    }
  });
});
