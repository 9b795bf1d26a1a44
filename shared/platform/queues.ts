/**
 * The queues and their settings, as data: the infrastructure and the embedded stack both make them from this. Names are
 * deterministic, so a URL is made from a shard number and no list of queues is kept anywhere.
 */
export interface QueueDefinition {
  readonly name: string;
  readonly fifo: boolean;
  readonly visibilityTimeoutSeconds: number;
  readonly retentionSeconds: number;
  /** The queue for messages that were received too often, and how often that is. */
  readonly deadLetter: { readonly name: string; readonly maxReceiveCount: number } | undefined;
}

/**
 * The size of the largest message that SQS accepts, body and attributes, in bytes; all messages of one batch call
 * together may have as much.
 */
export const MESSAGE_BYTES = 1_048_576;

/**
 * The times of a function that is fed from a queue. A function that died holds what it had until the visibility timeout
 * is over; with a poll and what has come meanwhile the work goes on within 45 s. The function ends before, so that two
 * runs never have the same message in their hands: its timeout has room for a webhook (10 s) and two store calls at their
 * longest, and the difference for the time between the poll and the call of the function.
 */
export const functionTimes = { timeoutSeconds: 20, visibilitySeconds: 30 } as const;
/**
 * How long a record of facts is tried before it goes to the dead letters, in seconds: a store may be away for as long.
 * What no try can record is set aside at once.
 */
const FACTS_TRIED_FOR_SECONDS = 24 * 60;

/**
 * High throughput: SQS deduplicates and counts calls for each group by itself, and not 300 calls a second for the whole
 * queue. Each deduplication id is used under one group only, so a narrower deduplication changes nothing.
 */
export const fifoThroughput = {
  DeduplicationScope: 'messageGroup',
  FifoThroughputLimit: 'perMessageGroupId',
} as const;

/**
 * The times of the function that fetches files. A file of 2 GiB takes as long at 8 MB a second; AWS wants the visibility
 * timeout to be no shorter than the function's own. `tries` covers most of a day with the pauses between them, and a batch
 * is fetched side by side.
 */
export const mediaTimes = { timeoutSeconds: 300, visibilitySeconds: 330, tries: 12, batchSize: 4 } as const;

const DAY_SECONDS = 86_400;

/** The name of the queue of the commands for a shard's connections, for example `prod-command-0003.fifo`. */
export function commandQueueName(stage: string, shard: number): string {
  return `${stage}-command-${String(shard).padStart(4, '0')}.fifo`;
}

/**
 * The name of a queue of facts, which is named after the events that they become. There is one at first, and later there
 * may be several (`HOLDFAST_EVENT_QUEUES`).
 */
export function eventQueueName(stage: string, queue = 0): string {
  return `${stage}-events-${String(queue).padStart(2, '0')}.fifo`;
}

/** The names of all queues of facts. */
export function eventQueueNames(stage: string, eventQueues: number): readonly string[] {
  return Array.from({ length: eventQueues }, (_, queue) => eventQueueName(stage, queue));
}

/** The place of the queue for the facts of a shard's connections, where there are so many queues. */
export function eventQueueOf(shard: number, eventQueues: number): number {
  return shard % eventQueues;
}

/** The name of the queue of webhook deliveries. */
export function deliveryQueueName(stage: string): string {
  return `${stage}-deliveries`;
}

/** The name of the queue of deliveries to endpoints that take their time (`shared/webhook/slowEndpoint.ts`). */
export function slowDeliveryQueueName(stage: string): string {
  return `${stage}-deliveries-slow`;
}

/** Both queues of deliveries. */
export function deliveryQueueNames(stage: string): readonly string[] {
  return [deliveryQueueName(stage), slowDeliveryQueueName(stage)];
}

/** The name of the queue of files that are to be fetched. */
export function mediaQueueName(stage: string): string {
  return `${stage}-media`;
}

/** All queues of a stage, dead-letter queues first. */
export function queueDefinitions(stage: string, shardCount: number, eventQueues = 1): readonly QueueDefinition[] {
  const commandsDead = `${stage}-command-dead.fifo`;
  const eventsDead = `${stage}-events-dead.fifo`;
  const deliveriesDead = `${stage}-deliveries-dead`;
  const mediaDead = `${stage}-media-dead`;
  const dead = (name: string): QueueDefinition => ({
    name,
    fifo: name.endsWith('.fifo'),
    visibilityTimeoutSeconds: 60,
    retentionSeconds: 14 * DAY_SECONDS,
    deadLetter: undefined,
  });
  return [
    dead(commandsDead),
    dead(eventsDead),
    dead(deliveriesDead),
    dead(mediaDead),
    ...Array.from({ length: shardCount }, (_, shard) => ({
      name: commandQueueName(stage, shard),
      fifo: true,
      visibilityTimeoutSeconds: 30,
      retentionSeconds: 4 * DAY_SECONDS,
      // This number guards against crash loops only; poison is decided by `attempts` on the message row
      // (docs/protocol.md, "Commands").
      deadLetter: { name: commandsDead, maxReceiveCount: 100 },
    })),
    ...eventQueueNames(stage, eventQueues).map((name) => ({
      name,
      fifo: true,
      visibilityTimeoutSeconds: functionTimes.visibilitySeconds,
      retentionSeconds: 14 * DAY_SECONDS,
      deadLetter: {
        name: eventsDead,
        maxReceiveCount: Math.ceil(FACTS_TRIED_FOR_SECONDS / functionTimes.visibilitySeconds),
      },
    })),
    ...deliveryQueueNames(stage).map((name) => ({
      name,
      fifo: false,
      visibilityTimeoutSeconds: functionTimes.visibilitySeconds,
      retentionSeconds: 14 * DAY_SECONDS,
      // This number guards against crash loops only: the function gives a delivery up after the last attempt of its schedule.
      deadLetter: { name: deliveriesDead, maxReceiveCount: 100 },
    })),
    mediaQueue(stage, mediaDead),
  ];
}

function mediaQueue(stage: string, deadLetters: string): QueueDefinition {
  return {
    name: mediaQueueName(stage),
    fifo: false,
    visibilityTimeoutSeconds: mediaTimes.visibilitySeconds,
    retentionSeconds: 4 * DAY_SECONDS,
    // The function gives a file up before, and says why; what comes here it never worked to its end.
    deadLetter: { name: deadLetters, maxReceiveCount: mediaTimes.tries + 8 },
  };
}

/** The name of the queue to which the dead letters of a queue go. Throws when it has none. */
export function deadLetterNameOf(stage: string, name: string, shardCount = 1): string {
  const queue = queueDefinitions(stage, shardCount).find((definition) => definition.name === name);
  if (queue?.deadLetter === undefined) throw new Error(`queue ${name} has no dead-letter queue`);
  return queue.deadLetter.name;
}
