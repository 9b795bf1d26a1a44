import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDeliverHandler } from '../../../functions/deliver/handler.ts';
import { readDeadLetters } from '../../../shared/deadLetters/readDeadLetters.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { makeDeliveryId, type CorrelationId } from '../../../shared/kernel/id.ts';
import { windowOf } from '../../../shared/message/windowNotes.ts';
import { AddressGuard, systemResolve } from '../../../shared/platform/addressGuard.ts';
import { eventQueueName } from '../../../shared/platform/queues.ts';
import { DELIVERY_ATTEMPTS } from '../../../shared/webhook/attempt.ts';
import { deliveryQueueUrl, sendDeliveries } from '../../../shared/webhook/delivery.ts';
import type { Endpoint } from '../../../shared/webhook/endpoint.ts';
import { endpointBreakerRule, failingRule } from '../../../shared/webhook/endpointBreaker.ts';
import { makeEndpointBreakerStore } from '../../../shared/webhook/endpointBreakerStore.ts';
import { EndpointStore } from '../../../shared/webhook/endpointStore.ts';
import { makeWebhookPoster, type WebhookPoster } from '../../../shared/webhook/postWebhook.ts';
import { releaseDue, releaseWaiting } from '../../../shared/webhook/releaseDeliveries.ts';
import { aStatusDraft, logEvent } from '../../shared/event/loggedEvents.ts';
import { startReceiver, type Receiver } from '../../shared/webhook/receiver.ts';
import { played } from '../../sample.ts';
import { aTenantWith, receive, release, startQueueStack, toSqsEvent, type QueueStack } from '../queueStack.ts';
import { makeMortal, type Death } from './mortal.ts';

const HOUR_MS = 3_600_000;

