import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  MessageNotInflight,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSServiceException,
  type Message,
} from '@aws-sdk/client-sqs';

export interface FakeQueue {
  readonly url: string;
  readonly visibilitySeconds: number;
  readonly deadLetter?: { readonly url: string; readonly maxReceiveCount: number };
}

/** One message in a queue. */
export interface FakeMessage {
  readonly id: string;
  readonly group: string;
  readonly body: string;
  readonly sequence: number;
  readonly sentAtMs: number;
  readonly receives: number;
  /** Hidden until then; 0 when it was never received. */
  readonly hiddenUntilMs: number;
  /** Of the newest receive; older handles are superseded. */
  readonly handle: string | undefined;
}

interface Queue extends FakeQueue {
  messages: FakeMessage[];
  readonly sent: Map<string, { readonly atMs: number; readonly id: string; readonly sequence: number }>;
}

const DEDUPLICATION_MS = 5 * 60_000;
const MOST = 10;

/**
 * SQS FIFO queues in memory, with time as an argument. It keeps AWS's rules: order within a group; up to ten messages of one
 * group in a receive; a group with a message in flight is locked; deduplication for five minutes; a handle that was
 * superseded or whose visibility is over is refused; who is received too often goes to the dead letters. Messages do not
 * age: retention is not modelled. A receive does not wait: that is for whoever has a clock.
 */
export class FakeSqs {
  readonly #queues = new Map<string, Queue>();
  #sequence = 0;

  createQueue(queue: FakeQueue): void {
    this.#queues.set(queue.url, { ...queue, messages: [], sent: new Map() });
  }

  messages(url: string): readonly FakeMessage[] {
    return this.#queue(url).messages;
  }

  /** Applies a command. Throws the SDK's own exceptions. */
  apply(command: unknown, nowMs: number): unknown {
    if (command instanceof SendMessageCommand) return this.#send(command.input, nowMs);
    if (command instanceof ReceiveMessageCommand) return this.#receive(command.input, nowMs);
    if (command instanceof DeleteMessageCommand) return this.#delete(command.input, nowMs);
    if (command instanceof ChangeMessageVisibilityCommand) return this.#hide(command.input, nowMs);
    throw new Error(`the fake does not know ${(command as object).constructor.name}`);
  }

  /** When a receive could answer something, at the earliest; undefined while there is nothing that could come. */
  nextVisibleAtMs(url: string, nowMs: number): number | undefined {
    const { messages } = this.#queue(url);
    const lockedUntil = new Map<string, number>();
    for (const { group, hiddenUntilMs } of messages) {
      lockedUntil.set(group, Math.max(lockedUntil.get(group) ?? 0, hiddenUntilMs));
    }
    const times = [...lockedUntil.values()].map((untilMs) => Math.max(untilMs, nowMs));
    return times.length === 0 ? undefined : Math.min(...times);
  }

  #send(input: SendMessageCommand['input'], nowMs: number) {
    const queue = this.#queue(input.QueueUrl);
    const key = input.MessageDeduplicationId ?? '';
    if (key === '' || input.MessageGroupId === undefined) throw new Error('a FIFO queue needs a group and an id');
    const earlier = queue.sent.get(key);
    if (earlier !== undefined && nowMs - earlier.atMs < DEDUPLICATION_MS) {
      return { MessageId: earlier.id, SequenceNumber: toSequenceNumber(earlier.sequence) };
    }
    const sequence = (this.#sequence += 1);
    const id = `message-${sequence}`;
    queue.sent.set(key, { atMs: nowMs, id, sequence });
    queue.messages.push({
      id,
      group: input.MessageGroupId,
      body: input.MessageBody ?? '',
      sequence,
      sentAtMs: nowMs,
      receives: 0,
      hiddenUntilMs: 0,
      handle: undefined,
    });
    return { MessageId: id, SequenceNumber: toSequenceNumber(sequence) };
  }

