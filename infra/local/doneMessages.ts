import { DeleteMessageBatchCommand, type Message, type SQSClient } from '@aws-sdk/client-sqs';
import { systemClock } from '../../shared/kernel/clock.ts';
import { BATCH_ENTRIES, entryFailures, entryId } from '../../shared/platform/queueBatch.ts';

export interface DoneMessagesOptions {
  readonly acting: SQSClient;
  readonly queueUrl: string;
  /**
   * How long a delete waits for those of the next invocations, in milliseconds; 0 in a queue with groups, which gives out
   * nothing of a group before what is done of it is deleted.
   */
  readonly deleteLingerMs: number;
}

/** The messages of a queue that a function is through with: they are deleted ten in a call. */
export class DoneMessages {
  readonly #options: DoneMessagesOptions;
  readonly #waiting: string[] = [];
  /** The delete of what waits, when its time is over. */
  #later: Promise<void> | undefined;

  constructor(options: DoneMessagesOptions) {
    this.#options = options;
  }

  /** Deletes messages, ten at most. Rejects when one was not deleted, of these or of those that waited: it comes again. */
  async delete(messages: readonly Message[]): Promise<void> {
    if (messages.length === 0) return;
    this.#waiting.push(...messages.map(({ ReceiptHandle = '' }) => ReceiptHandle));
    if (this.#options.deleteLingerMs === 0) return this.#deleteNext();
    const isFull = this.#waiting.length >= BATCH_ENTRIES;
    await Promise.all([isFull ? this.#deleteNext() : undefined, (this.#later ??= this.#deleteLater())]);
  }

  async #deleteLater(): Promise<void> {
    await systemClock.sleep(this.#options.deleteLingerMs);
    this.#later = undefined;
    await this.#deleteNext();
  }

  async #deleteNext(): Promise<void> {
    const { acting, queueUrl } = this.#options;
    const Entries = this.#waiting
      .splice(0, BATCH_ENTRIES)
      .map((ReceiptHandle, place) => ({ Id: entryId(place), ReceiptHandle }));
    if (Entries.length === 0) return;
    const answer = await acting.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
    const [failure] = entryFailures(Entries.length, answer).values();
    if (failure !== undefined) throw failure;
  }
}
