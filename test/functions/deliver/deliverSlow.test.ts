import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  SendMessageBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeDeliverHandler } from '../../../functions/deliver/handler.ts';
import { systemClock, type StopSignal } from '../../../shared/kernel/clock.ts';
import { makeDeliveryId, type ConnectionId, type CorrelationId, type EventId } from '../../../shared/kernel/id.ts';
import { AddressGuard, systemResolve } from '../../../shared/platform/addressGuard.ts';
import { patientPlacesKey } from '../../../shared/platform/keys.ts';
import { deliveryQueueName, slowDeliveryQueueName } from '../../../shared/platform/queues.ts';
import { listAttempts } from '../../../shared/webhook/attemptItems.ts';
import { putIntoChains } from '../../../shared/webhook/chainEvents.ts';
import { sendDeliveries, slowDeliveryQueueUrl, type Delivery } from '../../../shared/webhook/delivery.ts';
import type { Endpoint, NewEndpoint } from '../../../shared/webhook/endpoint.ts';
import { endpointBreakerRule } from '../../../shared/webhook/endpointBreaker.ts';
import { PatientPlaces } from '../../../shared/webhook/patientPlaces.ts';
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
  /** Three events of a connection, in the chain of an endpoint in strict order, and what stands for them. */
  const aChain = async () => {
    const endpoint = await anEndpoint({ order: 'strict' });
    const draft = aStatusDraft(endpoint.tenantId, { connectionId: 'con_of_chain' });
    const events = (await logEvents(stack, [draft, draft, draft])).map((event) => ({
      eventId: event.id as EventId,
      type: event.type,
      correlationId: event.correlationId as CorrelationId,
      text: JSON.stringify(event),
    }));
    await sendDeliveries(stack, await putIntoChains(stack, [endpoint], 'con_of_chain' as ConnectionId, events));
    return { endpoint, ids: events.map(({ eventId }) => eventId) };
  };
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

  /** Takes both places of batches that may wait, as two others that wait do. */
  const takePlaces = async (): Promise<() => Promise<unknown>> => {
    const places = new PatientPlaces(stack);
    const taken = [await places.take(), await places.take()].filter((place) => place !== undefined);
    return () => Promise.all(taken.map((place) => places.giveBack(place)));
  };

  it('are left after a second by all batches but two, and made anew in the queue of slow ones without an attempt', async () => {
    const endpoint = await anEndpoint();
    const deliveries = await Promise.all(Array.from({ length: 8 }, () => aDelivery(endpoint)));
    isQuick = false;
    let ended = 0;
    const invocations = deliveries.map(async (delivery, place) => {
      const record = aRecord(JSON.stringify(delivery), { id: `record-${place}` });
      const answer = await work({ Records: [record] });
      ended += 1;
      return answer;
    });
    await until('all posts', () => owed.length === 8, Boolean);
    passASecond();
    await until(
      'six to be left',
      () => ended,
      (count) => count === 6,
    );
    const meanwhile = await now(endpoint);
    for (const answer of owed.splice(0)) answer(200);
    const answers = await Promise.all(invocations);
    isQuick = true;
    const passed = await workOff(slow);

    expect(ended).toBe(8);
    expect(answers.flatMap(({ batchItemFailures }) => batchItemFailures)).toEqual([]);
    expect(passed).toHaveLength(6);
    for (const delivery of passed) expect(deliveries).toContainEqual(delivery);
    expect(new Set(posted())).toEqual(new Set(deliveries.map(({ eventId }) => eventId)));
    expect(posted()).toHaveLength(14);
    expect(meanwhile).toMatchObject({ breaker: { failures: 0 }, state: 'active' });
    const attempts = await listAttempts(stack, endpoint.endpointId, { limit: 20, nowMs: stack.clock.nowMs() });
    expect(attempts.map(({ number, result }) => ({ number, result }))).toEqual(
      deliveries.map(() => ({ number: 1, result: 'delivered' })),
    );
  });

  it('come to their end where the answer is there before the post is left', async () => {
    const endpoint = await anEndpoint();
    const giveBack = await takePlaces();
    await sendDeliveries(stack, [await aDelivery(endpoint)]);
    isQuick = false;
    const asked = Promise.withResolvers<void>();
    const landed = Promise.withResolvers<void>();
    const post = async (...of: Parameters<WebhookPoster['post']>) => {
      const outcome = await poster.post(...of);
      landed.resolve();
      return outcome;
    };
    const send = async (command: Parameters<typeof stack.table.send>[0]) => {
      if (command instanceof UpdateCommand && command.input.Key?.['pk'] === patientPlacesKey.pk) {
        asked.resolve();
        await landed.promise;
      }
      return stack.table.send(command);
    };
    const table = Object.assign(Object.create(stack.table) as typeof stack.table, { send });
    const messages = await receive(stack, `${stack.queueUrlBase}${usual}`);
    const handler = makeDeliverHandler({ ...stack, table, clock: { ...stack.clock, sleep }, poster: { post } });
    const invocation = handler(toSqsEvent(messages, usual));
    await until('the post', () => owed.length, Boolean);
    passASecond();
    await asked.promise;
    owed.shift()?.(200);
    await invocation;
    await giveBack();

    expect(await workOff(slow)).toEqual([]);
    expect(posted()).toHaveLength(1);
  });

  it('give the trial of a breaker back when they are left, so that it is made in the queue of slow ones', async () => {
    const endpoint = await anEndpoint();
    const giveBack = await takePlaces();
    for (let failure = 0; failure < endpointBreakerRule.failures; failure += 1) {
      await stack.breakers.write(endpoint, { change: 'count', openMs: 1_000 }, stack.clock.nowMs());
    }
    stack.clock.advance(2_000);
    await sendDeliveries(stack, [await aDelivery(endpoint)]);
    isQuick = false;
    const invocation = workOff(usual);
    await until('the post', () => owed.length, Boolean);
    passASecond();
    await invocation;
    const between = await now(endpoint);
    isQuick = true;
    await workOff(slow);
    await giveBack();

    expect(between.breaker.failures).toBe(endpointBreakerRule.failures);
    expect(posted()).toHaveLength(2);
    expect(await now(endpoint)).toMatchObject({ breaker: { failures: 0, openUntilMs: undefined } });
  });

  it('are tried again by the schedule where they cannot be passed on', async () => {
    const endpoint = await anEndpoint();
    const giveBack = await takePlaces();
    await sendDeliveries(stack, [await aDelivery(endpoint)]);
    isQuick = false;
    const send = (command: Parameters<SQSClient['send']>[0]) =>
      command instanceof SendMessageBatchCommand
        ? Promise.reject(new Error('the queue is gone'))
        : stack.queue.send(command);
    const queue = Object.assign(Object.create(stack.queue) as SQSClient, { send });
    const messages = await receive(stack, `${stack.queueUrlBase}${usual}`);
    const invocation = work(toSqsEvent(messages, usual), queue);
    await until('the post', () => owed.length, Boolean);
    passASecond();
    const { batchItemFailures } = await invocation;
    await giveBack();

    expect(batchItemFailures).toHaveLength(1);
    expect((await now(endpoint)).breaker.failures).toBe(0);
  });

  it('in strict order are left without a later one being posted before', async () => {
    const { endpoint, ids } = await aChain();
    const giveBack = await takePlaces();
    isQuick = false;
    const invocation = workOff(usual);
    await until('the first post', () => owed.length, Boolean);
    passASecond();
    await invocation;
    isQuick = true;
    await workOff(usual);
    await workOff(slow);
    await giveBack();

    expect(posted()).toEqual([ids[0], ...ids]);
    expect((await now(endpoint)).breaker.failures).toBe(0);
  });

  it('in strict order keep it over both queues', async () => {
    const { endpoint, ids } = await aChain();
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

    expect(before).toEqual(ids.slice(0, 1));
    expect(posted()).toEqual(ids);
  });
});
