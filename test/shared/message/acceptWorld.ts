import {
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { TransactWriteCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { makeReconcileHandler } from '../../../functions/reconcile/handler.ts';
import { makeDispatchHandler } from '../../../functions/dispatch/handler.ts';
import type { Connection } from '../../../shared/connection/connection.ts';
import { BulkLineStore } from '../../../shared/bulk/bulkLineStore.ts';
import { BulkSendStore } from '../../../shared/bulk/bulkSendStore.ts';
import { acceptBulkSend } from '../../../shared/bulk/acceptBulkSend.ts';
import { changeBulkSend } from '../../../shared/bulk/changeBulkSend.ts';
import type { BulkSend } from '../../../shared/bulk/bulkSend.ts';
import { ConnectionStore } from '../../../shared/connection/connectionStore.ts';
import { AppError } from '../../../shared/kernel/appError.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import type { CorrelationId, MediaId, MessageId } from '../../../shared/kernel/id.ts';
import { systemRandom, type Random } from '../../../shared/kernel/random.ts';
import { Erasures } from '../../../shared/media/erasures.ts';
import { acceptMessage } from '../../../shared/message/acceptMessage.ts';
import { cancelMessage } from '../../../shared/message/cancelMessage.ts';
import { commandSchema } from '../../../shared/message/command.ts';
import type { SentMessage } from '../../../shared/message/message.ts';
import type { FilesToSend } from '../../../shared/media/filesToSend.ts';
import type { OutboundMessage } from '../../../shared/message/outboundMessage.ts';
import { MessageStore } from '../../../shared/message/messageStore.ts';
import { moveMessage } from '../../../shared/message/moveMessage.ts';
import { ScheduledMessages } from '../../../shared/message/scheduledMessages.ts';
import type { SendTimes } from '../../../shared/message/sendTimes.ts';
import { makeQueueClient } from '../../../shared/platform/aws.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { silentMetrics } from '../../../shared/platform/metrics.ts';
import { factBatchSchema } from '../../../shared/event/factBatch.ts';
import type { BulkSendFact } from '../../../shared/event/facts/bulkSendFact.ts';
import { commandQueueName, eventQueueName } from '../../../shared/platform/queues.ts';
import { createQueues, startQueues } from '../../emulators/queues.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';
import type { SendRequest } from '../../../worker/socket/port/connectionSocket.ts';
import { anOutbox, sequence, startCore } from '../../worker/sending/fakes.ts';
import { makeTestClock } from '../event/testClock.ts';

/** The file that every link is. */
const FETCHED = 'med_01K3C5H4T6W8Y0A2C4E6G8J0M2' as MediaId;
const CORRELATION = 'cor-of-a-whole-campaign' as CorrelationId;

/** Where a process dies: at which of its calls, and whether that call still took effect. */
export interface Death {
  readonly at: number;
  readonly when: 'before' | 'after';
}

/** The life of one process. Once it is dead none of its calls does anything, and none is answered. */
export class Life {
  readonly #death: Death | undefined;
  #calls = 0;
  isDead = false;

  constructor(death?: Death) {
    this.#death = death;
  }

  /** A client whose calls are this life's. */
  of<Client extends { send: (...args: never[]) => unknown }>(client: Client): Client {
    const send = client.send.bind(client) as (...args: unknown[]) => Promise<unknown>;
    return Object.assign(Object.create(client) as Client, {
      send: async (...args: unknown[]): Promise<unknown> => {
        const isLast = ++this.#calls === this.#death?.at;
        if (isLast && this.#death.when === 'before') this.isDead = true;
        if (this.isDead) throw new Error('this process is dead');
        // A call that the world refuses, such as a condition that is not met, is as much a moment to die after.
        const [answer] = await Promise.allSettled([send(...args)]);
        if (isLast) this.isDead = true;
        if (this.isDead) throw new Error('this process is dead');
        if (answer.status === 'rejected') throw answer.reason;
        return answer.value;
      },
    });
  }
}

/**
 * A table of which each item is in one transaction at a time, as in DynamoDB: another one that comes to it meanwhile is refused.
 * The emulator works them one after the other.
 */
export function withConflicts(table: DynamoDBDocumentClient): DynamoDBDocumentClient {
  const send = table.send.bind(table) as (command: unknown) => Promise<unknown>;
  const inHand = new Set<string>();
  const toKey = (Item: Record<string, unknown> | undefined): string =>
    `${String(Item?.['pk'])} ${String(Item?.['sk'])}`;
  return Object.assign(Object.create(table) as DynamoDBDocumentClient, {
    send: async (command: unknown): Promise<unknown> => {
      if (!(command instanceof TransactWriteCommand)) return send(command);
      const keys = (command.input.TransactItems ?? []).map(({ Put }) => toKey(Put?.Item));
      if (keys.some((key) => inHand.has(key))) {
        const CancellationReasons = keys.map((key) => ({ Code: inHand.has(key) ? 'TransactionConflict' : 'None' }));
        throw new TransactionCanceledException({ message: 'conflict', $metadata: {}, CancellationReasons });
      }
      for (const key of keys) inHand.add(key);
      try {
        return await send(command);
      } finally {
        for (const key of keys) inHand.delete(key);
      }
    },
  });
}

/** A process of the API, with what it remembers. */
export interface ApiProcess {
  readonly life: Life;
  readonly accept: (request: {
    readonly connection: Connection;
    readonly key?: string | undefined;
    readonly text?: string;
    /** What is sent in place of a text. */
    readonly body?: OutboundMessage;
    /** When it may leave, and until when, in milliseconds since 1970. */
    readonly times?: Partial<SendTimes>;
  }) => Promise<SentMessage | undefined>;
  /** Moves a message to another time; `refused` when its state does not allow it. */
  readonly move: (
    connection: Connection,
    messageId: MessageId,
    notBeforeMs: number,
  ) => Promise<'moved' | 'refused' | 'dead'>;
  /** Accepts a bulk send of texts, each to the address beside it. */
  readonly acceptBulk: (request: {
    readonly connection: Connection;
    readonly key?: string | undefined;
    readonly lines: readonly (readonly [to: string, text: string])[];
    readonly times?: Partial<SendTimes>;
    readonly perMinute?: number;
  }) => Promise<BulkSend | undefined>;
  readonly changeBulk: (
    bulk: BulkSend,
    to: 'paused' | 'running' | 'cancelled',
  ) => Promise<'changed' | 'refused' | 'dead'>;
  /** Cancels a message; `refused` when its state does not allow it. */
  readonly cancel: (connection: Connection, messageId: MessageId) => Promise<'cancelled' | 'refused' | 'dead'>;
}

/** The accepting of messages on the emulators, with reconcile and a worker, on a clock that the test moves. */
export async function startAcceptWorld() {
  const [core, queues] = await Promise.all([startCore(), startQueues()]);
  await createQueues(queues.endpoint, 'test', 1);
  let sleeps = 0;
  const still = makeTestClock(Date.UTC(2026, 10, 29));
  /** When the clock of the test stood at which time: what other processes put into the queue is dated by it. */
  const stood = [{ sinceMs: 0, atMs: still.nowMs() }];
  const clock = {
    ...still,
    advance: (durationMs: number): void => {
      still.advance(durationMs);
      stood.push({ sinceMs: Date.now(), atMs: still.nowMs() });
    },
    sleep: (durationMs: number): Promise<void> => {
      sleeps++;
      return systemClock.sleep(durationMs);
    },
  };
  const queue = makeQueueClient(aStoreConfig({ queues }));
  const QueueUrl = `${queues.queueUrlBase}${commandQueueName('test', 0)}`;
  /** When the queue took each command, by the clock of the test. */
  const takenAtMs = new Map<string, number>();
  const noting = Object.assign(Object.create(queue) as SQSClient, {
    send: async (command: SendMessageCommand | SendMessageBatchCommand) => {
      const answer = await queue.send(command as SendMessageCommand);
      const entries = command instanceof SendMessageBatchCommand ? (command.input.Entries ?? []) : [command.input];
      for (const { MessageDeduplicationId: id = '' } of entries)
        if (!takenAtMs.has(id)) takenAtMs.set(id, clock.nowMs());
      return answer;
    },
  });
  const stores = { table: core.table, stage: 'test', queueUrlBase: queues.queueUrlBase, clock };

  /** The files of every tenant: those with an id are there, and links are being fetched. */
  const files: FilesToSend = {
    find: async (tenantId, mediaId) => ({ tenantId, mediaId, state: 'ready', objectKey: 'x' }),
    bring: async (tenantId) => ({ tenantId, mediaId: FETCHED, state: 'pending', objectKey: 'x' }),
  };

  /** A process of the API. What it is asked after its death, or dies of, has no answer. */
  const startApi = (
    life = new Life(),
    { table = core.table, random = systemRandom }: { table?: DynamoDBDocumentClient; random?: Random } = {},
  ): ApiProcess => {
    const mortal = life.of(table);
    const messages = new MessageStore({ table: mortal, stage: 'test' });
    const scheduled = new ScheduledMessages({ table: mortal, stage: 'test' });
    const bulkSends = new BulkSendStore({ table: mortal, stage: 'test' });
    const bulkLines = new BulkLineStore({ table: mortal, stage: 'test' });
    const own = { messages, scheduled, bulkSends, bulkLines, random };
    const dependencies = { ...stores, ...own, table: mortal, queue: life.of(noting), files };
    const answered = <Answer extends string>(asked: Promise<unknown>, answer: Answer) =>
      asked.then(
        () => answer,
        (error: unknown) => {
          if (life.isDead) return 'dead' as const;
          if (error instanceof AppError) return 'refused' as const;
          throw error;
        },
      );
    return {
      life,
      acceptBulk: ({ connection, key, lines, times = {}, perMinute }) =>
        acceptBulkSend(dependencies, {
          connection,
          lines: lines.map(([to, body]) => ({ to, type: 'text', text: { body } })),
          times: { notBeforeMs: times.notBeforeMs, expiresAtMs: times.expiresAtMs },
          perMinute,
          idempotencyKey: key,
          correlationId: CORRELATION,
        }).catch((error: unknown) => {
          if (life.isDead) return undefined;
          throw error;
        }),
      changeBulk: (bulk, to) => answered(changeBulkSend(dependencies, bulk, to), 'changed'),
      move: (connection, messageId, notBeforeMs) =>
        answered(moveMessage(dependencies, connection, messageId, { not_before: notBeforeMs }), 'moved'),
      cancel: (connection, messageId) =>
        answered(cancelMessage(dependencies, { connection, messageId, correlationId: CORRELATION }), 'cancelled'),
      accept: async ({ connection, key, text = 'hello', times = {}, body }) => {
        const accepting = acceptMessage(dependencies, {
          connection,
          body: body ?? {
            to: '+4915100000002',
            type: 'text',
            text: { body: text },
            ...(times.notBeforeMs === undefined ? {} : { not_before: times.notBeforeMs }),
            ...(times.expiresAtMs === undefined ? {} : { expires_at: times.expiresAtMs }),
          },
          idempotencyKey: key,
          correlationId: CORRELATION,
        });
        return accepting.catch((error: unknown) => {
          if (life.isDead) return undefined;
          throw error;
        });
      },
    };
  };

  /** One run of reconcile, which may die in the middle. */
  const reconcile = async (life = new Life()): Promise<void> => {
    const table = life.of(core.table);
    const messages = new MessageStore({ table, stage: 'test' });
    const run = makeReconcileHandler({
      ...stores,
      table,
      queue: life.of(noting),
      messages,
      logger: silentLogger,
      metrics: silentMetrics,
    });
    await run().catch((error: unknown) => {
      if (!life.isDead) throw error;
    });
  };

  /**
   * One run of dispatch, which may die in the middle.
   * @param whileItWaits happens in each pause between two rounds of bulk sends; there are none when it is left out
   */
  const dispatch = async (life = new Life(), whileItWaits?: () => Promise<unknown>): Promise<void> => {
    const sleep = async (durationMs: number): Promise<void> => {
      clock.advance(durationMs);
      await whileItWaits?.();
    };
    const table = life.of(core.table);
    const run = makeDispatchHandler({
      ...stores,
      table,
      queue: life.of(noting),
      connections: new ConnectionStore({ table, stage: 'test' }),
      messages: new MessageStore({ table, stage: 'test' }),
      scheduled: new ScheduledMessages({ table, stage: 'test' }),
      bulkSends: new BulkSendStore({ table, stage: 'test' }),
      bulkLines: new BulkLineStore({ table, stage: 'test' }),
      erasures: new Erasures({ table, stage: 'test' }),
      ...(whileItWaits === undefined ? { bulkRoundsMs: 0 } : { bulkRoundsMs: 40_000, clock: { ...clock, sleep } }),
      random: systemRandom,
      logger: silentLogger,
      metrics: silentMetrics,
    });
    await run().catch((error: unknown) => {
      if (!life.isDead) throw error;
    });
  };

  let place = 0;
  /** A new owner of the connection works all that the queue has. Returns the texts that it sent, in their order. */
  const work = async (
    connection: Connection,
    { isOnline = true, seen = () => undefined }: { isOnline?: boolean; seen?: (request: SendRequest) => void } = {},
  ): Promise<readonly string[]> => {
    const { outbox, socket } = anOutbox(core, connection, {
      overrides: { clock },
      ...(isOnline ? {} : { socket: () => undefined }),
    });
    for (;;) {
      const { Messages = [] } = await queue.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['All'] }),
      );
      if (Messages.length === 0) {
        socket.sent.forEach(seen);
        return socket.texts();
      }
      for (const { Body, Attributes, ReceiptHandle } of Messages) {
        const command = commandSchema.parse(JSON.parse(Body ?? ''));
        const sentAtMs = Number(Attributes?.SentTimestamp ?? 0);
        const enqueuedAtMs =
          takenAtMs.get(Attributes?.MessageDeduplicationId ?? '') ??
          stood.findLast(({ sinceMs }) => sinceMs <= sentAtMs)?.atMs ??
          0;
        if (command.kind === 'send_message') {
          await outbox.handle(command.messageId, sequence(++place), enqueuedAtMs);
        }
        await queue.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    }
  };

  /** All commands are lost, as when nobody takes them for longer than the queue keeps them. */
  const loseCommands = async (): Promise<void> => {
    for (;;) {
      const { Messages = [] } = await queue.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
      if (Messages.length === 0) return;
      for (const { ReceiptHandle } of Messages) await queue.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    }
  };

  /** The facts that functions have published about bulk sends, which ingest would tell. */
  const toldOfBulks = async (): Promise<readonly BulkSendFact[]> => {
    const EventsUrl = `${queues.queueUrlBase}${eventQueueName('test')}`;
    for (;;) {
      const { Messages = [] } = await queue.send(
        new ReceiveMessageCommand({ QueueUrl: EventsUrl, MaxNumberOfMessages: 10 }),
      );
      if (Messages.length === 0) return [...told.values()];
      for (const { Body, ReceiptHandle } of Messages) {
        for (const fact of factBatchSchema.parse(JSON.parse(Body ?? '')).events) {
          if (fact.kind === 'bulk_send') told.set(fact.key, fact);
        }
        await queue.send(new DeleteMessageCommand({ QueueUrl: EventsUrl, ReceiptHandle }));
      }
    }
  };
  const told = new Map<string, BulkSendFact>();

  /** The states of all messages of a connection, oldest first. */
  const statesOf = async ({ connectionId }: Connection): Promise<readonly (string | undefined)[]> => {
    const page = await core.messages.list(connectionId, { before: undefined, limit: 100, nowMs: clock.nowMs() });
    const ids: readonly MessageId[] = page.messages.map(({ messageId }) => messageId).toReversed();
    return Promise.all(ids.map((messageId) => core.stateOf(connectionId, messageId)));
  };

  return {
    core,
    /** Where other processes find the stores. */
    reach: { dynamoDb: { endpoint: core.endpoint }, queues },
    clock,
    /** How often any process has waited so far, because others were in its way. */
    sleeps: () => sleeps,
    startApi,
    reconcile,
    dispatch,
    work,
    loseCommands,
    toldOfBulks,
    statesOf,
    stop: async (): Promise<void> => {
      queue.destroy();
      await Promise.all([core.stop(), queues.stop()]);
    },
  };
}

export type AcceptWorld = Awaited<ReturnType<typeof startAcceptWorld>>;
