import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  type Message,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { BatchedCalls, type BatchRules } from '../../shared/platform/batchedCalls.ts';
import { BATCH_ENTRIES, entryFailures, entryId } from '../../shared/platform/queueBatch.ts';
import { MESSAGE_BYTES } from '../../shared/platform/queues.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { LaneRecord } from './groupLanes.ts';

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

export interface CommandQueueDependencies extends Pick<Surroundings, 'clock'> {
  readonly queueUrl: string;
  /** The client for receives only: its deadline is past the longest wait. */
  readonly polling: SQSClient;
  readonly acting: SQSClient;
  /** Throws when nothing may be deleted at the moment. Called before each call that deletes. */
  readonly assertMayDelete: () => void;
  readonly visibilitySeconds: number;
}

/**
 * How deletes share calls. A delete is waited for by nobody but the next receive of its group, so it may linger for
 * longer than what a person waits for.
 */
const DELETES: BatchRules = {
  entries: BATCH_ENTRIES,
  bytes: MESSAGE_BYTES,
  callsAtOnce: 1,
  callsMost: 4,
  slowMs: 500,
  lingerMs: 25,
};

/** The command queue of one shard: what is received, deleted, hidden and shown goes in calls of up to ten. */
export class CommandQueue {
  readonly #dependencies: CommandQueueDependencies;
  readonly #deletes: BatchedCalls<string>;

  constructor(dependencies: CommandQueueDependencies) {
    this.#dependencies = dependencies;
    this.#deletes = new BatchedCalls({
      clock: dependencies.clock,
      rules: DELETES,
      call: (handles) => this.#deleteAll(handles),
      isRefused: () => false,
    });
  }

  async receive(waitSeconds: number): Promise<readonly CommandRecord[]> {
    const { polling, queueUrl, visibilitySeconds } = this.#dependencies;
    const answer = await polling.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: BATCH_ENTRIES,
        WaitTimeSeconds: waitSeconds,
        VisibilityTimeout: visibilitySeconds,
        MessageSystemAttributeNames: ['MessageGroupId', 'SequenceNumber', 'ApproximateReceiveCount', 'SentTimestamp'],
      }),
    );
    return (answer.Messages ?? []).map(toRecord);
  }

  /** Deletes a command. Rejects when SQS does not answer, refuses the handle, or nothing may be deleted. */
  delete({ receiptHandle }: CommandRecord): Promise<void> {
    return this.#deletes.send(receiptHandle, receiptHandle.length);
  }

  /**
   * Hides commands for a time, or shows them at once, ten a call and one call after the other. Returns the number of
   * those that could not be changed: such a one was deleted meanwhile, or comes back by its timeout. Rejects when SQS
   * does not answer.
   */
  async setVisibility(records: readonly CommandRecord[], seconds: number): Promise<number> {
    const { acting, queueUrl } = this.#dependencies;
    let unchanged = 0;
    for (let start = 0; start < records.length; start += BATCH_ENTRIES) {
      const part = records.slice(start, start + BATCH_ENTRIES);
      const answer = await acting.send(
        new ChangeMessageVisibilityBatchCommand({
          QueueUrl: queueUrl,
          Entries: part.map(({ receiptHandle }, place) => ({
            Id: entryId(place),
            ReceiptHandle: receiptHandle,
            VisibilityTimeout: seconds,
          })),
        }),
      );
      unchanged += entryFailures(part.length, answer).size;
    }
    return unchanged;
  }

  async #deleteAll(handles: readonly string[]): Promise<ReadonlyMap<number, Error>> {
    const { acting, queueUrl, assertMayDelete } = this.#dependencies;
    assertMayDelete();
    const answer = await acting.send(
      new DeleteMessageBatchCommand({
        QueueUrl: queueUrl,
        Entries: handles.map((handle, place) => ({ Id: entryId(place), ReceiptHandle: handle })),
      }),
    );
    return entryFailures(handles.length, answer);
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
