import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDeliverHandler } from '../../../functions/deliver/handler.ts';
import { findEvent } from '../../../shared/event/eventPages.ts';
import { systemClock, type StopSignal } from '../../../shared/kernel/clock.ts';
import { makeDeliveryId, type CorrelationId, type EventId } from '../../../shared/kernel/id.ts';
import { AddressGuard, systemResolve } from '../../../shared/platform/addressGuard.ts';
import { deliveryQueueNames } from '../../../shared/platform/queues.ts';
import {
  deliveryQueueUrl,
  sendDeliveries,
  slowDeliveryQueueUrl,
  type Delivery,
} from '../../../shared/webhook/delivery.ts';
import type { Endpoint } from '../../../shared/webhook/endpoint.ts';
import { makeEndpointBreakerStore } from '../../../shared/webhook/endpointBreakerStore.ts';
import { EndpointStore } from '../../../shared/webhook/endpointStore.ts';
import { PATIENT_BATCHES, PatientPlaces, PLACE_HELD_MS } from '../../../shared/webhook/patientPlaces.ts';
import { makeWebhookPoster, type WebhookPoster } from '../../../shared/webhook/postWebhook.ts';
import { aStatusDraft, logEvent } from '../../shared/event/loggedEvents.ts';
import { startReceiver, type Receiver } from '../../shared/webhook/receiver.ts';
import { isPlayed } from '../../sample.ts';
import { makeMortal, type Death } from './mortal.ts';
import { aTenantWith, receive, release, startQueueStack, toSqsEvent, type QueueStack } from '../queueStack.ts';

/** An odd number, so that deaths before and after a call are among those that are played. */
const ONE_OF = 5;

interface Scenario {
  readonly name: string;
  /** The failures that the breaker has counted before. */
  readonly failures: number;
  /** The answers of the receiver, in order, and what it answers from then on. */
  readonly answers: readonly (number | 'none')[];
  readonly afterwards: number;
  /** The number of deliveries. */
  readonly deliveries: number;
  readonly end: Endpoint['state'];
  /** Whether its receiver is known to take its time. */
  readonly isSlow?: boolean;
}

const scenarios: readonly Scenario[] = [
  { name: 'deliveries that are taken', failures: 0, answers: [], afterwards: 200, deliveries: 2, end: 'active' },
  { name: 'one that fails first', failures: 0, answers: [500], afterwards: 200, deliveries: 1, end: 'active' },
  { name: 'one that waits for another', failures: 0, answers: [500], afterwards: 200, deliveries: 2, end: 'active' },
  {
    name: 'one that opens the breaker and is its trial',
    failures: 4,
    answers: [500],
    afterwards: 200,
    deliveries: 1,
    end: 'active',
  },
  { name: 'a trial that fails', failures: 4, answers: [500, 503], afterwards: 200, deliveries: 1, end: 'active' },
  {
    name: 'to one that is slow, of which one fails first',
    failures: 0,
    answers: [500],
    afterwards: 200,
    deliveries: 2,
    end: 'active',
    isSlow: true,
  },
  {
    name: 'one that is left after a second, in a batch that may not wait',
    failures: 0,
    answers: ['none'],
    afterwards: 200,
    deliveries: 1,
    end: 'active',
  },
  {
    name: 'the trial of a breaker, which is left after a second',
    failures: 4,
    answers: [500, 'none'],
    afterwards: 200,
    deliveries: 1,
    end: 'active',
  },
  { name: 'a receiver that wants no more', failures: 0, answers: [], afterwards: 410, deliveries: 1, end: 'disabled' },
];

const DAY_MS = 86_400_000;

