import {
  ChangeMessageVisibilityBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  type Message,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { Surroundings } from '../platform/surroundings.ts';
import { BATCH_ENTRIES, entryId } from '../platform/queueBatch.ts';
import { deadQueueOf, toDeadLetter, type DeadLetter, type LetterKind } from './deadLetter.ts';

export interface LetterDependencies extends Pick<Surroundings, 'clock' | 'logger'> {
  readonly queue: SQSClient;
  readonly stage: string;
  readonly queueUrlBase: string;
}

/** A letter that is received and not deleted, so that nobody else sees it. */
export interface LetterInHand {
  readonly letter: DeadLetter;
  readonly message: Message;
}

/**
 * How long a received letter is hidden, in seconds: longer than a request that looks at letters can take, so that none
 * comes twice in it. If the process dies meanwhile, its letters are seen again after this time.
 */
const HIDDEN_SECONDS = 45;
/** How long one look through a queue may take, in milliseconds; the function has 29 s, and what is found is then worked. */
const LOOK_MS = 12_000;
/** How long a receive waits where there is nothing, in seconds: a receive that does not wait asks only some of SQS's machines. */
const WAIT_SECONDS = 1;

/** The URL of the queue with the dead letters of a kind. */
export function deadUrlOf({ stage, queueUrlBase }: Omit<LetterDependencies, 'queue'>, kind: LetterKind): string {
  return `${queueUrlBase}${deadQueueOf(kind, stage)}`;
}

/** The number of dead letters of a kind, those that are hidden included. SQS counts approximately. */
export async function countLetters(dependencies: LetterDependencies, kind: LetterKind): Promise<number> {
  const { Attributes = {} } = await dependencies.queue.send(
    new GetQueueAttributesCommand({
      QueueUrl: deadUrlOf(dependencies, kind),
      AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    }),
  );
  const { ApproximateNumberOfMessages: seen = '0', ApproximateNumberOfMessagesNotVisible: hidden = '0' } = Attributes;
  return Number(seen) + Number(hidden);
}

/**
 * Takes dead letters of a kind into the hand, some at a time and at most so many, until none is left to see or the time is over. SQS shows a
 * letter only by giving it out: each stays hidden from everybody else until it is deleted or let go. No queue of dead letters
 * counts how often it gave one out, so looking costs no letter anything.
 *
 * A queue with groups gives out of a group only what stands at its head, and the rest when that is gone.
 */
export async function* takeLetters(
  dependencies: LetterDependencies,
  kind: LetterKind,
  most: number,
): AsyncGenerator<readonly LetterInHand[]> {
  const { queue, clock } = dependencies;
  const QueueUrl = deadUrlOf(dependencies, kind);
  const untilMs = clock.monotonicMs() + LOOK_MS;
  for (let taken = 0; taken < most && clock.monotonicMs() < untilMs;) {
    const { Messages = [] } = await queue.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: Math.min(BATCH_ENTRIES, most - taken),
        VisibilityTimeout: HIDDEN_SECONDS,
        WaitTimeSeconds: WAIT_SECONDS,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
    );
    if (Messages.length === 0) return;
    taken += Messages.length;
    yield Messages.map((message) => ({ letter: toDeadLetter(kind, message), message }));
  }
}

/**
 * Lets letters go, so that they are seen again at once. Never rejects: those that could not be let go are seen again
 * {@link HIDDEN_SECONDS} after they were received.
 *
 * The last one is let go first: a queue with groups puts each in front of what it has.
 */
export async function letGo(
  dependencies: LetterDependencies,
  kind: LetterKind,
  letters: readonly LetterInHand[],
): Promise<void> {
  const { queue, logger } = dependencies;
  const handles = letters.map(({ message }) => message.ReceiptHandle).toReversed();
  for (let from = 0; from < handles.length; from += BATCH_ENTRIES) {
    const Entries = handles
      .slice(from, from + BATCH_ENTRIES)
      .map((ReceiptHandle, place) => ({ Id: entryId(place), ReceiptHandle, VisibilityTimeout: 0 }));
    await queue
      .send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: deadUrlOf(dependencies, kind), Entries }))
      .catch((error: unknown) => logger.warn('dead letters stay hidden for a while', { queue: kind, error }));
  }
}