describe('deliver that dies over a delivery which leaves its queue', () => {
  let stack: QueueStack;
  let poster: WebhookPoster;
  let receiver: Receiver;
  /** The paths whose receiver is back. */
  const back = new Set<string>();
  const taken: string[] = [];
  beforeAll(async () => {
    stack = await startQueueStack();
    receiver = await startReceiver(({ url = '' }, response) => {
      if (back.has(url)) taken.push(url);
      response.writeHead(back.has(url) ? 200 : 500).end();
    });
    const guard = new AddressGuard({ resolve: systemResolve, allowLoopback: true });
    poster = makeWebhookPoster({ guard, clock: systemClock, timeoutMs: 5_000 });
  });
  afterAll(async () => {
    await Promise.all([poster.close(), receiver.stop()]);
    await stack.stop();
  });

  const aLife = (death?: Death) => {
    const { reach, asOurs, died, calls } = makeMortal(death);
    const table = asOurs(stack.table);
    const queue = Object.assign(Object.create(stack.queue) as SQSClient, {
      send: (command: Parameters<SQSClient['send']>[0]) => {
        // What is hidden is shown again at once.
        if (command instanceof ChangeMessageVisibilityCommand) command.input.VisibilityTimeout = 0;
        return reach(() => stack.queue.send(command));
      },
    });
    const stores = { ...stack, table, queue };
    const handler = makeDeliverHandler({
      ...stores,
      random: { ...stack.random, unit: () => 0.5 },
      endpoints: new EndpointStore(stores),
      breakers: makeEndpointBreakerStore(stores),
      poster: { post: (...of) => reach(() => poster.post(...of)) },
    });
    const run = (messages: readonly Message[]) => Promise.race([handler(toSqsEvent(messages)), died]);
    const releaseWindow = (window: number) =>
      Promise.race([releaseDue(stores, window, { nowMs: stack.clock.nowMs(), most: 10 }), died]);
    return { run, releaseWindow, calls };
  };
  const anEndpoint = async (path: string): Promise<Endpoint> => {
    const { endpoints } = await aTenantWith(stack, [{ url: `${receiver.url}${path}` }]);
    const [endpoint] = endpoints;
    if (endpoint === undefined) throw new Error('the tenant has no endpoint');
    return endpoint;
  };
  const put = async ({ tenantId, endpointId }: Endpoint, attempts: number) => {
    const eventId = await logEvent(stack, aStatusDraft(tenantId));
    const correlationId = 'cor-of-request' as CorrelationId;
    const deliveryId = makeDeliveryId(endpointId, eventId);
    await sendDeliveries(stack, [{ version: 1, tenantId, endpointId, eventId, correlationId, deliveryId, attempts }]);
  };
  /** Works the queue until it is empty; the first process dies where it is to, and others go on. Returns the calls of the first. */
  const work = async (death?: Death): Promise<number> => {
    const first = aLife(death);
    let life = first;
    for (let turn = 0; turn < 20; turn += 1) {
      const messages = await receive(stack, deliveryQueueUrl(stack));
      if (messages.length === 0) return first.calls();
      const answer = await life.run(messages);
      if (answer === 'died') {
        life = aLife();
        for (const one of messages) await release(stack, deliveryQueueUrl(stack), one).catch(() => undefined);
        continue;
      }
      const failed = new Set(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      for (const { MessageId = '', ReceiptHandle } of messages) {
        if (failed.has(MessageId)) continue;
        await stack.queue.send(new DeleteMessageCommand({ QueueUrl: deliveryQueueUrl(stack), ReceiptHandle }));
      }
    }
    throw new Error('the queue does not become empty');
  };
  const deaths = (calls: number): readonly Death[] =>
    played(
      Array.from({ length: calls }, (_, place) => place + 1).flatMap((call) => [
        { call, when: 'before' as const },
        { call, when: 'after' as const },
      ]),
      5,
    );
  const nameOf = ({ call, when }: Death): string => `${when} call ${call}`;
  /** Releases what was put aside by the seventh attempt, or by the eighth, where the first process has died. */
  const releaseAll = async (fromMs: number, life = aLife()) => {
    for (const hours of [1, 2]) {
      if ((await life.releaseWindow(windowOf(fromMs + hours * HOUR_MS))) === 'died') return;
    }
  };

  it('puts it aside, and it goes out and is taken all the same', async () => {
    const play = async (path: string, death?: Death) => {
      const endpoint = await anEndpoint(path);
      await put(endpoint, 6);
      const startMs = stack.clock.nowMs();
      const calls = await work(death);
      stack.clock.advance(3 * HOUR_MS);
      back.add(path);
      await releaseAll(startMs);
      await work();
      const left = await releaseWaiting(stack, endpoint.endpointId, { nowMs: stack.clock.nowMs(), evenIfAsked: true });
      return { calls, taken: taken.filter((one) => one === path).length > 0, left };
    };
    const { calls } = await play('/aside');

    for (const death of deaths(calls)) {
      const { taken: isTaken, left } = await play(`/aside-${death.call}-${death.when}`, death);
      expect({ at: nameOf(death), isTaken, left }).toEqual({ at: nameOf(death), isTaken: true, left: 0 });
    }
    expect(calls).toBeGreaterThan(4);
  });

  it('puts it into the queue again when its time has come, whatever dies over that', async () => {
    const play = async (path: string, death?: Death) => {
      const endpoint = await anEndpoint(path);
      await put(endpoint, 6);
      const startMs = stack.clock.nowMs();
      await work();
      stack.clock.advance(3 * HOUR_MS);
      back.add(path);
      const life = aLife(death);
      await releaseAll(startMs, life);
      // A row that was taken by the dead one is free again after a minute.
      stack.clock.advance(61_000);
      await releaseAll(startMs);
      await work();
      return { calls: life.calls(), isTaken: taken.includes(path) };
    };
    const { calls } = await play('/due');

    for (const death of deaths(calls)) {
      const { isTaken } = await play(`/due-${death.call}-${death.when}`, death);
      expect({ at: nameOf(death), isTaken }).toEqual({ at: nameOf(death), isTaken: true });
    }
  });

  it('gives it up after its last attempt, and there is a dead letter in any case', async () => {
    const play = async (path: string, death?: Death) => {
      const endpoint = await anEndpoint(path);
      await put(endpoint, DELIVERY_ATTEMPTS - 1);
      const calls = await work(death);
      const { letters } = await readDeadLetters(stack, { kinds: ['deliveries'], tenantId: endpoint.tenantId }, 10);
      return { calls, letters: letters.length };
    };
    const { calls } = await play('/last');

    for (const death of deaths(calls)) {
      const { letters } = await play(`/last-${death.call}-${death.when}`, death);
      expect({ at: nameOf(death), isThere: letters > 0 }).toEqual({ at: nameOf(death), isThere: true });
    }
  });

  it('disables a webhook that failed for days, tells it, and keeps what was not taken', async () => {
    const eventsUrl = `${stack.queueUrlBase}${eventQueueName(stack.stage)}`;
    const keysTold = async (): Promise<readonly string[]> => {
      const found: string[] = [];
      for (let some = await receive(stack, eventsUrl); some.length > 0; some = await receive(stack, eventsUrl)) {
        for (const { Body = '', ReceiptHandle } of some) {
          found.push(...(JSON.parse(Body) as { events: { key: string }[] }).events.map(({ key }) => key));
          await stack.queue.send(new DeleteMessageCommand({ QueueUrl: eventsUrl, ReceiptHandle }));
        }
      }
      return found;
    };
    const play = async (path: string, death?: Death) => {
      const endpoint = await anEndpoint(path);
      const longAgoMs = stack.clock.nowMs() - failingRule.afterMs - 1;
      for (let failure = 0; failure < endpointBreakerRule.failures; failure += 1) {
        await stack.breakers.write(endpoint, { change: 'count', openMs: 5_000 }, longAgoMs);
      }
      const to = { failures: failingRule.failures - 1, openUntilMs: longAgoMs + 6_000 };
      await stack.breakers.write(endpoint, { change: 'set', held: longAgoMs + 5_000, to }, longAgoMs);
      await put(endpoint, 6);
      const calls = await work(death);
      const found = await stack.endpoints.find(endpoint.tenantId, endpoint.endpointId);
      const keys = await keysTold();
      await stack.endpoints.resume(endpoint.tenantId, endpoint.endpointId);
      const kept = await releaseWaiting(stack, endpoint.endpointId, { nowMs: stack.clock.nowMs(), evenIfAsked: true });
      back.add(path);
      await work();
      const isTaken = taken.includes(path);
      return { calls, state: found?.state, isTold: found?.disabling?.isTold, told: new Set(keys).size, kept, isTaken };
    };
    const { calls, ...well } = await play('/failing');

    expect(well).toEqual({ state: 'disabled', isTold: true, told: 1, kept: 1, isTaken: true });
    for (const death of deaths(calls)) {
      const { calls: _of, ...end } = await play(`/failing-${death.call}-${death.when}`, death);
      const { state, isTold, told, isTaken } = end;
      // One that dies after it has taken the trial of the breaker lets the next wait for it: then nothing is disabled yet.
      const isLater = state === 'active';
      expect({ at: nameOf(death), isTaken, isEnded: isLater || (isTold === true && told === 1) }).toEqual({
        at: nameOf(death),
        isTaken: true,
        isEnded: true,
      });
    }
  });
});
