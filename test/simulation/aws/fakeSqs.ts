import {
  BatchEntryIdsNotDistinct,
  BatchRequestTooLong,
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  EmptyBatchRequest,
  MessageNotInflight,
  QueueDoesNotExist,
  ReceiptHandleIsInvalid,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSServiceException,
  TooManyEntriesInBatchRequest,
  type Message,
} from '@aws-sdk/client-sqs';
import type { CountedCall } from './throughput.ts';
import { FakeQueue, type FakeMessage, type FakeQueueSettings } from './fakeQueue.ts';

const MOST = 10;
const MOST_BYTES = 1_048_576;
const LONGEST_VISIBILITY_SECONDS = 12 * 3_600;
const metadata = { $metadata: {} } as const;

interface Sending {
  readonly MessageBody?: string | undefined;
  readonly MessageGroupId?: string | undefined;
  readonly MessageDeduplicationId?: string | undefined;
  readonly DelaySeconds?: number | undefined;
  readonly MessageAttributes?: object | undefined;
  readonly MessageSystemAttributes?: object | undefined;
}

/** Characters that SQS takes in a body. */
const TAKEN = /^[\t\n\r -\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;

/**
 * SQS in memory, with time as an argument that must not go back. It keeps AWS's rules for FIFO queues: order within a group;
 * up to ten messages in a receive, of one group as many as there are; a group with a message in flight gives none;
 * deduplication for five minutes; a handle that was superseded or is over is refused; what is received too often goes to
 * the dead letters; calls above 300 a second of a queue, or with high throughput of a group, are throttled. A receive
 * does not wait: that is for whoever has a clock. Messages do not age, so the retention of
 * days is not modelled. Queues without order are simpler here than in AWS: in order, and each message once.
 */
export class FakeSqs {
  readonly #queues = new Map<string, FakeQueue>();
  #sequence = 0;

  createQueue(settings: FakeQueueSettings): void {
    this.#queues.set(settings.url, new FakeQueue(settings));
  }

  /** Applies a command. Throws the SDK's own exceptions. */
  apply(command: unknown, nowMs: number): unknown {
    if (command instanceof SendMessageCommand) {
      this.#count('send', command.input.QueueUrl, [command.input], nowMs);
      return { ...this.#send(this.#queue(command.input.QueueUrl), command.input, nowMs), ...metadata };
    }
    if (command instanceof SendMessageBatchCommand) return this.#sendBatch(command.input, nowMs);
    if (command instanceof ReceiveMessageCommand) return this.#receive(command.input, nowMs);
    if (command instanceof DeleteMessageCommand) {
      this.#count('delete', command.input.QueueUrl, [command.input], nowMs);
      return this.#delete(command.input, nowMs);
    }
    if (command instanceof ChangeMessageVisibilityCommand) return this.#setVisibility(command.input, nowMs);
    if (command instanceof DeleteMessageBatchCommand) {
      const { QueueUrl, Entries = [] } = command.input;
      checkEntries(Entries);
      this.#count('delete', QueueUrl, Entries, nowMs);
      return eachEntry(Entries, (entry) => this.#delete({ ...entry, QueueUrl }, nowMs));
    }
    if (command instanceof ChangeMessageVisibilityBatchCommand) {
      const { QueueUrl, Entries = [] } = command.input;
      checkEntries(Entries);
      return eachEntry(Entries, (entry) =>
        this.#setVisibility({ ...entry, QueueUrl, VisibilityTimeout: entry.VisibilityTimeout }, nowMs),
      );
    }
    throw new Error(`the fake does not know ${(command as object).constructor.name}`);
  }

  /** When a receive could answer something, at the earliest; undefined while nothing could come without a send. */
  nextVisibleAtMs(url: string, nowMs: number): number | undefined {
    return this.#queue(url).nextVisibleAtMs(nowMs);
  }

  /** Messages in a queue, those in flight included. */
  depth(url: string): number {
    return this.#queue(url).depth;
  }

  /** Messages in a queue, those in flight included, in the order in which they were sent. */
  messages(url: string): readonly FakeMessage[] {
    return this.#queue(url).messages();
  }

  #send(queue: FakeQueue, input: Sending, nowMs: number) {
    const { MessageBody: body, MessageGroupId: group, MessageDeduplicationId: deduplicationId } = input;
    if (input.DelaySeconds || input.MessageAttributes || input.MessageSystemAttributes) {
      throw new Error('the fake knows no delay and no attributes of a message');
    }
    if (!body) throw refusal('MissingParameter', 'The request must contain the parameter MessageBody.');
    if (!TAKEN.test(body)) throw refusal('InvalidMessageContents', 'Invalid characters found.');
    if (queue.fifo) checkFifo(input);
    else if (group !== undefined || deduplicationId !== undefined) {
      throw new Error('the fake knows groups and deduplication in FIFO queues only');
    }
    const known = queue.duplicateOf({ deduplicationId, group }, nowMs);
    if (known !== undefined) return { MessageId: known.id, SequenceNumber: toSequenceNumber(known.sequence) };
    const sequence = (this.#sequence += 1);
    const id = `message-${sequence}`;
    queue.send({ id, body, group, deduplicationId, sequence, sentAtMs: nowMs });
    return { MessageId: id, ...(queue.fifo ? { SequenceNumber: toSequenceNumber(sequence) } : {}) };
  }

  #sendBatch({ QueueUrl, Entries = [] }: SendMessageBatchCommand['input'], nowMs: number) {
    const queue = this.#queue(QueueUrl);
    checkEntries(Entries);
    const bytes = Entries.reduce((sum, { MessageBody = '' }) => sum + Buffer.byteLength(MessageBody), 0);
    if (bytes > MOST_BYTES) throw new BatchRequestTooLong({ message: 'The batch is too long', ...metadata });
    this.#count('send', QueueUrl, Entries, nowMs);
    return eachEntry(Entries, (entry) => this.#send(queue, entry, nowMs));
  }

  /** How often a queue has refused a call for being one too many. */
  throttled(url: string): number {
    return this.#queue(url).throughput?.throttled ?? 0;
  }

  #count(
    kind: CountedCall,
    url: string | undefined,
    about: readonly { readonly MessageGroupId?: string | undefined; readonly ReceiptHandle?: string | undefined }[],
    nowMs: number,
  ): void {
    const queue = this.#queue(url);
    const groups = about.map(({ MessageGroupId, ReceiptHandle }) =>
      ReceiptHandle === undefined ? MessageGroupId : queue.find(groupHandleId(ReceiptHandle))?.group,
    );
    queue.throughput?.count(
      kind,
      groups.filter((group) => group !== undefined),
      nowMs,
    );
  }

  #receive(input: ReceiveMessageCommand['input'], nowMs: number) {
    const queue = this.#queue(input.QueueUrl);
    const { MaxNumberOfMessages: most = 1, VisibilityTimeout: seconds = queue.settings.visibilitySeconds } = input;
    if (most < 1 || most > MOST)
      throw refusal('InvalidParameterValue', 'MaxNumberOfMessages must be between 1 and 10.');
    checkVisibility(seconds);
    this.#count('receive', input.QueueUrl, [], nowMs);
    const received = queue.receive(most, seconds * 1_000, nowMs, (dead) => this.#bury(queue, dead, nowMs));
    if (received.length === 0) return metadata;
    const asked = new Set<string>([...(input.MessageSystemAttributeNames ?? []), ...(input.AttributeNames ?? [])]);
    return { Messages: received.map((message) => toMessage(message, asked)), ...metadata };
  }

  /** Moves a message to the dead letters, where its group is the same and it begins anew. */
  #bury(queue: FakeQueue, message: FakeMessage, nowMs: number): void {
    const sequence = (this.#sequence += 1);
    this.#queue(queue.settings.deadLetter?.url).add({ ...message, sequence, sentAtMs: nowMs });
  }

  #delete({ QueueUrl, ReceiptHandle }: DeleteMessageCommand['input'], nowMs: number) {
    const queue = this.#queue(QueueUrl);
    const message = queue.find(idOf(ReceiptHandle));
    // A delete of a message that is gone succeeds.
    if (message === undefined) return metadata;
    const isNewest = message.handle === ReceiptHandle;
    if (queue.fifo && (!isNewest || message.hiddenUntilMs <= nowMs)) throw expiredHandle(ReceiptHandle);
    // A standard queue accepts an older handle, and need not delete anything.
    if (isNewest) queue.remove(message.id);
    return metadata;
  }

  #setVisibility(input: ChangeMessageVisibilityCommand['input'], nowMs: number) {
    const queue = this.#queue(input.QueueUrl);
    const { ReceiptHandle: handle, VisibilityTimeout: seconds } = input;
    if (seconds === undefined) {
      throw refusal('MissingParameter', 'The request must contain the parameter VisibilityTimeout.');
    }
    checkVisibility(seconds);
    const message = queue.find(idOf(handle));
    if (message === undefined || message.hiddenUntilMs <= nowMs) {
      throw new MessageNotInflight({ message: 'The specified message is not in flight.', ...metadata });
    }
    if (message.handle !== handle) throw expiredHandle(handle);
    const hiddenUntilMs = nowMs + seconds * 1_000;
    if (hiddenUntilMs > (message.lastReceivedAtMs ?? nowMs) + LONGEST_VISIBILITY_SECONDS * 1_000) {
      throw refusal(
        'InvalidParameterValue',
        'Total VisibilityTimeout for the message is beyond the limit [43200 seconds]',
      );
    }
    queue.setHiddenUntil(message, hiddenUntilMs);
    return metadata;
  }

  #queue(url: string | undefined): FakeQueue {
    const queue = this.#queues.get(url ?? '');
    if (queue !== undefined) return queue;
    throw new QueueDoesNotExist({ message: `The specified queue does not exist: ${url}`, ...metadata });
  }
}

