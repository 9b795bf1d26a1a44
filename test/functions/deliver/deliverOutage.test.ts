import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDeadLetters } from '../../../shared/deadLetters/readDeadLetters.ts';
import { settleDeadLetters } from '../../../shared/deadLetters/settleDeadLetters.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { makeDeliveryId, type CorrelationId } from '../../../shared/kernel/id.ts';
import { AddressGuard, systemResolve } from '../../../shared/platform/addressGuard.ts';
import { DELIVERY_ATTEMPTS } from '../../../shared/webhook/attempt.ts';
import type { Delivery } from '../../../shared/webhook/delivery.ts';
import type { Endpoint } from '../../../shared/webhook/endpoint.ts';
import { makeWebhookPoster, type WebhookPoster } from '../../../shared/webhook/postWebhook.ts';
import { releaseFailed } from '../../../shared/webhook/releaseDeliveries.ts';
import { aStatusDraft, logEvent } from '../../shared/event/loggedEvents.ts';
import { startReceiver, type Receiver } from '../../shared/webhook/receiver.ts';
import { aTenantWith, startQueueStack, type QueueStack } from '../queueStack.ts';
import { queueInTime } from './queueInTime.ts';

const HOUR_MS = 3_600_000;
const DELIVERIES = 5;

describe('a receiver that is down for the whole schedule', () => {
  let stack: QueueStack;
  let poster: WebhookPoster;
  let receiver: Receiver;
  let status = 500;
  beforeAll(async () => {
    stack = await startQueueStack();
    receiver = await startReceiver((_request, response) => response.writeHead(status).end());
    const guard = new AddressGuard({ resolve: systemResolve, allowLoopback: true });
    poster = makeWebhookPoster({ guard, clock: systemClock, timeoutMs: 5_000 });
  });
  afterAll(async () => {
    await Promise.all([poster.close(), receiver.stop()]);
    await stack.stop();
  });

  const untilAllEnded = async (endpoint: Endpoint, first: readonly Delivery[]): Promise<void> => {
    const { goOn, shown } = queueInTime(stack, poster);
    await goOn(endpoint, first.map(shown));
  };

  it('is asked for more than a day, gets all that failed by one call when it is back, and nothing twice', async () => {
    const { tenantId, endpoints } = await aTenantWith(stack, [{ url: `${receiver.url}/hook` }]);
    const endpoint = endpoints[0] as Endpoint;
    const { endpointId } = endpoint;
    const deliveries: Delivery[] = [];
    for (let made = 0; made < DELIVERIES; made += 1) {
      const eventId = await logEvent(stack, aStatusDraft(tenantId));
      const correlationId = 'cor-of-request' as CorrelationId;
      const deliveryId = makeDeliveryId(endpointId, eventId);
      deliveries.push({ version: 1, tenantId, endpointId, eventId, correlationId, deliveryId });
    }
    const startMs = stack.clock.nowMs();

    await untilAllEnded(endpoint, deliveries);

    const tried = receiver.received.length;
    const idsTried = new Set(receiver.received.map(({ headers }) => headers['webhook-id']));
    expect(idsTried.size).toBe(DELIVERIES);
    expect(stack.clock.nowMs() - startMs).toBeGreaterThan(24 * HOUR_MS);
    expect(tried).toBeLessThanOrEqual(DELIVERIES * DELIVERY_ATTEMPTS);
    const { letters } = await readDeadLetters(stack, { kinds: ['deliveries'], tenantId }, 10);
    expect(letters.map(({ reason }) => reason)).toEqual(Array(DELIVERIES).fill('not_taken'));
    expect(
      letters.every(
        ({ firstFailure, lastFailure }) => firstFailure?.httpStatus === 500 && lastFailure?.httpStatus === 500,
      ),
    ).toBe(true);

    status = 200;
    const nowMs = stack.clock.nowMs();
    const { released } = await releaseFailed(stack, endpointId, { nowMs, sinceMs: startMs, after: undefined });
    await untilAllEnded(endpoint, []);

    const takenIds = () => receiver.received.slice(tried).map(({ headers }) => headers['webhook-id']);
    expect(released).toBe(DELIVERIES);
    expect(takenIds().map(String).sort()).toEqual(deliveries.map(({ eventId }) => String(eventId)).sort());

    // The dead letters are redriven on top of that: each finds a newer round of itself.
    const all = { act: 'redrive', by: 'test', isMeant: () => true, most: { looked: 100, settled: 100 } } as const;
    const { settled } = await settleDeadLetters(
      { ...stack, findConnection: () => Promise.resolve(undefined) },
      'deliveries',
      all,
    );
    await untilAllEnded(endpoint, []);
    expect(settled).toHaveLength(DELIVERIES);
    expect(takenIds()).toHaveLength(DELIVERIES);
  });
});
