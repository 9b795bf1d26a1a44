import { DeleteMessageBatchCommand, ReceiveMessageCommand, type Message, type SQSClient } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { systemClock } from '../../shared/kernel/clock.ts';
import { TimeoutError, withDeadline } from '../../shared/kernel/deadline.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';

/**
 * The part that Lambda's SQS event source plays on AWS: it polls, invokes the handler with a batch, deletes the
 * messages that the handler did not report as failed, and leaves the rest to the visibility timeout. A handler that
 * throws or takes too long fails its whole batch.
 */
export interface EventSourceOptions extends Pick<Surroundings, 'logger'> {
  /** A client for long polls only. */
  readonly polling: SQSClient;
  readonly acting: SQSClient;
  readonly queueUrl: string;
  readonly queueName: string;
  readonly handler: (event: SQSEvent) => Promise<SQSBatchResponse>;
  readonly batchSize: number;
  readonly waitSeconds: number;
  /** The function's timeout, in milliseconds. */
  readonly timeoutMs: number;
  /** The number of batches under way at once. */
  readonly concurrency: number;
}

export interface EventSource {
  /** Ends polling; resolves when the batches under way are done. */
  readonly stop: () => Promise<void>;
}

const PAUSE_AFTER_FAILURE_MS = 1_000;

export function startEventSource(options: EventSourceOptions): EventSource {
  const stopping = new AbortController();
  const loops = Array.from({ length: options.concurrency }, () => poll(options, stopping.signal));
  return {
    stop: async () => {
      stopping.abort();
      await Promise.all(loops);
    },
  };
}

async function poll(options: EventSourceOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const answer = await options.polling.send(
        new ReceiveMessageCommand({
          QueueUrl: options.queueUrl,
          MaxNumberOfMessages: options.batchSize,
          WaitTimeSeconds: options.waitSeconds,
          MessageSystemAttributeNames: ['All'],
          MessageAttributeNames: ['All'],
        }),
      );
      if (answer.Messages !== undefined && answer.Messages.length > 0) await invoke(options, answer.Messages);
    } catch (error) {
      if (signal.aborted) return;
      options.logger.warn('event source failed', { queue: options.queueName, error });
      await systemClock.sleep(PAUSE_AFTER_FAILURE_MS, signal);
    }
  }
}

async function invoke(options: EventSourceOptions, messages: readonly Message[]): Promise<void> {
  const Records = messages.map((message) => toRecord(message, options.queueName));
  let failed: ReadonlySet<string>;
  try {
    const response = await withDeadline('the function', options.timeoutMs, () => options.handler({ Records }));
    failed = new Set(response.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
  } catch (error) {
    options.logger.error(error instanceof TimeoutError ? 'function timed out' : 'function failed', {
      queue: options.queueName,
      error,
    });
    return;
  }
  const done = messages.filter(({ MessageId }) => !failed.has(MessageId ?? ''));
  if (done.length === 0) return;
  await options.acting.send(
    new DeleteMessageBatchCommand({
      QueueUrl: options.queueUrl,
      Entries: done.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle })),
    }),
  );
}

/** A received message in the form in which Lambda passes it to a function. */
export function toRecord(message: Message, queueName: string): SQSRecord {
  return {
    messageId: message.MessageId ?? '',
    receiptHandle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    attributes: { ...message.Attributes } as unknown as SQSRecord['attributes'],
    messageAttributes: Object.fromEntries(
      Object.entries(message.MessageAttributes ?? {}).map(
        ([name, { DataType = 'String', StringValue, BinaryValue }]) => [
          name,
          {
            dataType: DataType,
            ...(StringValue === undefined ? {} : { stringValue: StringValue }),
            ...(BinaryValue === undefined ? {} : { binaryValue: Buffer.from(BinaryValue).toString('base64') }),
          },
        ],
      ),
    ),
    md5OfBody: message.MD5OfBody ?? '',
    eventSource: 'aws:sqs',
    eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:${queueName}`,
    awsRegion: 'us-east-1',
  };
}
