import { createHmac } from 'node:crypto';
import { ReceiveMessageCommand, DeleteMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../shared/kernel/clock.ts';
import {
  makeDeliveryId,
  parseId,
  type ConnectionId,
  type CorrelationId,
  type EndpointId,
  type EventId,
} from '../../../shared/kernel/id.ts';
import { AddressGuard, systemResolve } from '../../../shared/platform/addressGuard.ts';
import { recordAttempts } from '../../../shared/webhook/attemptItems.ts';
import { deliverySchema, deliveryQueueUrl, type Delivery } from '../../../shared/webhook/delivery.ts';
import { BOTH_SECRETS_MS } from '../../../shared/webhook/endpointStore.ts';
import { makeWebhookPoster, type WebhookPoster } from '../../../shared/webhook/postWebhook.ts';
import { eventIdOf } from '../../shared/event/loggedEvents.ts';
import { aBatch, aMessageFact } from '../../shared/event/eventStores.ts';
import { recordFacts } from '../../shared/event/recordFacts.ts';
import { startReceiver, type Receiver } from '../../shared/webhook/receiver.ts';
import { anAccount, ApiStack } from '../api/apiStack.ts';
import { noteWaiting } from '../../../shared/webhook/waitingDeliveries.ts';
import { GONE } from '../../shared/webhook/disablings.ts';

const GROUP = '120363000000000001@g.us';

describe('a webhook that is changed', () => {
  let stack: ApiStack;
  let api: Pick<ApiStack, 'call'>;
  let poster: WebhookPoster;
  let tenant: Awaited<ReturnType<ApiStack['tenant']>>;
  let connectionId: ConnectionId;
  let receiver: Receiver;
  beforeAll(async () => {
    stack = await ApiStack.start();
    tenant = await stack.tenant();
    connectionId = await stack.connection(tenant, anAccount);
    const guard = new AddressGuard({ resolve: systemResolve, allowLoopback: true });
    poster = makeWebhookPoster({ guard, clock: systemClock, timeoutMs: 5_000 });
    api = stack.with({ guard, poster });
    receiver = await startReceiver((_request, response) => response.writeHead(204).end());
  });
  afterAll(async () => {
    await receiver.stop();
    await poster.close();
    await stack.stop();
  });

  const call = (method: string, path: string, body?: unknown, key = tenant.key) =>
    api.call(method, path, { key, ...(body === undefined ? {} : { body }) });
  const aWebhook = async (fields: object = {}) => {
    const { body } = await call('POST', '/v1/webhooks', { url: `${receiver.url}/hook`, ...fields });
    const id = parseId('end', String(body['id'])) as EndpointId;
    return { id, body, secret: String(body['secret']), remove: () => call('DELETE', `/v1/webhooks/${id}`) };
  };
  const signatureOf = (secret: string, { headers, body }: Receiver['received'][number]): string => {
    const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
  };
  let batches = 0;
  const receive = async (chat: string, atMs: number): Promise<string> => {
    batches += 1;
    const fact = aMessageFact({ chat, atMs, receivedAtMs: atMs });
    await recordFacts(stack.dependencies, aBatch({ ...tenant, connectionId }, [fact], `w-${batches}`));
    const ids: string[] = [];
    for (let after = ''; ;) {
      const { body } = await call('GET', `/v1/events?limit=100${after}`);
      ids.push(...(body['data'] as { readonly id: string }[]).map(({ id }) => id));
      if (body['hasMore'] !== true) return ids.at(-1) ?? '';
      after = `&after=${String(body['next'])}`;
    }
  };
  /** Takes all deliveries out of the queue. */
  const takeDeliveries = async (): Promise<readonly Delivery[]> => {
    const { queue } = stack.dependencies;
    const QueueUrl = deliveryQueueUrl(stack.dependencies);
    const found: Delivery[] = [];
    for (;;) {
      const { Messages = [] } = await queue.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
      if (Messages.length === 0) return found;
      for (const { Body = '', ReceiptHandle } of Messages) {
        found.push(deliverySchema.parse(JSON.parse(Body)));
        await queue.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    }
  };

  it('keeps what is not named, takes what is, and gives up what is null', async () => {
    const { id, remove } = await aWebhook({ events: ['message.received'], headers: { 'x-api-key': 'one' } });

    const first = await call('PATCH', `/v1/webhooks/${id}`, { connectionIds: [connectionId], chatKinds: ['groups'] });
    const second = await call('PATCH', `/v1/webhooks/${id}`, { url: `${receiver.url}/other`, events: null });
    await remove();

    expect(first.body).toMatchObject({
      url: `${receiver.url}/hook`,
      events: ['message.received'],
      connectionIds: [connectionId],
      chatKinds: ['groups'],
      headers: { 'x-api-key': '…' },
    });
    expect(second.body).toMatchObject({ url: `${receiver.url}/other`, chatKinds: ['groups'] });
    expect(second.body).not.toHaveProperty('events');
  });

  it('has events of connections of its own tenant alone: all others are not found, whether or not they are there', async () => {
    const other = await stack.tenant();
    const foreign = await stack.connection(other, anAccount);
    const { id, remove } = await aWebhook();

    for (const named of [foreign, 'con_00000000000000000000000000', 'nonsense']) {
      const connectionIds = [connectionId, named];
      const made = await call('POST', '/v1/webhooks', { url: `${receiver.url}/hook`, connectionIds });
      const changed = await call('PATCH', `/v1/webhooks/${id}`, { connectionIds });
      expect([made.status, made.body['code']]).toEqual([404, 'connection_not_found']);
      expect([changed.status, changed.body['code']]).toEqual([404, 'connection_not_found']);
    }

    const { body } = await call('GET', '/v1/webhooks');
    await remove();
    expect(body['data']).toMatchObject([{ id }]);
    expect((body['data'] as object[])[0]).not.toHaveProperty('connectionIds');
  });

  it.each([
    ['nothing', {}, 400],
    ['an address that is none of the internet', { url: 'http://169.254.169.254/latest' }, 422],
    ['no events at all', { events: [] }, 400],
    ['a header that is ours', { headers: { 'webhook-signature': 'v1,x' } }, 400],
    ['a header of the connection', { headers: { 'transfer-encoding': 'chunked' } }, 400],
    ['a header with another line', { headers: { 'x-a': 'a\r\nx-b: b' } }, 400],
    ['a header in capitals', { headers: { 'X-Api-Key': 'a' } }, 400],
    ['eleven headers', { headers: Object.fromEntries(Array.from({ length: 11 }, (_, at) => [`x-${at}`, 'a'])) }, 400],
  ])('does not take %s', async (_name, change, status) => {
    const { id, remove } = await aWebhook();
    const answer = await call('PATCH', `/v1/webhooks/${id}`, change);
    await remove();

    expect(answer.status).toBe(status);
  });

  it('is not found by another tenant, however it is asked for', async () => {
    const { id, remove } = await aWebhook();
    const other = await stack.tenant();
    const answers = await Promise.all([
      call('PATCH', `/v1/webhooks/${id}`, { events: null }, other.key),
      call('POST', `/v1/webhooks/${id}/secret`, {}, other.key),
      call('GET', `/v1/webhooks/${id}/attempts`, undefined, other.key),
      call('POST', `/v1/webhooks/${id}/replay`, { since: '2026-01-01T00:00:00Z' }, other.key),
    ]);
    await remove();

    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
  });

  it('has posts signed with two secrets for a day after a change, and with the new one alone from then on', async () => {
    const { id, secret, remove } = await aWebhook({ headers: { authorization: 'Bearer gate' } });
    const changed = await call('POST', `/v1/webhooks/${id}/secret`, {});
    await call('POST', `/v1/webhooks/${id}/test`);
    const post = receiver.received.at(-1);
    const endpoint = await stack.dependencies.endpoints.find(tenant.tenantId, id);
    await remove();
    if (post === undefined || endpoint?.previousSecret === undefined) throw new Error('a test was posted');
    const next = String(changed.body['secret']);

    expect(next).not.toBe(secret);
    expect(post.headers['webhook-signature']).toBe(`${signatureOf(next, post)} ${signatureOf(secret, post)}`);
    expect(post.headers['authorization']).toBe('Bearer gate');
    expect(Date.parse(String(changed.body['previousSecretUntil'])) - Date.now()).toBeLessThanOrEqual(BOTH_SECRETS_MS);
  });

  it('gets one of two secrets that are asked for at once, and the other request is told', async () => {
    const { id, remove } = await aWebhook();
    const answers = await Promise.all([1, 2, 3].map(() => call('POST', `/v1/webhooks/${id}/secret`, {})));
    const endpoint = await stack.dependencies.endpoints.find(tenant.tenantId, id);
    await remove();
    const given = answers.filter(({ status }) => status === 200);

    expect(answers.every(({ status }) => status === 200 || status === 409)).toBe(true);
    expect(given.map(({ body }) => body['secret'])).toContain(endpoint?.secret.reveal());
  });

  it('lists its attempts, newest first, page by page, each once', async () => {
    const { id, remove } = await aWebhook();
    const attempt = (sequence: number, atMs: number) => {
      const eventId = eventIdOf(sequence);
      const common = {
        endpointId: id,
        deliveryId: makeDeliveryId(id, eventId),
        eventId,
        number: 1,
        atMs,
        durationMs: 7,
      };
      return { ...common, result: 'failed', httpStatus: 503, reason: undefined } as const;
    };
    for (let item = 0; item < 5; item += 1) {
      await recordAttempts(stack.dependencies, id, [
        attempt(2 * item + 1, Date.now() + 2 * item),
        attempt(2 * item + 2, Date.now() + 2 * item + 1),
      ]);
    }
    const ids: unknown[] = [];
    let place = '';
    for (let pages = 0; pages < 10; pages += 1) {
      const { body } = await call('GET', `/v1/webhooks/${id}/attempts?limit=3${place}`);
      ids.push(...(body['data'] as { readonly eventId: string }[]).map(({ eventId }) => eventId));
      if (body['hasMore'] !== true) break;
      place = `&before=${encodeURIComponent(String(body['next']))}`;
    }
    const wrong = await call('GET', `/v1/webhooks/${id}/attempts?before=yesterday`);
    await remove();

    expect(ids).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1].map((sequence) => eventIdOf(sequence)));
    expect([wrong.status, wrong.body['code']]).toEqual([400, 'invalid_cursor']);
  });

  it('has events delivered once more: those that are named, or those of a time that it wants', async () => {
    const { id, remove } = await aWebhook({ chatKinds: ['groups'] });
    const dayMs = 86_400_000;
    const nowMs = Date.now();
    await receive('4915111111111@s.whatsapp.net', nowMs - dayMs);
    const early = await receive(GROUP, nowMs - 2 * dayMs);
    const late = await receive(GROUP, nowMs - dayMs);
    await takeDeliveries();
    const since = new Date(nowMs - 1.5 * dayMs).toISOString();
    const named = await call('POST', `/v1/webhooks/${id}/replay`, { eventIds: [early, early, 'evt_zzz'] });
    const first = await takeDeliveries();
    const range = await call('POST', `/v1/webhooks/${id}/replay`, { since });
    const second = await takeDeliveries();
    await stack.dependencies.endpoints.resume(tenant.tenantId, id);
    await call('PATCH', `/v1/webhooks/${id}`, { order: 'strict', chatKinds: null });
    const inOrder = await call('POST', `/v1/webhooks/${id}/replay`, { since });
    const third = await takeDeliveries();
    await stack.dependencies.endpoints.disable(tenant.tenantId, id, GONE);
    const disabled = await call('POST', `/v1/webhooks/${id}/replay`, { since });
    await remove();

    expect(named.body).toEqual({ queued: 1, missing: ['evt_zzz'], hasMore: false });
    expect(first.map(({ eventId }) => eventId)).toEqual([early]);
    expect(range.body).toEqual({ queued: 1, missing: [], hasMore: false });
    expect(second.map(({ eventId, deliveryId }) => [eventId, deliveryId])).toEqual([
      [late, makeDeliveryId(id, late as EventId)],
    ]);
    // In strict order the chain of each connection goes back to the first event of that time.
    expect(inOrder.body).toEqual({ queued: 2, missing: [], hasMore: false });
    expect(third).toMatchObject([{ chain: connectionId, backTo: third[0]?.eventId }]);
    expect([disabled.status, disabled.body['code']]).toEqual([409, 'webhook_disabled']);
  });

  it('gets events in batches while it asks for that, and a test in the same form', async () => {
    const { id, body, remove } = await aWebhook({ batch: { maxEvents: 50 } });
    await call('POST', `/v1/webhooks/${id}/test`);
    const post = receiver.received.at(-1);
    const more = await call('PATCH', `/v1/webhooks/${id}`, { batch: { maxEvents: 100 } });
    const none = await call('PATCH', `/v1/webhooks/${id}`, { batch: null });
    const wrong = await call('PATCH', `/v1/webhooks/${id}`, { batch: { maxEvents: 101 } });
    await remove();

    expect(body['batch']).toEqual({ maxEvents: 50 });
    expect(JSON.parse(post?.body ?? '')).toMatchObject({ events: [{ type: 'webhook.test' }] });
    expect(more.body['batch']).toEqual({ maxEvents: 100 });
    expect(none.body).not.toHaveProperty('batch');
    expect(wrong.status).toBe(400);
  });

  it('has all delivered once more that failed and was not taken since, each once, with its schedule from the start', async () => {
    const { id, remove } = await aWebhook();
    const nowMs = Date.now();
    const failed = [
      { sequence: 1, firstAtMs: nowMs - 3_000, isGivenUp: true },
      { sequence: 2, firstAtMs: nowMs - 2_000, dueAtMs: nowMs + 3_600_000 },
      { sequence: 3, firstAtMs: nowMs - 1_000 },
    ];
    for (const { sequence, firstAtMs, ...wait } of failed) {
      const eventId = eventIdOf(sequence);
      const delivery = { version: 1, tenantId: tenant.tenantId, endpointId: id, eventId } as const;
      await noteWaiting(
        stack.dependencies,
        { ...delivery, correlationId: 'cor_1' as CorrelationId, deliveryId: makeDeliveryId(id, eventId) },
        { attempts: 9, notBeforeMs: nowMs + 1_000, nowMs, failure: { atMs: firstAtMs, httpStatus: 500 }, ...wait },
      );
    }
    const replay = (body: object) => call('POST', `/v1/webhooks/${id}/replay`, { failed: true, ...body });
    const late = await replay({ since: new Date(nowMs - 1_500).toISOString() });
    const first = await takeDeliveries();
    const all = await replay({});
    const second = await takeDeliveries();
    const again = await replay({});
    const wrong = await replay({ after: makeDeliveryId('end_other' as EndpointId, eventIdOf(1)) });
    await remove();

    expect(late.body).toEqual({ queued: 1, missing: [], hasMore: false });
    expect(first.map(({ eventId, round, attempts }) => ({ eventId, round, attempts }))).toEqual([
      { eventId: eventIdOf(3), round: 1, attempts: undefined },
    ]);
    expect(all.body).toEqual({ queued: 2, missing: [], hasMore: false });
    expect(second.map(({ eventId }) => eventId).sort()).toEqual([eventIdOf(1), eventIdOf(2)]);
    expect(again.body).toEqual({ queued: 0, missing: [], hasMore: false });
    expect([wrong.status, wrong.body['code']]).toEqual([400, 'invalid_cursor']);
  });

  it.each([
    [{}],
    [{ eventIds: [] }],
    [{ eventIds: ['evt_1'], since: '2026-01-01T00:00:00Z' }],
    [{ until: '2026-01-01T00:00:00Z' }],
  ])('has nothing delivered once more for %j', async (body) => {
    const { id, remove } = await aWebhook();
    const answer = await call('POST', `/v1/webhooks/${id}/replay`, body);
    await remove();

    expect(answer.status).toBe(400);
  });
});
