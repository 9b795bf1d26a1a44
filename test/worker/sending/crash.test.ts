import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Connection } from '../../../shared/connection/connection.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { enqueueCommand } from '../../../shared/message/command.ts';
import type { SentMessage } from '../../../shared/message/message.ts';
import type { MessageStore } from '../../../shared/message/messageStore.ts';
import { makePollingClient, makeQueueClient } from '../../../shared/platform/aws.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { commandQueueName } from '../../../shared/platform/queues.ts';
import { parseCommand } from '../../../worker/commands/commandHandler.ts';
import { CommandPoller } from '../../../worker/commands/commandPoller.ts';
import type { ConnectionOutbox } from '../../../worker/sending/connectionOutbox.ts';
import type { FactPublisher } from '../../../worker/facts/factPublisher.ts';
import type { ConnectionSocket } from '../../../worker/socket/port/connectionSocket.ts';
import { createQueues, startQueues } from '../../emulators/queues.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';
import { wordsOf } from '../../shared/content/someContent.ts';
import { anOutbox, FakePublisher, FakeSocket, sequence, startCore, type Core } from './fakes.ts';
import { makeSteppedClock } from './steppedClock.ts';
import { eventually } from '../../eventually.ts';

const ANN = '4915100000001@s.whatsapp.net';
const BOB = '4915100000002@s.whatsapp.net';

/** A process that dies at its n-th await: that call takes effect or does not, and nothing runs after it. */
class Dying {
  #left: number;
  readonly #effect: 'before' | 'after';
  readonly died = Promise.withResolvers<void>();

  constructor(callsToLive: number, effect: 'before' | 'after') {
    this.#left = callsToLive;
    this.#effect = effect;
  }

  /** Wraps a call of the process. Once dead, calls never return. */
  readonly call = async <Result>(run: () => Promise<Result>): Promise<Result> => {
    this.#left -= 1;
    if (this.#left > 0) return run();
    if (this.#left === 0 && this.#effect === 'after') await run();
    this.died.resolve();
    return new Promise<never>(() => undefined);
  };
}

const dyingStore = (messages: MessageStore, life: Dying): MessageStore =>
  new Proxy(messages, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...given: unknown[]) => life.call(async () => Reflect.apply(member, target, given) as unknown);
    },
  });

const dyingSocketOf = (socket: FakeSocket, life: Dying): ConnectionSocket => ({
  generation: 1,
  send: (request) => life.call(() => socket.send(request)),
  lookUpsFor: socket.lookUpsFor,
  chatOf: socket.chatOf,
  isFirstContact: socket.isFirstContact,
  mediaHosts: socket.mediaHosts,
  ask: socket.ask,
  askForFile: socket.askForFile,
  close: socket.close,
  evidence: socket.evidence,
  probe: socket.probe,
  answerPasskey: socket.answerPasskey,
});

/** Calls of one send: read parked, begin, send, publish, and the delete that a later delivery makes up for. */
const CALLS = 4;
const lives = Array.from({ length: CALLS }, (_, place) => [
  { calls: place + 1, effect: 'before' as const },
  { calls: place + 1, effect: 'after' as const },
]).flat();

