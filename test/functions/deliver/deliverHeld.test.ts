import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeDeliverHandler } from '../../../functions/deliver/handler.ts';
import { makeReconcileHandler } from '../../../functions/reconcile/handler.ts';
import { ACTIVE, type OpenStanding } from '../../../shared/identity/standing.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { makeDeliveryId, type ConnectionId, type CorrelationId } from '../../../shared/kernel/id.ts';
import { AddressGuard, systemResolve } from '../../../shared/platform/addressGuard.ts';
import { changeStanding } from '../../../shared/tenant/tenantWork.ts';
import type { Delivery } from '../../../shared/webhook/delivery.ts';
import type { Endpoint } from '../../../shared/webhook/endpoint.ts';
import { makeWebhookPoster, type WebhookPoster } from '../../../shared/webhook/postWebhook.ts';
import { aStatusDraft, logEvent } from '../../shared/event/loggedEvents.ts';
import { startReceiver, type Receiver } from '../../shared/webhook/receiver.ts';
import { aRecord, aTenantWith, startQueueStack, takeDeliveries, type QueueStack } from '../queueStack.ts';

const correlationId = 'cor-of-operator' as CorrelationId;

describe('the webhooks of a tenant that is suspended', () => {
  let stack: QueueStack;
  let poster: WebhookPoster;
  let receiver: Receiver;
  let posts = 0;
  beforeAll(async () => {
    stack = await startQueueStack();
  });
  afterAll(() => stack.stop());
  beforeEach(async () => {
    posts = 0;
    receiver = await startReceiver((_request, response) => {
      posts += 1;
      response.writeHead(200).end();
    });
    const guard = new AddressGuard({ resolve: systemResolve, allowLoopback: true });
    poster = makeWebhookPoster({ guard, clock: systemClock, timeoutMs: 5_000 });
    await takeDeliveries(stack);
  });
  afterEach(async () => {
    await Promise.all([poster.close(), receiver.stop()]);
  });

  const anEndpoint = async (given: object = {}): Promise<Endpoint> => {
    const { endpoints } = await aTenantWith(stack, [{ url: `${receiver.url}/hook`, ...given }]);
    const [endpoint] = endpoints;
    if (endpoint === undefined) throw new Error('the tenant has no endpoint');
    return endpoint;
  };
  const aDelivery = async ({ tenantId, endpointId }: Endpoint): Promise<Delivery> => {
    const eventId = await logEvent(stack, aStatusDraft(tenantId));
    const deliveryId = makeDeliveryId(endpointId, eventId);
    return { version: 1, tenantId, endpointId, eventId, correlationId, deliveryId };
  };
  /** Has an instance of the function work deliveries. Returns how many stay in the queue. */
  const deliver = async (deliveries: readonly Delivery[]): Promise<number> => {
    const handler = makeDeliverHandler({ ...stack, poster });
    const Records = deliveries.map((delivery) => aRecord(JSON.stringify(delivery)));
    return (await handler({ Records })).batchItemFailures.length;
  };
  const stand = async ({ tenantId }: Endpoint, standing: OpenStanding): Promise<void> => {
    const work = standing.state === 'active' ? 'resume' : 'suspend';
    await changeStanding(stack, standing, { tenantId, work, sinceMs: Date.now(), correlationId });
    await makeReconcileHandler(stack)();
  };
  const suspended: OpenStanding = { state: 'suspended', reason: 'a test', sinceMs: 1 };

  it('post nothing, keep what is to be delivered, and post it when the tenant is resumed', async () => {
    const endpoint = await anEndpoint();
    const held = [await aDelivery(endpoint), await aDelivery(endpoint)];
    await stand(endpoint, suspended);

    const stay = await deliver(held);
    const queued = await takeDeliveries(stack);
    const postsWhileHeld = posts;
    await stand(endpoint, ACTIVE);
    const released = await takeDeliveries(stack);
    await deliver(released);

    expect([stay, queued, postsWhileHeld]).toEqual([0, [], 0]);
    expect(released.map(({ deliveryId }) => deliveryId).sort()).toEqual(
      held.map(({ deliveryId }) => deliveryId).sort(),
    );
    expect(posts).toBe(2);
  });

  it('are not disabled, and a delivery that nobody held goes out as ever', async () => {
    const [endpoint, other] = [await anEndpoint(), await anEndpoint()];
    await stand(endpoint, suspended);

    await deliver([await aDelivery(endpoint), await aDelivery(other)]);

    expect(await stack.endpoints.find(endpoint.tenantId, endpoint.endpointId)).toMatchObject({
      state: 'active',
      isHeld: true,
    });
    expect(posts).toBe(1);
  });

  it('keep a chain in strict order, which goes on when the tenant is resumed', async () => {
    const endpoint = await anEndpoint({ order: 'strict' });
    const draft = aStatusDraft(endpoint.tenantId);
    const chain = draft.connectionId as ConnectionId;
    const eventId = await logEvent(stack, draft);
    const delivery = await aDelivery(endpoint);
    await stand(endpoint, suspended);

    const stay = await deliver([{ ...delivery, eventId, chain }]);
    const between = await takeDeliveries(stack);
    await stand(endpoint, ACTIVE);

    expect([stay, between, posts]).toEqual([0, [], 0]);
    expect(await takeDeliveries(stack)).toMatchObject([{ chain }]);
  });
});
