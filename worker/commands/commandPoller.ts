import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  type Message,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { backoffMs } from '../../shared/kernel/backoff.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { GroupLanes, type LaneRecord } from './groupLanes.ts';

/** One command as SQS gave it. */
export interface CommandRecord extends LaneRecord {
  readonly body: string;
  readonly receiptHandle: string;
  /** The number by which SQS orders the commands of a group. */
  readonly sequenceNumber: string;
  readonly receiveCount: number;
  /** The time at which SQS accepted it, by SQS's clock, in milliseconds since 1970. */
  readonly enqueuedAtMs: number;
}

export interface PollerDependencies extends Pick<Surroundings, 'clock' | 'random' | 'logger'> {
  readonly queueUrl: string;
  /** The client for receives only: its deadline is past the longest wait. */
  readonly polling: SQSClient;
  readonly acting: SQSClient;
  /**
   * Does what a command asks. `done` deletes the command; `later` and a rejection put it and the rest of its group
   * back.
   */
  readonly handle: (record: CommandRecord) => Promise<'done' | 'later'>;
  /** Throws when this worker may not act at the moment. Called before each receive and each delete. */
  readonly assertOpen: () => void;
  readonly isOpen: () => boolean;
  readonly waitSeconds: number;
  readonly visibilitySeconds: number;
}

/** The greatest number of messages that SQS gives at once. */
const BATCH = 10;
/** The greatest number of commands held at once; a shard has at most 100 connections with two groups each. */
const MAX_HELD = 400;
const EXTENSIONS_PER_VISIBILITY = 3;
const HURRIED_WAIT_SECONDS = 1;
const PAUSE = { firstMs: 500, capMs: 10_000 } as const;
/**
 * How long a group that failed rests before it goes back, in milliseconds, so that a broken store is not called without
 * pause.
 */
const FAILED_PAUSE_MS = 1_000;

/**
 * Polls the command queue of one shard. Groups are worked side by side, each in order; a group stops at its first
 * failure and its remaining commands go back, last to first, so that SQS gives them out again in order.
 */
export class CommandPoller {
  readonly #dependencies: PollerDependencies;
  readonly #lanes: GroupLanes<CommandRecord>;
  readonly #ended = new AbortController();
  #waitSeconds: number;
  /**
   * `draining`: takes no more and puts back what was not begun. `abandoned`: another worker owns the shard; nothing
   * more is touched.
   */
  #mode: 'polling' | 'draining' | 'abandoned' = 'polling';
  #loop: Promise<void> | undefined;
  /** The poll that is out, or the last one. */
  #polling: Promise<unknown> = Promise.resolve();
  #extending: Promise<void> | undefined;

