import { ChangeMessageVisibilityCommand, DeleteMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeDeliverHandler } from '../../../functions/deliver/handler.ts';
import { systemClock, type StopSignal } from '../../../shared/kernel/clock.ts';
import { makeDeliveryId, type ConnectionId, type CorrelationId, type EventId } from '../../../shared/kernel/id.ts';
import { AddressGuard, systemResolve } from '../../../shared/platform/addressGuard.ts';
import { deliveryQueueName, slowDeliveryQueueName } from '../../../shared/platform/queues.ts';
import { listAttempts } from '../../../shared/webhook/attemptItems.ts';
import { putIntoChains } from '../../../shared/webhook/chainEvents.ts';
import { sendDeliveries, slowDeliveryQueueUrl, type Delivery } from '../../../shared/webhook/delivery.ts';
import type { Endpoint, NewEndpoint } from '../../../shared/webhook/endpoint.ts';
import { makeWebhookPoster, type WebhookPoster } from '../../../shared/webhook/postWebhook.ts';
import { slowRule } from '../../../shared/webhook/slowEndpoint.ts';
import { aStatusDraft, logEvent, logEvents } from '../../shared/event/loggedEvents.ts';
import { startReceiver, type Receiver } from '../../shared/webhook/receiver.ts';
import { until } from '../../whatsapp/until.ts';
import { aRecord, aTenantWith, receive, startQueueStack, toSqsEvent, type QueueStack } from '../queueStack.ts';

