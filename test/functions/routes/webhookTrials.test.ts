import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { makeDeliveryId, parseId, type CorrelationId, type EndpointId } from '../../../shared/kernel/id.ts';
import { AddressGuard, systemResolve } from '../../../shared/platform/addressGuard.ts';
import { makeWebhookPoster, type WebhookPoster } from '../../../shared/webhook/postWebhook.ts';
import { noteWaiting } from '../../../shared/webhook/waitingDeliveries.ts';
import { startReceiver, type Receiver } from '../../shared/webhook/receiver.ts';
import { ApiStack } from '../api/apiStack.ts';
import { eventIdOf } from '../../shared/event/loggedEvents.ts';
import { GONE } from '../../shared/webhook/disablings.ts';

describe('what a tenant does about a webhook whose receiver failed', () => {
  let stack: ApiStack;
  let api: Pick<ApiStack, 'call'>;
  let poster: WebhookPoster;
  let tenant: Awaited<ReturnType<ApiStack['tenant']>>;
  let receiver: Receiver;
  let status = 200;
  let nowMs = Date.now();
  beforeAll(async () => {
    stack = await ApiStack.start();
    tenant = await stack.tenant();
    const guard = new AddressGuard({ resolve: systemResolve, allowLoopback: true });
    poster = makeWebhookPoster({ guard, clock: systemClock, timeoutMs: 5_000 });
    api = stack.with({ guard, poster });
  });
  beforeEach(async () => {
    status = 200;
    nowMs = Date.now();
    receiver = await startReceiver((_request, response) => response.writeHead(status, { 'retry-after': '7' }).end());
  });
  afterEach(() => receiver.stop());
  afterAll(async () => {
    await poster.close();
    await stack.stop();
  });

  const call = (method: string, path: string, body?: unknown, key = tenant.key) =>
    api.call(method, path, { key, ...(body === undefined ? {} : { body }) });
  const aWebhook = async (url = `${receiver.url}/hook`) => {
    const created = await call('POST', '/v1/webhooks', { url });
    const id = parseId('end', String(created.body['id'])) as EndpointId;
    return { id, secret: String(created.body['secret']), remove: () => call('DELETE', `/v1/webhooks/${id}`) };
  };
  /** Leaves an endpoint as five failures leave it. */
  const breakIt = async (endpointId: EndpointId): Promise<void> => {
    const { endpointBreakers } = stack.dependencies;
    for (let failure = 0; failure < 5; failure += 1) {
      await endpointBreakers.write(
        { tenantId: tenant.tenantId, endpointId },
        { change: 'count', openMs: 60_000 },
        nowMs,
      );
    }
  };
  const aWait = async (endpointId: EndpointId, sequence: number): Promise<void> => {
    const eventId = eventIdOf(sequence);
    const delivery = {
      version: 1,
      tenantId: tenant.tenantId,
      endpointId,
      eventId,
      correlationId: 'cor-1' as CorrelationId,
      deliveryId: makeDeliveryId(endpointId, eventId),
    } as const;
    await noteWaiting(stack.dependencies, delivery, { attempts: 2, notBeforeMs: nowMs + 60_000, nowMs });
  };

  it('posts a signed test and answers with what became of it', async () => {
    const { id, secret, remove } = await aWebhook();

    const answer = await call('POST', `/v1/webhooks/${id}/test`);

    const [post] = receiver.received;
    const eventId = String(answer.body['eventId']);
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    const signed = `${eventId}.${String(post?.headers['webhook-timestamp'])}.${post?.body}`;
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      outcome: 'delivered',
      httpStatus: 200,
      sentence: 'The receiver has taken the event.',
    });
    expect(answer.body['durationMs']).toBeTypeOf('number');
    expect(post?.headers['webhook-id']).toBe(eventId);
    expect(post?.headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
    expect(JSON.parse(post?.body ?? '')).toMatchObject({
      id: eventId,
      type: 'webhook.test',
      tenantId: tenant.tenantId,
    });
    await remove();
  });

  it('closes the breaker with a test that succeeds, and not with one that fails', async () => {
    const { id, remove } = await aWebhook();
    await breakIt(id);
    status = 503;
    const failed = await call('POST', `/v1/webhooks/${id}/test`);
    const tooSoon = await call('POST', `/v1/webhooks/${id}/test`);
    status = 200;
    const { endpoints, clock } = stack.dependencies;
    const later = Object.assign(Object.create(endpoints) as typeof endpoints, {
      find: endpoints.find.bind(endpoints),
      takeTest: async () => 'taken',
    });

    const good = await stack
      .with({
        guard: new AddressGuard({ resolve: systemResolve, allowLoopback: true }),
        poster,
        endpoints: later,
        clock,
      })
      .call('POST', `/v1/webhooks/${id}/test`, { key: tenant.key });

    expect(failed.body).toMatchObject({ outcome: 'failed', httpStatus: 503, retryAfterSeconds: 7 });
    expect(failed.body['webhook']).toMatchObject({ breaker: { state: 'open' } });
    expect([tooSoon.status, tooSoon.body['code'], tooSoon.headers['retry-after']]).toEqual([
      429,
      'webhook_test_too_soon',
      '3',
    ]);
    expect(good.body['webhook']).toMatchObject({ breaker: { state: 'closed', failures: 0 } });
    await remove();
  });

  it('says why there was no answer', async () => {
    const { id, remove } = await aWebhook();
    await receiver.stop();

    const answer = await call('POST', `/v1/webhooks/${id}/test`);

    expect(answer.body).toMatchObject({
      outcome: 'failed',
      reason: 'ECONNREFUSED',
      sentence: 'Nobody listens at the address and port of the URL.',
    });
    await remove();
  });

  it('resumes: the breaker closes, a receiver that answered 410 is asked again, and what waits goes out at once', async () => {
    const { id, remove } = await aWebhook();
    await breakIt(id);
    await stack.dependencies.endpoints.disable(tenant.tenantId, id, GONE);
    await aWait(id, 1);
    await aWait(id, 2);

    const resumed = await call('POST', `/v1/webhooks/${id}/resume`);
    const again = await call('POST', `/v1/webhooks/${id}/resume`);

    expect(resumed.status).toBe(200);
    expect(resumed.body).toMatchObject({ id, state: 'active', breaker: { state: 'closed', failures: 0 }, released: 2 });
    expect(again.body['released']).toBe(0);
    await remove();
  });

  it.each(['test', 'resume'])('knows no %s of another tenant, of nonsense, or without a key', async (action) => {
    const { id, remove } = await aWebhook();
    const other = await stack.tenant();

    const answers = [
      await call('POST', `/v1/webhooks/${id}/${action}`, undefined, other.key),
      await call('POST', `/v1/webhooks/end_nonsense/${action}`),
      await call('POST', `/v1/webhooks/${id}/${action}`, undefined, 'no key'),
    ];

    expect(answers.map((answer) => [answer.status, answer.body['code']])).toEqual([
      [404, 'webhook_not_found'],
      [404, 'webhook_not_found'],
      [401, 'unauthorized'],
    ]);
    expect(receiver.received).toEqual([]);
    await remove();
  });
});