describe('deliver that dies', () => {
  let stack: QueueStack;
  let poster: WebhookPoster;
  let receiver: Receiver;
  /** Resolves when the receiver has a request that it does not answer. */
  let silent = Promise.withResolvers<void>();
  const answersOf = new Map<string, { readonly first: (number | 'none')[]; readonly afterwards: number }>();
  beforeAll(async () => {
    stack = await startQueueStack();
    receiver = await startReceiver((request, response) => {
      const { first = [], afterwards = 200 } = answersOf.get(request.url ?? '') ?? {};
      const answer = first.shift() ?? afterwards;
      if (answer === 'none') silent.resolve();
      else response.writeHead(answer).end();
    });
    const guard = new AddressGuard({ resolve: systemResolve, allowLoopback: true });
    poster = makeWebhookPoster({ guard, clock: systemClock, timeoutMs: 5_000 });
  });
  afterAll(async () => {
    await Promise.all([poster.close(), receiver.stop()]);
    await stack.stop();
  });

  /** A process of the function whose every call to the world is counted, and which dies at one of them. */
  const aLife = (death?: Death) => {
    const { reach, asOurs, died, calls } = makeMortal(death);
    const table = asOurs(stack.table);
    const queue = Object.assign(Object.create(stack.queue) as SQSClient, {
      send: (command: Parameters<SQSClient['send']>[0]) => {
        // What is hidden is shown again at once: the clock of the test is moved in place of a wait.
        if (command instanceof ChangeMessageVisibilityCommand) command.input.VisibilityTimeout = 0;
        return reach(() => stack.queue.send(command));
      },
    });
    // The second after which a post is left is over when the receiver has it.
    const sleep = async (durationMs: number, signal?: StopSignal): Promise<void> => {
      const ended = new Promise<void>((resolve) => signal?.addEventListener('abort', resolve, { once: true }));
      const isSilent = await Promise.race([silent.promise.then(() => true), ended.then(() => false)]);
      if (isSilent) stack.clock.advance(durationMs);
    };
    const handler = makeDeliverHandler({
      ...stack,
      clock: { ...stack.clock, sleep },
      table,
      queue,
      endpoints: new EndpointStore({ ...stack, table }),
      breakers: makeEndpointBreakerStore({ ...stack, table }),
      poster: { post: (...of) => reach(() => poster.post(...of)) },
    });
    const run = (messages: readonly Message[], queueName: string) =>
      Promise.race([handler(toSqsEvent(messages, queueName)), died]);
    return { run, calls };
  };
  const aDelivery = async ({ tenantId, endpointId }: Endpoint): Promise<Delivery & { readonly event: string }> => {
    const eventId = await logEvent(stack, aStatusDraft(tenantId));
    return {
      version: 1,
      tenantId,
      endpointId,
      eventId,
      correlationId: 'cor-of-request' as CorrelationId,
      deliveryId: makeDeliveryId(endpointId, eventId),
      event: JSON.stringify(await findEvent(stack, tenantId, eventId)),
    };
  };

  /** Plays a scenario until the queue is empty; the function dies at one call and another one goes on. */
  const play = async (scenario: Scenario, path: string, death?: Death) => {
    const answers = { first: [...scenario.answers], afterwards: scenario.afterwards };
    answersOf.set(path, answers);
    silent = Promise.withResolvers();
    // No batch may wait: whoever held the places of another play has died long ago.
    const places = new PatientPlaces(stack);
    stack.clock.advance(PLACE_HELD_MS);
    const takePlaces = () => Promise.all(Array.from({ length: PATIENT_BATCHES }, () => places.take()));
    await takePlaces();
    const { endpoints } = await aTenantWith(stack, [{ url: `${receiver.url}${path}` }]);
    const [endpoint] = endpoints;
    if (endpoint === undefined) throw new Error('the tenant has no endpoint');
    for (let failure = 0; failure < scenario.failures; failure += 1) {
      await stack.breakers.write(endpoint, { change: 'count', openMs: 5_000 }, stack.clock.nowMs());
    }
    if (scenario.isSlow === true) await stack.breakers.noteSlow(endpoint, stack.clock.nowMs() + DAY_MS);
    const deliveries: (Delivery & { readonly event: string })[] = [];
    for (let made = 0; made < scenario.deliveries; made += 1) deliveries.push(await aDelivery(endpoint));
    // One after the other, so that one can fail and the next one succeed.
    let life = aLife(death);
    let deaths = 0;
    for (const delivery of deliveries) {
      await sendDeliveries(stack, [delivery]);
      // A message that fails is shown again at once, so the last one is worked until the queue is empty.
      const turns = delivery === deliveries.at(-1) ? 60 : 1;
      for (let turn = 0; turn < turns; turn += 1) {
        let given = 0;
        for (const queueName of deliveryQueueNames(stack.stage)) {
          const QueueUrl = `${stack.queueUrlBase}${queueName}`;
          const messages = await receive(stack, QueueUrl);
          given += messages.length;
          if (messages.length === 0) continue;
          const answer = await life.run(messages, queueName);
          if (answer === 'died') {
            deaths += 1;
            life = aLife();
            for (const message of messages) {
              // One that the dead function has deleted or shown again is not hidden any more.
              await release(stack, QueueUrl, message).catch(() => undefined);
            }
          } else {
            const failed = new Set(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
            for (const { MessageId = '', ReceiptHandle } of messages) {
              if (failed.has(MessageId)) continue;
              await stack.queue.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
            }
          }
        }
        if (given === 0) break;
        stack.clock.advance(61_000);
        await takePlaces();
      }
    }
    const posts = receiver.received.filter((post) => post.path === path);
    const bodiesOf = (eventId: EventId) =>
      posts.filter(({ headers }) => headers['webhook-id'] === eventId).map(({ body }) => body);
    return {
      calls: life.calls(),
      deaths,
      left: [
        ...(await receive(stack, deliveryQueueUrl(stack))),
        ...(await receive(stack, slowDeliveryQueueUrl(stack))),
      ],
      lost: deliveries.filter(({ eventId }) => bodiesOf(eventId).length === 0),
      wrong: deliveries.filter(({ eventId, event }) => bodiesOf(eventId).some((body) => body !== event)),
      unansweredYet: answers.first,
      endpoint: await stack.endpoints.find(endpoint.tenantId, endpoint.endpointId),
    };
  };

  it.each(scenarios)('loses nothing before or after any call: $name', async (scenario) => {
    const path = (name: string): string => `/${scenarios.indexOf(scenario)}/${name}`;
    const { calls } = await play(scenario, path('recorded'));
    expect(calls).toBeGreaterThan(2);

    for (let call = 1; call <= calls; call += 1) {
      for (const [index, when] of (['before', 'after'] as const).entries()) {
        if (!isPlayed(2 * call + index, ONE_OF)) continue;
        const played = await play(scenario, path(`${call}-${when}`), { call, when });

        const { left, lost, wrong, unansweredYet, endpoint } = played;
        const at = `${when} call ${call} of ${calls}`;
        expect({ at, left, lost, wrong, unansweredYet }).toEqual({
          at,
          left: [],
          lost: [],
          wrong: [],
          unansweredYet: [],
        });
        expect({ at, state: endpoint?.state, open: endpoint?.breaker.openUntilMs }).toEqual({
          at,
          state: scenario.end,
        });
        // Calls that are made at once meet differently from run to run, so a run may end before it has made so many.
        expect({ at, died: played.deaths === 1 || played.calls < call }).toEqual({ at, died: true });
      }
    }
  });
});
