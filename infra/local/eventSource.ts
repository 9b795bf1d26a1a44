import { ReceiveMessageCommand, type Message, type SQSClient } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { systemClock, waitUntil } from '../../shared/kernel/clock.ts';
import { TimeoutError, withDeadline } from '../../shared/kernel/deadline.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { DoneMessages, type DoneMessagesOptions } from './doneMessages.ts';

/**
 * The part that Lambda's SQS event source plays on AWS: it polls, invokes the handler with a batch, deletes the
 * messages that the handler did not report as failed, and leaves the rest to the visibility timeout. A handler that
 * throws or takes too long fails its whole batch.
 *
 * One loop receives for all invocations of a queue. An invocation makes the same calls for one message as for ten, so
 * what comes while one runs goes into the next, and the next begins no sooner than `gatherMs` after the last one. Nothing
 * waits where waiting saves nothing: a message that comes after a pause is received at once, so is what is left behind a
 * full batch, and an invocation that is slow gets others beside it.
 *
 * - The process dies: what it received comes again when its visibility timeout is over, as with Lambda.
 * - A handler never returns: its deadline ends it, and until then the others go on, up to `concurrency`.
 * - A delete fails or comes late: the messages come again; until then SQS gives out nothing else of their groups. A delete
 *   waits for others, where there are no groups, for a small part of the visibility timeout.
 */
export interface EventSourceOptions extends Pick<Surroundings, 'logger'>, DoneMessagesOptions {
  /** A client for long polls only. */
  readonly polling: SQSClient;
  readonly queueName: string;
  readonly handler: (event: SQSEvent) => Promise<SQSBatchResponse>;
  readonly batchSize: number;
  readonly waitSeconds: number;
  /** The function's timeout, in milliseconds. */
  readonly timeoutMs: number;
  /** The number of batches under way at once. */
  readonly concurrency: number;
  /** The least time from a receive that brought something to the next one, in milliseconds; 0 for a queue that comes in batches. */
  readonly gatherMs: number;
  /** Called when the last batch is done: what the handler has put off is done then. */
  readonly end?: () => Promise<void>;
}

export interface EventSource {
  /** Ends polling; resolves when the batches under way are done. */
  readonly stop: () => Promise<void>;
}

const PAUSE_AFTER_FAILURE_MS = 1_000;
/** How long an invocation is the only one, in milliseconds: after that it is slow, and others must not wait for it. */
const PATIENCE_MS = 50;

export function startEventSource(options: EventSourceOptions): EventSource {
  const stopping = new AbortController();
  const loop = poll(options, stopping.signal);
  return {
    stop: async () => {
      stopping.abort();
      await loop;
      await options.end?.();
    },
  };
}

async function poll(options: EventSourceOptions, signal: AbortSignal): Promise<void> {
  const { batchSize, concurrency, deleteLingerMs, gatherMs, logger, queueName } = options;
  const underWay = new Set<Promise<unknown>>();
  const deletes = new Set<Promise<unknown>>();
  const done = new DoneMessages(options);
  while (!signal.aborted) {
    try {
      const messages = await receive(options);
      if (messages.length === 0) continue;
      const nextAtMs = systemClock.monotonicMs() + gatherMs;
      const invocation = invoke(options, messages);
      const deleted = deleteDone(options, done, invocation);
      holdUntilDone(deletes, deleted);
      // A group gives out nothing before its delete; a delete that lingers holds up nothing.
      holdUntilDone(underWay, deleteLingerMs === 0 ? deleted : invocation);
      if (messages.length < batchSize) {
        await Promise.race([invocation, systemClock.sleep(PATIENCE_MS, signal)]);
        await waitUntil(systemClock, nextAtMs, signal);
      }
      if (underWay.size >= concurrency) await Promise.race(underWay);
    } catch (error) {
      logger.warn('event source failed', { queue: queueName, error });
      await systemClock.sleep(PAUSE_AFTER_FAILURE_MS, signal);
    }
  }
  await Promise.all(deletes);
}

async function receive(options: EventSourceOptions): Promise<readonly Message[]> {
  const { Messages = [] } = await options.polling.send(
    new ReceiveMessageCommand({
      QueueUrl: options.queueUrl,
      MaxNumberOfMessages: options.batchSize,
      WaitTimeSeconds: options.waitSeconds,
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    }),
  );
  return Messages;
}

/** Invokes the handler. Returns the messages that it is through with; never rejects. */
async function invoke(options: EventSourceOptions, messages: readonly Message[]): Promise<readonly Message[]> {
  const Records = messages.map((message) => toRecord(message, options.queueName));
  try {
    const response = await withDeadline('the function', options.timeoutMs, () => options.handler({ Records }));
    const failed = new Set(response.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    return messages.filter(({ MessageId }) => !failed.has(MessageId ?? ''));
  } catch (error) {
    options.logger.error(error instanceof TimeoutError ? 'function timed out' : 'function failed', {
      queue: options.queueName,
      error,
    });
    return [];
  }
}

/** Keeps a promise, which never rejects, in a set for as long as it is open. */
function holdUntilDone(open: Set<Promise<unknown>>, promise: Promise<unknown>): void {
  open.add(promise);
  void promise.finally(() => open.delete(promise));
}

/** Deletes what an invocation was through with, beside the next receives. Never rejects. */
async function deleteDone(
  { logger, queueName }: EventSourceOptions,
  done: DoneMessages,
  invocation: Promise<readonly Message[]>,
): Promise<void> {
  try {
    await done.delete(await invocation);
  } catch (error) {
    logger.warn('event source failed', { queue: queueName, error });
  }
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