  constructor(dependencies: PollerDependencies) {
    this.#dependencies = dependencies;
    this.#waitSeconds = dependencies.waitSeconds;
    this.#lanes = new GroupLanes({
      work: (record) => this.#work(record),
      giveBack: (records) => this.#giveBack(records),
      isStopping: () => this.#mode !== 'polling',
    });
  }

  /** Begins to poll. */
  start(): void {
    this.#loop ??= this.#poll();
    this.#extending ??= this.#extend();
  }

  /** Makes polls brief from here on, so that the last one, which cannot be aborted, does not hold up a hand-off. */
  hurry(): void {
    this.#waitSeconds = Math.min(this.#waitSeconds, HURRIED_WAIT_SECONDS);
  }

  /** Makes polls brief, and resolves when no long poll is out any more. Commands are worked meanwhile as always. */
  async settle(): Promise<void> {
    this.hurry();
    await this.#polling;
  }

  /**
   * Takes no more, finishes commands that were begun, and puts the rest back. A poll is never aborted, since SQS would
   * hide the messages that it answers with: this waits for the one that is out.
   */
  async drain(): Promise<void> {
    if (this.#mode === 'polling') this.#mode = 'draining';
    await this.#loop;
    await this.#lanes.idle();
    this.#ended.abort();
    await this.#extending;
  }

  /** Ends everything because another worker owns the shard: nothing is deleted, put back or begun from here on. */
  abandon(): void {
    this.#mode = 'abandoned';
    this.#ended.abort();
  }

  async #poll(): Promise<void> {
    const { clock, random, logger, assertOpen } = this.#dependencies;
    let failures = 0;
    while (this.#mode === 'polling') {
      if (this.#lanes.held().length >= MAX_HELD) {
        await clock.sleep(PAUSE.firstMs, this.#ended.signal);
        continue;
      }
      try {
        assertOpen();
        const receiving = this.#receive();
        this.#polling = receiving.catch(() => undefined);
        const records = await receiving;
        failures = 0;
        this.#lanes.add(records);
      } catch (error) {
        logger.warn('commands could not be received', { attempt: failures + 1, error });
        await clock.sleep(backoffMs(PAUSE, failures, random.unit()), this.#ended.signal);
        failures += 1;
      }
    }
  }

  async #receive(): Promise<readonly CommandRecord[]> {
    const { polling, queueUrl, visibilitySeconds } = this.#dependencies;
    const answer = await polling.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: BATCH,
        WaitTimeSeconds: this.#waitSeconds,
        VisibilityTimeout: visibilitySeconds,
        MessageSystemAttributeNames: ['MessageGroupId', 'SequenceNumber', 'ApproximateReceiveCount', 'SentTimestamp'],
      }),
    );
    return (answer.Messages ?? []).map(toRecord);
  }

  async #work(record: CommandRecord): Promise<'done' | 'later'> {
    const { handle, acting, queueUrl, assertOpen, clock, logger } = this.#dependencies;
    if (this.#mode === 'abandoned') return 'later';
    try {
      if ((await handle(record)) === 'done') {
        assertOpen();
        await acting.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: record.receiptHandle }));
        return 'done';
      }
    } catch (error) {
      logger.warn('command failed and goes back', { receiveCount: record.receiveCount, error });
    }
    if (this.#mode === 'polling') await clock.sleep(FAILED_PAUSE_MS, this.#ended.signal);
    return 'later';
  }

  /**
   * Puts records back, last to first: while one is hidden, SQS holds back the ones after it. One that fails comes back
   * by its timeout.
   */
  async #giveBack(records: readonly CommandRecord[]): Promise<void> {
    for (const record of [...records].reverse()) {
      if (this.#mode === 'abandoned') return;
      await this.#setVisibility(record, 0);
    }
  }

  /** Keeps the held commands hidden from other receivers, each third of the visibility. */
  async #extend(): Promise<void> {
    const { clock, visibilitySeconds, isOpen } = this.#dependencies;
    const everyMs = (visibilitySeconds * 1_000) / EXTENSIONS_PER_VISIBILITY;
    while (!this.#ended.signal.aborted) {
      await clock.sleep(everyMs, this.#ended.signal);
      if (this.#ended.signal.aborted) return;
      // A worker that may not act must not hide commands either: another worker may be waiting for them.
      if (!isOpen()) continue;
      await Promise.all(this.#lanes.held().map((record) => this.#setVisibility(record, visibilitySeconds)));
    }
  }

  async #setVisibility(record: CommandRecord, seconds: number): Promise<void> {
    const { acting, queueUrl, logger } = this.#dependencies;
    try {
      await acting.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: queueUrl,
          ReceiptHandle: record.receiptHandle,
          VisibilityTimeout: seconds,
        }),
      );
    } catch (error) {
      // The record may have been deleted meanwhile, or it comes back by its timeout: both are safe.
      logger.debug('visibility of a command could not be changed', { error });
    }
  }
}

function toRecord(message: Message): CommandRecord {
  return {
    group: message.Attributes?.MessageGroupId ?? '',
    body: message.Body ?? '',
    receiptHandle: message.ReceiptHandle ?? '',
    sequenceNumber: message.Attributes?.SequenceNumber ?? '',
    receiveCount: Number(message.Attributes?.ApproximateReceiveCount ?? 1),
    enqueuedAtMs: Number(message.Attributes?.SentTimestamp ?? 0),
  };
}