/** What is wrong with a batch call as a whole. */
function checkEntries(entries: readonly { readonly Id: string | undefined }[]): void {
  const ids = entries.map(({ Id = '' }) => Id);
  if (ids.length === 0) throw new EmptyBatchRequest({ message: 'There should be at least one entry', ...metadata });
  if (ids.length > MOST) throw new TooManyEntriesInBatchRequest({ message: 'At most 10 entries', ...metadata });
  if (new Set(ids).size < ids.length) throw new BatchEntryIdsNotDistinct({ message: 'Ids repeat', ...metadata });
}

/** A batch call is taken entry by entry. */
function eachEntry<Entry extends { readonly Id: string | undefined }>(
  entries: readonly Entry[],
  take: (entry: Entry) => object,
) {
  const Successful: object[] = [];
  const Failed: object[] = [];
  for (const entry of entries) {
    try {
      Successful.push({ Id: entry.Id, ...take(entry) });
    } catch (error) {
      if (!(error instanceof SQSServiceException)) throw error;
      Failed.push({ Id: entry.Id, Code: error.name, Message: error.message, SenderFault: true });
    }
  }
  return { Successful, ...(Failed.length === 0 ? {} : { Failed }), ...metadata };
}

function checkFifo({ MessageGroupId, MessageDeduplicationId }: Sending): void {
  if (!MessageGroupId) throw refusal('MissingParameter', 'The request must contain the parameter MessageGroupId.');
  if (!MessageDeduplicationId) {
    throw refusal(
      'InvalidParameterValue',
      'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
    );
  }
}

