import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDeliverHandler } from '../../../functions/deliver/handler.ts';
import { chainDelivery } from '../../../shared/webhook/chain.ts';
import type { StopSignal } from '../../../shared/kernel/clock.ts';
import { deliveryQueueNames } from '../../../shared/platform/queues.ts';
import type { ConnectionId, EventId } from '../../../shared/kernel/id.ts';
import { sendDeliveries } from '../../../shared/webhook/delivery.ts';
import type { Endpoint } from '../../../shared/webhook/endpoint.ts';
import { makeEndpointBreakerStore } from '../../../shared/webhook/endpointBreakerStore.ts';
import { PATIENT_BATCHES, PatientPlaces, PLACE_HELD_MS } from '../../../shared/webhook/patientPlaces.ts';
import { EndpointStore } from '../../../shared/webhook/endpointStore.ts';
import { isPlayed } from '../../sample.ts';
import { receive, release, toSqsEvent } from '../queueStack.ts';
import { aStrictEndpoint, postedTo, startChainWorld, tellInChain, type ChainWorld } from './chainWorld.ts';
import { makeMortal, type Death } from './mortal.ts';

const CONNECTION = 'con_1';

/** An odd number, so that deaths before and after a call are among those that are played. */
const ONE_OF = 5;

interface Scenario {
  readonly name: string;
  /** What the receiver answers, in order, and 200 from then on; of `none` the post is left after a second. */
  readonly answers: readonly (number | 'none')[];
  /** How many events are told together, one after the other. */
  readonly told: readonly number[];
  readonly maxEvents?: number;
  /** Whether the chain is set back to its first event at the end. */
  readonly isSetBack?: true;
}

const scenarios: readonly Scenario[] = [
  { name: 'events that are taken', answers: [], told: [2, 1] },
  { name: 'a head that fails first', answers: [500], told: [1, 1] },
  { name: 'batches, of which the first fails', answers: [503], told: [2, 1], maxEvents: 2 },
  { name: 'a head that is left after a second', answers: ['none'], told: [2] },
  { name: 'a chain that is set back', answers: [], told: [2], isSetBack: true },
];

describe('deliver that dies over a chain', () => {
  let world: ChainWorld;
  beforeAll(async () => {
    world = await startChainWorld();
  });
  afterAll(() => world.stop());

  /** Resolves when the receiver has a request that it does not answer. */
  let silent = Promise.withResolvers<void>();
  /** Takes the places of batches that may wait, as others that wait do. */
  const takePlaces = () => {
    const places = new PatientPlaces(world.stack);
    return Promise.all(Array.from({ length: PATIENT_BATCHES }, () => places.take()));
  };

  /** A process of the function whose every call to the world is counted, and which dies at one of them. */
  const aLife = (death?: Death) => {
    const { stack, poster } = world;
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
    const run = (messages: readonly Message[], name: string) =>
      Promise.race([handler(toSqsEvent(messages, name)), died]);
    return { run, calls };
  };

  /** Works both queues until they are empty. Returns how many processes died. */
  const workQueue = async (lives: { one: ReturnType<typeof aLife> }): Promise<number> => {
    const { stack } = world;
    let deaths = 0;
    let empty = 0;
    for (let turn = 0; turn < 60; turn += 1) {
      const names = deliveryQueueNames(stack.stage);
      const name = names[turn % names.length] ?? '';
      const QueueUrl = `${stack.queueUrlBase}${name}`;
      const messages = await receive(stack, QueueUrl);
      empty = messages.length === 0 ? empty + 1 : 0;
      if (empty === names.length) return deaths;
      if (messages.length === 0) continue;
      const answer = await lives.one.run(messages, name);
      const isDead = answer === 'died';
      if (isDead) {
        deaths += 1;
        lives.one = aLife();
      }
      const failed = new Set(isDead ? [] : answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      for (const message of messages) {
        const { MessageId = '', ReceiptHandle } = message;
        // One that the dead function has deleted or shown again is not hidden any more.
        if (isDead) await release(stack, QueueUrl, message).catch(() => undefined);
        else if (!failed.has(MessageId)) await stack.queue.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
      stack.clock.advance(61_000);
      silent = Promise.withResolvers();
      await takePlaces();
    }
    throw new Error('the queue is never empty');
  };

  const setBack = async (endpoint: Endpoint, eventId: EventId): Promise<void> => {
    const of = { eventId, correlationId: 'cor-of-request' as Parameters<typeof chainDelivery>[2]['correlationId'] };
    await sendDeliveries(world.stack, [chainDelivery(endpoint, CONNECTION as ConnectionId, of, eventId)]);
  };

  const play = async (scenario: Scenario, path: string, death?: Death) => {
    const { maxEvents } = scenario;
    const answers = [...scenario.answers];
    silent = Promise.withResolvers();
    world.answer = () => {
      const answer = answers.shift() ?? 200;
      if (answer === 'none') silent.resolve();
      return answer;
    };
    world.stack.clock.advance(PLACE_HELD_MS);
    await takePlaces();
    const endpoint = await aStrictEndpoint(world, path, maxEvents === undefined ? {} : { batch: { maxEvents } });
    const lives = { one: aLife(death) };
    const eventIds: EventId[] = [];
    let deaths = 0;
    for (const count of scenario.told) eventIds.push(...(await tellInChain(world, endpoint, CONNECTION, count)));
    deaths += await workQueue(lives);
    const before = postedTo(world, path).length;
    if (scenario.isSetBack === true) {
      await setBack(endpoint, eventIds[0] as EventId);
      deaths += await workQueue(lives);
    }
    const posted = postedTo(world, path);
    return { calls: lives.one.calls(), deaths, eventIds, posted, again: posted.slice(before) };
  };

  /** Whether a list has all events, and each for the first time behind the one before it. */
  const firstsOf = (posted: readonly string[]): readonly string[] => [...new Set(posted)];

  it.each(scenarios)('loses nothing and keeps the order, before or after any call: $name', async (scenario) => {
    const pathOf = (name: string): string => `/${scenarios.indexOf(scenario)}/${name}`;
    const { calls } = await play(scenario, pathOf('recorded'));
    expect(calls).toBeGreaterThan(2);

    for (let call = 1; call <= calls; call += 1) {
      for (const [index, when] of (['before', 'after'] as const).entries()) {
        if (!isPlayed(2 * call + index, ONE_OF)) continue;
        const { deaths, eventIds, posted, again, ...played } = await play(scenario, pathOf(`${call}-${when}`), {
          call,
          when,
        });

        const at = `${when} call ${call} of ${calls}`;
        expect({ at, firsts: firstsOf(posted) }).toEqual({ at, firsts: eventIds });
        expect({ at, again: firstsOf(again) }).toEqual({ at, again: scenario.isSetBack === true ? eventIds : [] });
        // A repeat is of what was in hand: it never goes back behind an event that came before, but where it was set back.
        const places = (scenario.isSetBack === true ? again : posted).map((id) => eventIds.indexOf(id as EventId));
        const most = scenario.maxEvents ?? 1;
        expect({ at, back: places.every((place, index) => place >= (places[index - 1] ?? 0) - most) }).toEqual({
          at,
          back: true,
        });
        expect({ at, died: deaths === 1 || played.calls < call }).toEqual({ at, died: true });
      }
    }
  });
});