describe('deliveries to an endpoint that takes its time', () => {
  let stack: QueueStack;
  let poster: WebhookPoster;
  let receiver: Receiver;
  /** Answers that the receiver owes, where it does not answer at once. */
  let owed: ((status: number) => void)[] = [];
  let isQuick = true;
  /** Ends the sleeps of the function, which last until the test says so. */
  let wake = Promise.withResolvers<void>();
  beforeAll(async () => {
    stack = await startQueueStack();
  });
  afterAll(() => stack.stop());
  beforeEach(async () => {
    [owed, isQuick, wake] = [[], true, Promise.withResolvers<void>()];
    receiver = await startReceiver((_request, response) => {
      const answer = (status: number) => response.writeHead(status).end();
      if (isQuick) answer(200);
      else owed.push(answer);
    });
    const guard = new AddressGuard({ resolve: systemResolve, allowLoopback: true });
    poster = makeWebhookPoster({ guard, clock: systemClock, timeoutMs: 60_000 });
  });
  afterEach(async () => {
    await Promise.all([poster.close(), receiver.stop()]);
  });

  const anEndpoint = async (more: Omit<NewEndpoint, 'url'> = {}): Promise<Endpoint> => {
    const { endpoints } = await aTenantWith(stack, [{ url: `${receiver.url}/hook`, ...more }]);
    const [endpoint] = endpoints;
    if (endpoint === undefined) throw new Error('the tenant has no endpoint');
    return endpoint;
  };
  const now = async ({ tenantId, endpointId }: Endpoint): Promise<Endpoint> => {
    const found = await stack.endpoints.find(tenantId, endpointId);
    if (found === undefined) throw new Error('the endpoint is gone');
    return found;
  };
  const aDelivery = async ({ tenantId, endpointId }: Endpoint): Promise<Delivery> => {
    const eventId = await logEvent(stack, aStatusDraft(tenantId));
    const correlationId = 'cor-of-request' as CorrelationId;
    const deliveryId = makeDeliveryId(endpointId, eventId);
    return { version: 1, tenantId, endpointId, eventId, correlationId, deliveryId };
  };
  const sleep = (_durationMs: number, signal?: StopSignal): Promise<void> => {
    const ended = Promise.withResolvers<void>();
    signal?.addEventListener('abort', () => ended.resolve(), { once: true });
    return Promise.race([ended.promise, wake.promise]);
  };
  const passASecond = (): void => {
    stack.clock.advance(slowRule.afterMs);
    wake.resolve();
  };
  /** Another instance of the function each time. */
  const work = (records: Parameters<ReturnType<typeof makeDeliverHandler>>[0], queue: SQSClient = stack.queue) =>
    makeDeliverHandler({ ...stack, clock: { ...stack.clock, sleep }, poster, queue })(records);
  /** Works off what a queue shows now, and deletes what is done, as the event source does. Returns what it showed. */
  const workOff = async (name: string): Promise<readonly Delivery[]> => {
    const QueueUrl = `${stack.queueUrlBase}${name}`;
    const messages = await receive(stack, QueueUrl);
    const { batchItemFailures } = await work(toSqsEvent(messages, name));
    const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    for (const { MessageId = '', ReceiptHandle } of messages) {
      if (!failed.has(MessageId)) await stack.queue.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    }
    return messages.map(({ Body = '' }) => JSON.parse(Body) as Delivery);
  };
  const [usual, slow] = [deliveryQueueName('test'), slowDeliveryQueueName('test')];
  const posted = (): readonly EventId[] => receiver.received.map(({ headers }) => headers['webhook-id'] as EventId);

  it('go through a queue of their own as soon as one has waited a second, and no longer a minute after the last one', async () => {
    const endpoint = await anEndpoint();
    const [first, second, third] = [await aDelivery(endpoint), await aDelivery(endpoint), await aDelivery(endpoint)];
    isQuick = false;
    await sendDeliveries(stack, [first]);
    const invocation = workOff(usual);
    await until('the first post', () => owed.length, Boolean);
    expect((await now(endpoint)).slowUntilMs).toBeUndefined();
    passASecond();
    await until(
      'the note',
      () => now(endpoint),
      ({ slowUntilMs }) => slowUntilMs !== undefined,
    );
    owed.shift()?.(200);
    await invocation;
    isQuick = true;

    await sendDeliveries(stack, [second]);
    await workOff(usual);
    const before = posted();
    const inSlow = await workOff(slow);
    stack.clock.advance(slowRule.forMs);
    await sendDeliveries(stack, [third]);
    await workOff(usual);

    expect(before).toEqual([first.eventId]);
    expect(inSlow).toEqual([second]);
    expect(posted()).toEqual([first, second, third].map(({ eventId }) => eventId));
  });

  it('keep there the number of their attempts, and that they were given out before', async () => {
    const endpoint = await anEndpoint();
    const delivery = await aDelivery(endpoint);
    await stack.breakers.noteSlow(endpoint, stack.clock.nowMs() + slowRule.forMs);
    const record = aRecord(JSON.stringify(delivery));
    const attributes = { ...record.attributes, ApproximateReceiveCount: '3' };

    await work({ Records: [{ ...record, attributes }] });
    const passed = await workOff(slow);

    expect(passed).toEqual([{ ...delivery, attempts: 2, again: true }]);
    const nowMs = stack.clock.nowMs();
    expect(await listAttempts(stack, endpoint.endpointId, { limit: 5, nowMs })).toMatchObject([{ number: 3 }]);
  });

  it('wait in that queue where they are not taken', async () => {
    const endpoint = await anEndpoint();
    await stack.breakers.noteSlow(endpoint, stack.clock.nowMs() + slowRule.forMs);
    await sendDeliveries(stack, [await aDelivery(endpoint)]);
    await workOff(usual);
    isQuick = false;
    const hiddenIn: (string | undefined)[] = [];
    const send = (command: Parameters<SQSClient['send']>[0]) => {
      if (command instanceof ChangeMessageVisibilityCommand) hiddenIn.push(command.input.QueueUrl);
      return stack.queue.send(command);
    };
    const queue = Object.assign(Object.create(stack.queue) as SQSClient, { send });

    const messages = await receive(stack, slowDeliveryQueueUrl(stack));
    const invocation = work(toSqsEvent(messages, slow), queue);
    await until('the post', () => owed.length, Boolean);
    owed.shift()?.(503);
    const { batchItemFailures } = await invocation;

    expect(batchItemFailures).toHaveLength(1);
    expect(hiddenIn).toEqual([slowDeliveryQueueUrl(stack)]);
  });

  it('in strict order keep it over both queues', async () => {
    const endpoint = await anEndpoint({ order: 'strict' });
    const draft = aStatusDraft(endpoint.tenantId, { connectionId: 'con_of_chain' });
    const events = (await logEvents(stack, [draft, draft, draft])).map((event) => ({
      eventId: event.id as EventId,
      type: event.type,
      correlationId: event.correlationId as CorrelationId,
      text: JSON.stringify(event),
    }));
    await sendDeliveries(stack, await putIntoChains(stack, [endpoint], 'con_of_chain' as ConnectionId, events));
    isQuick = false;
    const invocation = workOff(usual);
    await until('the first post', () => owed.length, Boolean);
    passASecond();
    await until(
      'the note',
      () => now(endpoint),
      ({ slowUntilMs }) => slowUntilMs !== undefined,
    );
    isQuick = true;
    owed.shift()?.(200);
    await invocation;
    const before = posted();

    await workOff(usual);
    await workOff(slow);

    const ids = events.map(({ eventId }) => eventId);
    expect(before).toEqual(ids.slice(0, 1));
    expect(posted()).toEqual(ids);
  });
});