function checkVisibility(seconds: number): void {
  if (seconds >= 0 && seconds <= LONGEST_VISIBILITY_SECONDS) return;
  throw refusal('InvalidParameterValue', 'VisibilityTimeout must be between 0 and 43200.');
}

/** The message that a handle names, if it is one. */
function groupHandleId(handle: string): string {
  return handle.slice(0, Math.max(0, handle.indexOf(':')));
}

function idOf(handle: string | undefined): string {
  const [, id] = /^(message-\d+):\d+$/.exec(handle ?? '') ?? [];
  if (id !== undefined) return id;
  throw new ReceiptHandleIsInvalid({ message: 'The input receipt handle is invalid.', ...metadata });
}

function toSequenceNumber(sequence: number): string {
  return String(sequence).padStart(20, '0');
}

function toMessage(message: FakeMessage, asked: ReadonlySet<string>): Message {
  const { id, body, group, deduplicationId, sequence, receives, sentAtMs, firstReceivedAtMs, handle = '' } = message;
  const all: readonly (readonly [string, string | undefined])[] = [
    ['MessageGroupId', group],
    ['MessageDeduplicationId', deduplicationId],
    ['SequenceNumber', group === undefined ? undefined : toSequenceNumber(sequence)],
    ['ApproximateReceiveCount', String(receives)],
    ['ApproximateFirstReceiveTimestamp', String(firstReceivedAtMs)],
    ['SentTimestamp', String(sentAtMs)],
  ];
  const given = all.filter(([name, value]) => value !== undefined && (asked.has('All') || asked.has(name)));
  return {
    MessageId: id,
    Body: body,
    ReceiptHandle: handle,
    ...(given.length === 0 ? {} : { Attributes: Object.fromEntries(given) }),
  };
}

/** What has no class in the SDK, or one that AWS does not use for it. */
function refusal(
  name: 'InvalidMessageContents' | 'InvalidParameterValue' | 'MissingParameter',
  message: string,
): SQSServiceException {
  return new SQSServiceException({ name, $fault: 'client', message, ...metadata });
}

/** Source: SQS API reference and answers of AWS: only in FIFO queues. */
function expiredHandle(handle: string | undefined): SQSServiceException {
  return refusal(
    'InvalidParameterValue',
    `Value ${handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.`,
  );
}