describe('a worker that dies while it sends', () => {
  let core: Core;
  let queues: Awaited<ReturnType<typeof startQueues>>;
  beforeAll(async () => {
    [core, queues] = await Promise.all([startCore(), startQueues()]);
    await createQueues(queues.endpoint, 'test', 1);
  });
  afterAll(async () => {
    await Promise.all([core.stop(), queues.stop()]);
  });

  it('leaves every message to the next owner, who sends it under the same stanza id and finishes it once', async () => {
    const config = aStoreConfig({ queues });
    const acting = makeQueueClient(config);
    const polling = makePollingClient(config, 2, 1);
    const queueUrl = `${queues.queueUrlBase}${commandQueueName('test', 0)}`;
    const socket = new FakeSocket();
    const publisher = new FakePublisher(core.ingest);
    const cases: { readonly connection: Connection; readonly message: SentMessage; readonly life: Dying }[] = [];
    for (const { calls, effect } of lives) {
      const connection = await core.aConnection();
      const message = await core.aMessage(connection, `dies at call ${calls}, ${effect} its effect`);
      cases.push({ connection, message, life: new Dying(calls, effect) });
      const { tenantId, connectionId, messageId, correlationId } = message;
      await enqueueCommand(
        { queue: acting, stage: 'test', queueUrlBase: queues.queueUrlBase },
        0,
        { version: 1, kind: 'send_message', tenantId, connectionId, correlationId, messageId },
        messageId,
      );
    }
    const outboxes = (token: number, isDying: boolean): Map<string, ConnectionOutbox> =>
      new Map(
        cases.map(({ connection, life }) => {
          const dyingSocket = dyingSocketOf(socket, life);
          const dyingPublisher: FactPublisher = {
            publish: (owned, events, correlationId) => life.call(() => publisher.publish(owned, events, correlationId)),
          };
          const { outbox } = anOutbox(core, connection, {
            token,
            socket: () => (isDying ? dyingSocket : socket),
            overrides: isDying
              ? { messages: dyingStore(core.messages, life), publisher: dyingPublisher }
              : { publisher },
          });
          return [connection.connectionId, outbox];
        }),
      );
    const aPoller = (boxes: Map<string, ConnectionOutbox>): CommandPoller =>
      new CommandPoller({
        queueUrl,
        polling,
        acting,
        clock: systemClock,
        random: systemRandom,
        logger: silentLogger,
        assertOpen: () => undefined,
        isOpen: () => true,
        waitSeconds: 1,
        visibilitySeconds: 2,
        handle: async ({ body, sequenceNumber, enqueuedAtMs }) => {
          const command = parseCommand(body);
          const outbox = boxes.get(command?.connectionId ?? '');
          if (command?.kind !== 'send_message' || outbox === undefined) throw new Error('not a command of this test');
          return outbox.handle(command.messageId, sequenceNumber, enqueuedAtMs);
        },
      });

    const dying = aPoller(outboxes(1, true));
    dying.start();
    await Promise.all(cases.map(({ life }) => life.died.promise));
    dying.abandon();
    const next = aPoller(outboxes(2, false));
    next.start();
    const isEmpty = async (): Promise<void> => {
      const states = await Promise.all(
        cases.map(({ message }) => core.stateOf(message.connectionId, message.messageId)),
      );
      expect(new Set(states)).toEqual(new Set(['sent']));
      expect(new Set(publisher.facts.map(({ key }) => key)).size).toBe(cases.length);
      const waiting = await acting.send(new ReceiveMessageCommand({ QueueUrl: queueUrl, VisibilityTimeout: 0 }));
      expect(waiting.Messages ?? []).toEqual([]);
    };
    await eventually(isEmpty, 250);
    await next.drain();

    for (const { message } of cases) {
      const stanzas = socket.sent.filter(({ content }) => wordsOf(content) === wordsOf(message.content));
      expect(new Set(stanzas.map(({ stanzaId }) => stanzaId))).toEqual(new Set([message.stanzaId]));
      expect(stanzas.length).toBeLessThanOrEqual(2);
    }
    expect(publisher.results()).toEqual(publisher.facts.map(() => 'sent'));
  });

  /** Plays one life that ends at a call, and the next owner's. Returns undefined where the first one did not come to that call. */
  const playRefusal = async (code: number, calls: number, effect: 'before' | 'after') => {
    const clock = makeSteppedClock(Date.now());
    const connection = await core.aConnection();
    const life = new Dying(calls, effect);
    const socket = new FakeSocket();
    const publisher = new FakePublisher(core.ingest);
    const [refused, other] = [ANN, BOB].map((to) => {
      socket.strangers.add(to);
      return core.aMessage(connection, `to ${to}`, { to });
    });
    const [first, second] = [(await refused) as SentMessage, (await other) as SentMessage];
    socket.answers.push({ outcome: 'refused', code }, { outcome: 'refused', code });
    const dyingSocket = dyingSocketOf(socket, life);
    const dying = anOutbox(core, connection, {
      token: 1,
      pace: {},
      socket: () => dyingSocket,
      recording: (write) => life.call(write),
      overrides: {
        clock,
        messages: dyingStore(core.messages, life),
        publisher: { publish: (...given) => life.call(() => publisher.publish(...given)) },
      },
    });
    const ended = dying.outbox.handle(first.messageId, sequence(1), clock.nowMs()).then(() => dying.outbox.finish());
    if ((await Promise.race([ended, life.died.promise.then(() => 'died')])) !== 'died') return undefined;
    const next = anOutbox(core, connection, {
      token: 2,
      pace: {},
      socket: () => socket,
      overrides: { clock, publisher },
    });
    await next.outbox.handle(first.messageId, sequence(1), clock.nowMs());
    await next.outbox.handle(second.messageId, sequence(2), clock.nowMs());
    next.outbox.look();
    const stateOf = (message: SentMessage) => core.stateOf(connection.connectionId, message.messageId);
    const braked = { sent: [...socket.sent], states: [await stateOf(first), await stateOf(second)] };
    socket.answers.length = 0;
    clock.advance(3_600_000);
    await eventually(async () => {
      next.outbox.look();
      expect(await stateOf(second)).toBe('sent');
      expect(await stateOf(first)).toMatch(/^(failed\/refused_\w+|sent)$/);
    });
    await next.outbox.finish();
    return { first, second, braked, publisher, socket, end: await stateOf(first) };
  };

  it.each([
    [463, 'first_contacts_restricted'],
    [475, 'first_contacts_restricted'],
    [429, 'sends_too_fast'],
  ])(
    'after a refusal with %i lets the next owner send that one message once more, and no other before the rest is over, and the tenant is told once',
    async (code, reason) => {
      const plays = [];
      for (let calls = 1; ; calls += 1) {
        const both = await Promise.all([playRefusal(code, calls, 'before'), playRefusal(code, calls, 'after')]);
        plays.push(...both.filter((play) => play !== undefined));
        if (both.every((play) => play === undefined)) break;
      }

      // The pace of a new link, its try, the send, the brake, its event, that it was told, the failure, and its event.
      expect(plays.length).toBeGreaterThanOrEqual(16);
      for (const { first, second, braked, publisher, socket, end } of plays) {
        expect(braked.sent.map(({ stanzaId }) => stanzaId)).toEqual(braked.sent.map(() => first.stanzaId));
        expect(braked.sent.length).toBeLessThanOrEqual(2);
        expect(braked.states[1]).toBe('parked');
        // It has failed, or waits with the others: whether WhatsApp had it is not known to whoever comes next.
        expect(braked.states[0]).toMatch(/^(failed\/refused_\w+|sending|parked)$/);
        expect(end).toMatch(/^(failed\/refused_\w+|sent)$/);
        // What waits leaves after the rest, in whichever order, as the two go to different chats.
        const rest = socket.sent.slice(braked.sent.length).map(({ stanzaId }) => stanzaId);
        expect(rest.filter((id) => id === second.stanzaId)).toHaveLength(1);
        expect(rest.filter((id) => id !== second.stanzaId)).toEqual(rest.length === 1 ? [] : [first.stanzaId]);
        const keys = (kind: 'begun' | 'over') =>
          publisher.facts.flatMap((fact) =>
            fact.kind === 'pace' && (fact.wait?.code === reason) === (kind === 'begun') ? [fact.key] : [],
          );
        expect(new Set(keys('begun')).size).toBe(1);
        expect(new Set(keys('over')).size).toBe(1);
        const isEnd = (fact: (typeof publisher.facts)[number]) =>
          fact.kind === 'send_result' && fact.state === 'failed';
        const [told, failed] = [
          publisher.facts.findIndex(({ kind }) => kind === 'pace'),
          publisher.facts.findIndex(isEnd),
        ];
        expect(failed === -1 || told < failed).toBe(true);
      }
    },
  );
});
