import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type Message,
  type ReceiveMessageCommandInput,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { ContractCase } from './contract.ts';

/** How a queue of a case is set up. A dead-letter queue is made with it. */
export interface NewQueue {
  readonly fifo: boolean;
  readonly visibilitySeconds: number;
  readonly maxReceiveCount?: number;
}

/** What the contract is about: the fake or the emulator, behind the client's `send`, and its time. */
export interface SqsUnderTest {
  readonly send: SQSClient['send'];
  /** Lets time pass. The emulator really waits. */
  readonly elapse: (ms: number) => Promise<void>;
  readonly newQueue: (settings: NewQueue) => Promise<{ readonly url: string; readonly deadUrl: string }>;
}

export type SqsCase = ContractCase<SqsUnderTest>;

/** More than the shortest visibility. */
export const OVER_A_SECOND_MS = 1_050;

const everyAttribute = [
  'MessageGroupId',
  'SequenceNumber',
  'ApproximateReceiveCount',
  'SentTimestamp',
] as const satisfies ReceiveMessageCommandInput['MessageSystemAttributeNames'];

/** A queue of a case, with what a case does with it. */
export class QueueUnderTest {
  readonly url: string;
  readonly deadUrl: string;
  readonly #service: SqsUnderTest;

  constructor(service: SqsUnderTest, urls: { readonly url: string; readonly deadUrl: string }) {
    this.#service = service;
    this.url = urls.url;
    this.deadUrl = urls.deadUrl;
  }

  /** Sends a message whose body is its deduplication id too, unless another is given. */
  send(group: string, body: string, deduplicationId = body) {
    return this.#service.send(
      new SendMessageCommand({
        QueueUrl: this.url,
        MessageBody: body,
        MessageGroupId: group,
        MessageDeduplicationId: deduplicationId,
      }),
    );
  }

  /** Receives at most 10, hidden for the time of the queue. */
  async receive(
    input: Partial<ReceiveMessageCommandInput> = {},
    QueueUrl = this.url,
  ): Promise<readonly (Message & { readonly handle: string })[]> {
    const answer = await this.#service.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        MessageSystemAttributeNames: [...everyAttribute],
        ...input,
      }),
    );
    return (answer.Messages ?? []).map((message) => ({ ...message, handle: message.ReceiptHandle ?? '' }));
  }

  /** Receives, and throws unless there is something. Returns the first. */
  async receiveOne(input: Partial<ReceiveMessageCommandInput> = {}) {
    const [first] = await this.receive({ MaxNumberOfMessages: 1, ...input });
    if (first === undefined) throw new Error('nothing was received');
    return first;
  }

  async receiveBodies(input: Partial<ReceiveMessageCommandInput> = {}): Promise<string> {
    return (await this.receive(input)).map(({ Body }) => Body).join(' ');
  }

  delete(ReceiptHandle: string) {
    return this.#service.send(new DeleteMessageCommand({ QueueUrl: this.url, ReceiptHandle }));
  }

  hide(ReceiptHandle: string, seconds: number) {
    return this.#service.send(
      new ChangeMessageVisibilityCommand({ QueueUrl: this.url, ReceiptHandle, VisibilityTimeout: seconds }),
    );
  }
}

export async function aQueue(service: SqsUnderTest, settings: Partial<NewQueue> = {}): Promise<QueueUnderTest> {
  return new QueueUnderTest(service, await service.newQueue({ fifo: true, visibilitySeconds: 30, ...settings }));
}
