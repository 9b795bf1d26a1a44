import { ChangeMessageVisibilityCommand, DeleteMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeDeliverHandler } from '../../../functions/deliver/handler.ts';
import { systemClock, type Clock } from '../../../shared/kernel/clock.ts';
import { makeDeliveryId, type CorrelationId, type EventId } from '../../../shared/kernel/id.ts';
import { AddressGuard, systemResolve } from '../../../shared/platform/addressGuard.ts';
import { listAttempts } from '../../../shared/webhook/attemptItems.ts';
import type { Delivery } from '../../../shared/webhook/delivery.ts';
import type { Endpoint } from '../../../shared/webhook/endpoint.ts';
import { makeWebhookPoster, type WebhookPoster } from '../../../shared/webhook/postWebhook.ts';
import { startReceiver, type Receiver } from '../../shared/webhook/receiver.ts';
import { aRecord, aTenantWith, startQueueStack, type QueueStack } from '../queueStack.ts';
import { GONE } from '../../shared/webhook/disablings.ts';

describe('what an invocation of deliver asks of its stores', () => {
  let stack: QueueStack;
  let poster: WebhookPoster;
  let receiver: Receiver;
  /** Requests that the receiver holds, by the path of their URL; the others are answered at once. */
  let held: (() => void)[] = [];
  const queue = mockClient(SQSClient);
  beforeAll(async () => {
    stack = await startQueueStack();
  });
  afterAll(async () => {
    queue.restore();
    await stack.stop();
  });
  beforeEach(async () => {
    held = [];
    queue.reset();
    queue.on(ChangeMessageVisibilityCommand).resolves({});
    queue.on(DeleteMessageBatchCommand).resolves({});
    receiver = await startReceiver((request, response) => {
      if (request.url === '/slow') held.push(() => response.end());
      else response.end();
    });
    const guard = new AddressGuard({ resolve: systemResolve, allowLoopback: true });
    poster = makeWebhookPoster({ guard, clock: systemClock, timeoutMs: 60_000 });
  });
  afterEach(async () => {
    for (const answer of held) answer();
    await Promise.all([poster.close(), receiver.stop()]);
  });

  /** An instance of the function, and the calls that it makes to the table. */
  const anInstance = (clock: Clock = stack.clock) => {
    const calls: string[] = [];
    const send = (command: Parameters<typeof stack.table.send>[0]) => {
      calls.push(command.constructor.name);
      return stack.table.send(command);
    };
    const table = Object.assign(Object.create(stack.table) as typeof stack.table, { send });
    const endpoints = {
      find: (...of: Parameters<typeof stack.endpoints.find>) => {
        calls.push('the endpoint');
        return stack.endpoints.find(...of);
      },
      disable: (...of: Parameters<typeof stack.endpoints.disable>) => stack.endpoints.disable(...of),
      noteDisablingTold: (...of: Parameters<typeof stack.endpoints.noteDisablingTold>) =>
        stack.endpoints.noteDisablingTold(...of),
    };
    const handler = makeDeliverHandler({
      ...stack,
      clock,
      table,
      endpoints,
      poster,
      queue: queue as unknown as SQSClient,
    });
    return { handler, calls };
  };
  const anEndpoint = async (path: string): Promise<Endpoint> => {
    const { endpoints } = await aTenantWith(stack, [{ url: `${receiver.url}${path}` }]);
    const [endpoint] = endpoints;
    if (endpoint === undefined) throw new Error('the tenant has no endpoint');
    return endpoint;
  };
  /** A delivery that carries its event, as a record. */
  const aCarried = ({ tenantId, endpointId }: Endpoint, number: number) => {
    const eventId = `evt_${String(number).padStart(15, '0')}` as EventId;
    const delivery: Delivery = {
      version: 1,
      tenantId,
      endpointId,
      eventId,
      correlationId: 'cor-of-request' as CorrelationId,
      deliveryId: makeDeliveryId(endpointId, eventId),
      event: JSON.stringify({ id: eventId, occurredAt: '2026-08-01T12:00:00.000Z', data: { text: 'ä "quoted"' } }),
    };
    return { delivery, record: { ...aRecord(JSON.stringify(delivery), { id: eventId }), receiptHandle: eventId } };
  };

  it('is one write for ten successes at one endpoint, and one read of it in a second', async () => {
    const { handler, calls } = anInstance();
    const endpoint = await anEndpoint('/hook');
    const batch = (from: number) => ({
      Records: Array.from({ length: 10 }, (_, index) => aCarried(endpoint, from + index).record),
    });

    await handler(batch(1));
    const first = calls.splice(0);
    await handler(batch(11));

    expect(first).toEqual(['the endpoint', 'PutCommand']);
    expect(calls).toEqual(['PutCommand']);
    expect(queue.calls()).toEqual([]);
    expect(receiver.received).toHaveLength(20);
    const attempts = await listAttempts(stack, endpoint.endpointId, { limit: 50, nowMs: 0 });
    expect(new Set(attempts.map(({ eventId }) => eventId)).size).toBe(20);
  });

  it('posts the very bytes that the delivery carries', async () => {
    const { handler } = anInstance();
    const { delivery, record } = aCarried(await anEndpoint('/hook'), 1);

    await handler({ Records: [record] });

    expect(receiver.received.map(({ body }) => body)).toEqual([delivery.event]);
  });

  it('posts nothing more to an endpoint a second after it was disabled or deleted', async () => {
    const { handler } = anInstance();
    const [disabled, deleted] = [await anEndpoint('/hook'), await anEndpoint('/hook')];
    await handler({ Records: [aCarried(disabled, 1).record, aCarried(deleted, 1).record] });

    await stack.endpoints.disable(disabled.tenantId, disabled.endpointId, GONE);
    await stack.endpoints.delete(deleted.tenantId, deleted.endpointId);
    stack.clock.advance(1_000);
    const after = await handler({ Records: [aCarried(disabled, 2).record, aCarried(deleted, 2).record] });

    expect(after).toEqual({ batchItemFailures: [] });
    expect(receiver.received).toHaveLength(2);
  });

  it('hears of failures that another instance has counted, and ends their row with its next success', async () => {
    const { handler } = anInstance();
    const endpoint = await anEndpoint('/hook');
    await handler({ Records: [aCarried(endpoint, 1).record] });
    await stack.breakers.write(endpoint, { change: 'count', openMs: 5_000 }, stack.clock.nowMs());

    stack.clock.advance(1_000);
    await handler({ Records: [aCarried(endpoint, 2).record] });

    expect((await stack.endpoints.find(endpoint.tenantId, endpoint.endpointId))?.breaker.failures).toBe(0);
  });

  it('lets nine leave the queue while the receiver of the tenth does not answer, and notes their attempts', async () => {
    const { handler } = anInstance(systemClock);
    const [healthy, slow] = [await anEndpoint('/hook'), await anEndpoint('/slow')];
    const nine = Array.from({ length: 9 }, (_, index) => aCarried(healthy, index + 1).record);

    const running = handler({ Records: [aCarried(slow, 99).record, ...nine] });
    const deleted = () =>
      queue
        .commandCalls(DeleteMessageBatchCommand)
        .flatMap(({ args }) => args[0].input.Entries?.map(({ ReceiptHandle }) => ReceiptHandle ?? ''));
    await expect.poll(deleted).toHaveLength(9);

    expect(new Set(deleted())).toEqual(new Set(nine.map(({ receiptHandle }) => receiptHandle)));
    expect(await listAttempts(stack, healthy.endpointId, { limit: 50, nowMs: 0 })).toHaveLength(9);
    expect(held).toHaveLength(1);
    for (const answer of held) answer();
    expect(await running).toEqual({ batchItemFailures: [] });
  });

  it('repeats nothing when the queue does not take an early delete', async () => {
    queue.on(DeleteMessageBatchCommand).rejects(new Error('the queue is gone'));
    const { handler } = anInstance(systemClock);
    const [healthy, slow] = [await anEndpoint('/hook'), await anEndpoint('/slow')];

    const running = handler({ Records: [aCarried(healthy, 1).record, aCarried(slow, 2).record] });
    await expect.poll(() => queue.commandCalls(DeleteMessageBatchCommand).length).toBe(1);
    for (const answer of held) answer();

    expect(await running).toEqual({ batchItemFailures: [] });
    expect(receiver.received).toHaveLength(2);
  });
});
