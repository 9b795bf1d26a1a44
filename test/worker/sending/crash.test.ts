import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
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
import { anOutbox, FakePublisher, FakeSocket, startCore, type Core } from './fakes.ts';

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
          const dyingSocket: ConnectionSocket = {
            generation: 1,
            send: (request) => life.call(() => socket.send(request)),
            lookUpsFor: socket.lookUpsFor,
            chatOf: socket.chatOf,
            isFirstContact: socket.isFirstContact,
            ask: socket.ask,
            close: socket.close,
            evidence: socket.evidence,
            probe: socket.probe,
          };
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
    await vi.waitFor(isEmpty, { timeout: 12_000, interval: 250 });
    await next.drain();

    for (const { message } of cases) {
      const stanzas = socket.sent.filter(({ content }) => wordsOf(content) === wordsOf(message.content));
      expect(new Set(stanzas.map(({ stanzaId }) => stanzaId))).toEqual(new Set([message.stanzaId]));
      expect(stanzas.length).toBeLessThanOrEqual(2);
    }
    expect(publisher.results()).toEqual(publisher.facts.map(() => 'sent'));
  });
});
