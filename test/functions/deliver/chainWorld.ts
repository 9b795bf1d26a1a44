import { systemClock } from '../../../shared/kernel/clock.ts';
import type { ConnectionId, CorrelationId, EventId } from '../../../shared/kernel/id.ts';
import { AddressGuard, systemResolve } from '../../../shared/platform/addressGuard.ts';
import { putIntoChains } from '../../../shared/webhook/chainEvents.ts';
import { sendDeliveries, type Delivery } from '../../../shared/webhook/delivery.ts';
import type { Endpoint, NewEndpoint } from '../../../shared/webhook/endpoint.ts';
import { makeWebhookPoster, type WebhookPoster } from '../../../shared/webhook/postWebhook.ts';
import { aStatusDraft, logEvents } from '../../shared/event/loggedEvents.ts';
import { startReceiver, type Receiver } from '../../shared/webhook/receiver.ts';
import { aTenantWith, startQueueStack, type QueueStack } from '../queueStack.ts';

/** A receiver that wants the events of each connection in their order, and what posts to it. */
export interface ChainWorld {
  readonly stack: QueueStack;
  readonly poster: WebhookPoster;
  readonly receiver: Receiver;
  /** How the receiver answers, or that it does not; it gets the `webhook-id`. */
  answer: (webhookId: string, body: string) => number | 'none';
  readonly stop: () => Promise<void>;
}

export async function startChainWorld(): Promise<ChainWorld> {
  const stack = await startQueueStack();
  const receiver = await startReceiver((request, response) => {
    const body = receiver.received.at(-1)?.body ?? '';
    const answer = world.answer(String(request.headers['webhook-id']), body);
    if (answer !== 'none') response.writeHead(answer).end();
  });
  const guard = new AddressGuard({ resolve: systemResolve, allowLoopback: true });
  const poster = makeWebhookPoster({ guard, clock: systemClock, timeoutMs: 5_000 });
  const world: ChainWorld = {
    stack,
    poster,
    receiver,
    answer: () => 200,
    stop: async () => {
      await Promise.all([poster.close(), receiver.stop()]);
      await stack.stop();
    },
  };
  return world;
}

/** An endpoint in strict order at a path of the receiver. */
export async function aStrictEndpoint(
  { stack, receiver }: ChainWorld,
  path: string,
  more: Omit<NewEndpoint, 'url'> = {},
): Promise<Endpoint> {
  const { endpoints } = await aTenantWith(stack, [{ url: `${receiver.url}${path}`, order: 'strict', ...more }]);
  const [endpoint] = endpoints;
  if (endpoint === undefined) throw new Error('the tenant has no endpoint');
  return endpoint;
}

/** Records events of a connection as ingest does, together. Returns them with the deliveries that are to be queued. */
export async function recordInChain(
  { stack }: ChainWorld,
  endpoint: Endpoint,
  connectionId: string,
  count = 1,
): Promise<{ readonly eventIds: readonly EventId[]; readonly deliveries: readonly Delivery[] }> {
  const draft = aStatusDraft(endpoint.tenantId, { connectionId });
  const events = await logEvents(stack, [draft, ...Array.from({ length: count - 1 }, () => draft)]);
  const deliverable = events.map((event) => ({
    eventId: event.id as EventId,
    type: event.type,
    correlationId: event.correlationId as CorrelationId,
    text: JSON.stringify(event),
  }));
  const deliveries = await putIntoChains(stack, [endpoint], connectionId as ConnectionId, deliverable);
  return { eventIds: deliverable.map(({ eventId }) => eventId), deliveries };
}

/** Records events and queues what stands for them. Returns their ids. */
export async function tellInChain(
  world: ChainWorld,
  endpoint: Endpoint,
  connectionId: string,
  count = 1,
): Promise<readonly EventId[]> {
  const { eventIds, deliveries } = await recordInChain(world, endpoint, connectionId, count);
  await sendDeliveries(world.stack, deliveries);
  return eventIds;
}

/** The ids of the events that were posted to a path, in the order in which they were. */
export function postedTo({ receiver }: ChainWorld, path: string): readonly string[] {
  return receiver.received
    .filter((post) => post.path === path)
    .flatMap(({ body }) => {
      const told = JSON.parse(body) as
        { readonly id: string } | { readonly events: readonly { readonly id: string }[] };
      return 'events' in told ? told.events.map(({ id }) => id) : [told.id];
    });
}