  #receive(input: ReceiveMessageCommand['input'], nowMs: number) {
    const queue = this.#queue(input.QueueUrl);
    const hideMs = (input.VisibilityTimeout ?? queue.visibilitySeconds) * 1_000;
    const most = Math.min(input.MaxNumberOfMessages ?? 1, MOST);
    this.#bury(queue, nowMs);
    const locked = new Set(
      queue.messages.filter(({ hiddenUntilMs }) => hiddenUntilMs > nowMs).map(({ group }) => group),
    );
    const taken = new Set<FakeMessage>();
    // As many of one group as there are, before the next group begins.
    const groups = [...new Set(queue.messages.map(({ group }) => group))].filter((group) => !locked.has(group));
    for (const group of groups) {
      for (const message of queue.messages) {
        if (taken.size >= most) break;
        if (message.group === group) taken.add(message);
      }
    }
    queue.messages = queue.messages.map((message) =>
      taken.has(message)
        ? {
            ...message,
            receives: message.receives + 1,
            hiddenUntilMs: nowMs + hideMs,
            handle: `${message.id}:${message.receives + 1}`,
          }
        : message,
    );
    const ids = new Set([...taken].map(({ id }) => id));
    const received = queue.messages.filter(({ id }) => ids.has(id)).map(toMessage);
    return received.length === 0 ? {} : { Messages: received };
  }

  /** What was received too often is not given out again, unless it is held up by one of its group that is in flight. */
  #bury(queue: Queue, nowMs: number): void {
    const { deadLetter } = queue;
    if (deadLetter === undefined) return;
    const isDead = ({ receives, hiddenUntilMs }: FakeMessage): boolean =>
      receives >= deadLetter.maxReceiveCount && hiddenUntilMs <= nowMs;
    const dead = queue.messages.filter(isDead);
    if (dead.length === 0) return;
    queue.messages = queue.messages.filter((message) => !isDead(message));
    this.#queue(deadLetter.url).messages.push(
      ...dead.map((message) => ({ ...message, receives: 0, hiddenUntilMs: 0 })),
    );
  }

  #delete(input: DeleteMessageCommand['input'], nowMs: number) {
    const queue = this.#queue(input.QueueUrl);
    const [id] = (input.ReceiptHandle ?? '').split(':');
    const message = queue.messages.find((found) => found.id === id);
    // Deleting what is gone succeeds.
    if (message === undefined) return {};
    if (message.handle !== input.ReceiptHandle || message.hiddenUntilMs <= nowMs) throw expired();
    queue.messages = queue.messages.filter((found) => found.id !== id);
    return {};
  }

  #hide(input: ChangeMessageVisibilityCommand['input'], nowMs: number) {
    const queue = this.#queue(input.QueueUrl);
    const [id] = (input.ReceiptHandle ?? '').split(':');
    const message = queue.messages.find((found) => found.id === id);
    if (message === undefined || message.handle !== input.ReceiptHandle || message.hiddenUntilMs <= nowMs) {
      throw new MessageNotInflight({ message: 'the message is not in flight', $metadata: {} });
    }
    const hiddenUntilMs = nowMs + (input.VisibilityTimeout ?? 0) * 1_000;
    queue.messages = queue.messages.map((found) => (found.id === id ? { ...found, hiddenUntilMs } : found));
    return {};
  }

  #queue(url: string | undefined): Queue {
    const queue = this.#queues.get(url ?? '');
    if (queue === undefined) throw new Error(`there is no queue ${url}`);
    return queue;
  }
}

function toSequenceNumber(sequence: number): string {
  return String(sequence).padStart(20, '0');
}

function toMessage({ id, body, group, sequence, receives, sentAtMs, handle }: FakeMessage): Message {
  return {
    MessageId: id,
    Body: body,
    ReceiptHandle: handle ?? '',
    Attributes: {
      MessageGroupId: group,
      SequenceNumber: toSequenceNumber(sequence),
      ApproximateReceiveCount: String(receives),
      SentTimestamp: String(sentAtMs),
    },
  };
}

/** Source: SQS API reference, DeleteMessage: on FIFO queues an expired handle is refused. */
function expired(): SQSServiceException {
  return new SQSServiceException({
    name: 'InvalidParameterValue',
    $fault: 'client',
    $metadata: {},
    message: 'The receipt handle has expired',
  });
}
