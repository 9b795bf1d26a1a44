import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDeliverHandler } from '../../../functions/deliver/handler.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { makeDeliveryId, type CorrelationId } from '../../../shared/kernel/id.ts';
import { AddressGuard, systemResolve } from '../../../shared/platform/addressGuard.ts';
import type { Delivery } from '../../../shared/webhook/delivery.ts';
import type { Endpoint } from '../../../shared/webhook/endpoint.ts';
import { EndpointStore } from '../../../shared/webhook/endpointStore.ts';
import { makeWebhookPoster, type WebhookPoster } from '../../../shared/webhook/postWebhook.ts';
import { aStatusDraft, eventIdOf } from '../../shared/event/loggedEvents.ts';
import { startReceiver, type ReceivedPost, type Receiver } from '../../shared/webhook/receiver.ts';
import { aRecord, aTenantWith, startQueueStack, type QueueStack } from '../queueStack.ts';

const DELIVERIES = 1_000;
const IN_ONE_RUN = 10;
/** Words that a careless reader of bytes would change. */
const WORDS = [
  'Hello',
  'Grüße 👩🏽‍🚀',
  '\u2028\u2029',
  '"\\u0000"',
  'a'.repeat(5_000),
  '\r\n\t',
  '漢字 العربية',
  '\ud83d\ude00',
] as const;

describe('deliveries, as libraries of others verify them', () => {
  let stack: QueueStack;
  let poster: WebhookPoster;
  let receiver: Receiver;
  let endpoint: Endpoint;
  let posts: readonly ReceivedPost[] = [];
  beforeAll(async () => {
    stack = await startQueueStack();
    receiver = await startReceiver();
    const guard = new AddressGuard({ resolve: systemResolve, allowLoopback: true });
    poster = makeWebhookPoster({ guard, clock: systemClock, timeoutMs: 5_000 });
    const { endpoints } = await aTenantWith(stack, [{ url: `${receiver.url}/hook` }]);
    [endpoint] = endpoints as [Endpoint];
    // The libraries compare with the clock of the machine.
    const handler = makeDeliverHandler({ ...stack, clock: systemClock, poster });
    for (let from = 0; from < DELIVERIES; from += IN_ONE_RUN) {
      const Records = Array.from({ length: IN_ONE_RUN }, (_, index) => aRecordOf(endpoint, from + index));
      const { batchItemFailures } = await handler({ Records });
      if (batchItemFailures.length > 0) throw new Error('a delivery was not taken');
    }
    posts = [...receiver.received];
  });
  afterAll(async () => {
    await Promise.all([poster.close(), receiver.stop()]);
    await stack.stop();
  });

  const aRecordOf = ({ tenantId, endpointId }: Endpoint, place: number) => {
    const eventId = eventIdOf(place + 1);
    const draft = aStatusDraft(tenantId, { correlationId: `cor-${place}` });
    const event = JSON.stringify({ id: eventId, ...draft, data: { words: WORDS[place % WORDS.length], place } });
    const correlationId = 'cor-of-request' as CorrelationId;
    const deliveryId = makeDeliveryId(endpointId, eventId);
    const delivery: Delivery = { version: 1, tenantId, endpointId, eventId, correlationId, deliveryId, event };
    return aRecord(JSON.stringify(delivery), { id: `record-${place}` });
  };
  const headersOf = ({ headers }: ReceivedPost) => ({
    'webhook-id': String(headers['webhook-id']),
    'webhook-timestamp': String(headers['webhook-timestamp']),
    'webhook-signature': String(headers['webhook-signature']),
  });
  const libraries = [
    ['standardwebhooks', (secret: string) => new StandardWebhook(secret)],
    ['svix', (secret: string) => new SvixWebhook(secret)],
  ] as const;

  it.each(libraries)('%s takes each of a thousand, with what stands in it', (_name, make) => {
    const library = make(endpoint.secret.reveal());

    const places = posts.map((post) => {
      library.verify(post.body, headersOf(post));
      const told = JSON.parse(post.body) as { readonly data: { readonly words: string; readonly place: number } };
      return told.data.words === WORDS[told.data.place % WORDS.length] ? told.data.place : 'other words';
    });

    expect(places.toSorted((left, right) => Number(left) - Number(right))).toEqual(
      Array.from({ length: DELIVERIES }, (_, place) => place),
    );
  });

  it.each(libraries)('%s takes none that somebody has changed, nor with another secret', (_name, make) => {
    const [post] = posts as [ReceivedPost];
    const library = make(endpoint.secret.reveal());
    const other = make(`whsec_${Buffer.alloc(32, 7).toString('base64')}`);

    expect(() => library.verify(post.body.replace('place', 'plaice'), headersOf(post))).toThrow(/signature/i);
    expect(() => library.verify(post.body, { ...headersOf(post), 'webhook-id': 'evt_other' })).toThrow(/signature/i);
    expect(() => other.verify(post.body, headersOf(post))).toThrow(/signature/i);
  });

  it.each(libraries)('%s takes a post for either secret on the day of a change', async (_name, make) => {
    const found = await stack.endpoints.find(endpoint.tenantId, endpoint.endpointId);
    const first = (found ?? endpoint).secret.reveal();
    const clock = systemClock;
    const next = await new EndpointStore({ ...stack, clock }).changeSecret(found ?? endpoint);
    if (next === 'changed_meanwhile') throw new Error('nobody else changes it');
    await makeDeliverHandler({ ...stack, clock, poster })({ Records: [aRecordOf(endpoint, 0)] });

    const post = receiver.received.at(-1) as ReceivedPost;
    for (const secret of [first, next.reveal()]) {
      expect(() => make(secret).verify(post.body, headersOf(post))).not.toThrow();
    }
  });
});
