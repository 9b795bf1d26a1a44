import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { factBatchSchema } from '../../shared/event/factBatch.ts';
import { TimeoutError } from '../../shared/kernel/deadline.ts';
import type { Fact } from '../../shared/event/facts/factRows.ts';
import { recordResultsIn } from '../worker/recordResults.ts';
import { commandQueueName, eventQueueName } from '../../shared/platform/queues.ts';

/** Reads the events queue, writes results of sends on their rows as ingest does, and keeps every fact in the order in which the queue gave it. */
export class EventsTap {
  readonly facts: Fact[] = [];
  readonly #queue: SQSClient;
  readonly #urlBase: string;
  readonly #stage: string;
  readonly #table: DynamoDBDocumentClient;
  #reading: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(queue: SQSClient, table: DynamoDBDocumentClient, urlBase: string, stage: string) {
    this.#table = table;
    this.#queue = queue;
    this.#urlBase = urlBase;
    this.#stage = stage;
  }

  start(): void {
    this.#reading = this.#read();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#reading;
  }

  /** Whether a shard's command queue holds anything, visible or in somebody's hands. */
  async hasCommands(shard: number): Promise<boolean> {
    const { Attributes = {} } = await this.#queue.send(
      new GetQueueAttributesCommand({
        QueueUrl: `${this.#urlBase}${commandQueueName(this.#stage, shard)}`,
        AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
      }),
    );
    return Object.values(Attributes).some((count) => Number(count) > 0);
  }

  async #read(): Promise<void> {
    const QueueUrl = `${this.#urlBase}${eventQueueName(this.#stage)}`;
    while (!this.#isStopped) {
      const { Messages = [] } = await this.#queue
        .send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }))
        .catch(nothingInTime);
      for (const { Body = '', ReceiptHandle } of Messages) {
        const batch = factBatchSchema.parse(JSON.parse(Body));
        await recordResultsIn({ table: this.#table, stage: this.#stage }, batch);
        this.facts.push(...batch.events);
        await this.#queue.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    }
  }
}

/** A machine with much to do answers late. What such an answer would have brought comes again when it is visible. */
function nothingInTime(error: unknown): { readonly Messages?: undefined } {
  if (error instanceof TimeoutError) return {};
  throw error;
}
