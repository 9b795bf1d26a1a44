import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { letterKinds, type LetterKind } from '../shared/deadLetters/deadLetter.ts';
import { queueDefinitions } from '../shared/platform/queues.ts';
import { inTurns } from './inTurns.ts';

/** Messages in the queues of one kind. SQS counts them approximately. */
export interface QueueDepth {
  readonly kind: LetterKind;
  readonly queues: number;
  readonly waiting: number;
  /** The number of messages that are received and not yet deleted. */
  readonly inFlight: number;
  readonly dead: number;
}

export interface QueuePlace {
  readonly queue: SQSClient;
  readonly stage: string;
  readonly queueUrlBase: string;
}

/** The number of requests under way at once. */
const AT_ONCE = 16;

/** Reads the depth of every queue of a stage. Rejects when one of them is not there or cannot be reached. */
export async function readQueueDepths(
  place: QueuePlace,
  shardCount: number,
  eventQueues = 1,
): Promise<readonly QueueDepth[]> {
  const read = await inTurns(queueDefinitions(place.stage, shardCount, eventQueues), AT_ONCE, async ({ name }) => ({
    kind: kindOf(place.stage, name),
    isDead: name.includes('-dead'),
    ...(await depthOf(place, name)),
  }));
  return letterKinds.map((kind) => {
    const ours = read.filter((queue) => queue.kind === kind);
    const alive = ours.filter(({ isDead }) => !isDead);
    return {
      kind,
      queues: alive.length,
      waiting: sum(alive.map(({ waiting }) => waiting)),
      inFlight: sum(alive.map(({ inFlight }) => inFlight)),
      dead: sum(ours.filter(({ isDead }) => isDead).map(({ waiting, inFlight }) => waiting + inFlight)),
    };
  });
}

/** How many messages wait in one queue and how many are in flight. */
export async function depthOf(
  { queue, queueUrlBase }: QueuePlace,
  name: string,
): Promise<{ readonly waiting: number; readonly inFlight: number }> {
  const { Attributes = {} } = await queue.send(
    new GetQueueAttributesCommand({ QueueUrl: `${queueUrlBase}${name}`, AttributeNames: ['All'] }),
  );
  const count = (attribute: string): number => Number((Attributes as Record<string, string>)[attribute] ?? 0);
  return {
    waiting: count('ApproximateNumberOfMessages') + count('ApproximateNumberOfMessagesDelayed'),
    inFlight: count('ApproximateNumberOfMessagesNotVisible'),
  };
}

function kindOf(stage: string, name: string): LetterKind {
  if (name.startsWith(`${stage}-command-`)) return 'commands';
  if (name.startsWith(`${stage}-events-`)) return 'events';
  return name.startsWith(`${stage}-media`) ? 'media' : 'deliveries';
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
