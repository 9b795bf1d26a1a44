import { join } from 'node:path';
import { makeFolder } from './folders.ts';
import { QueueJournal } from './queueJournal.ts';
import type { Hiding, KeptMessage, KeptQueue } from './queueRecords.ts';

/** A queue of fauxqs, as far as it is kept. */
interface Queue extends KeptQueue {
  persistence: unknown;
  readonly inflightMessages: Map<
    string,
    { readonly message: KeptMessage; readonly receiptHandle: string; readonly visibilityDeadline: number }
  >;
  readonly fifoLockedGroups: Map<string, number>;
  readonly enqueue: (message: KeptMessage) => void;
  readonly isFifo: () => boolean;
}

/** What holds the queues of fauxqs. */
export interface QueueStore {
  persistence?: unknown;
  readonly createQueue: (name: string, url: string, arn: string, attributes: KeptQueue['attributes']) => Queue;
  readonly allQueues: () => Iterable<Queue>;
}

/** Puts into a new store what the journal of a folder holds, and lets the journal know of all that happens in it. */
export function keepQueues(store: QueueStore, folder: string): QueueJournal {
  makeFolder(folder);
  const journal = new QueueJournal(join(folder, 'journal'));
  restore(store, journal, Date.now());
  // A store that knows where it is kept would add every restored message again.
  const persistence = toRecords(journal);
  for (const one of [store, ...store.allQueues()]) one.persistence = persistence;
  return journal;
}

function restore(store: QueueStore, { kept }: QueueJournal, nowMs: number): void {
  for (const { name, url, arn, attributes, ...rest } of kept.queues.values()) {
    Object.assign(store.createQueue(name, url, arn, attributes), rest);
  }
  const queues = new Map(Array.from(store.allQueues(), (queue) => [queue.name, queue]));
  for (const { queue, message, hiding } of kept.messages.values()) place(queues.get(queue), message, hiding, nowMs);
}

function place(queue: Queue | undefined, message: KeptMessage, hiding: Hiding | undefined, nowMs: number): void {
  if (queue === undefined) return;
  if (hiding === undefined || hiding.untilMs <= nowMs) return queue.enqueue(message);
  const { handle, untilMs } = hiding;
  queue.inflightMessages.set(handle, { message, receiptHandle: handle, visibilityDeadline: untilMs });
  const group = message.messageGroupId;
  if (group === undefined || !queue.isFifo()) return;
  queue.fifoLockedGroups.set(group, (queue.fifoLockedGroups.get(group) ?? 0) + 1);
}

/** What fauxqs calls when something changes. All of it is called within the turn of the change. */
function toRecords(journal: QueueJournal) {
  return {
    insertQueue: ({ name, url, arn, attributes, createdTimestamp, lastModifiedTimestamp, sequenceCounter }: Queue) =>
      journal.add(['queue', { name, url, arn, attributes, createdTimestamp, lastModifiedTimestamp, sequenceCounter }]),
    deleteQueue: (name: string) => journal.add(['no queue', name]),
    updateQueueAttributes: (name: string, attributes: KeptQueue['attributes'], modifiedAt: number) =>
      journal.add(['set', name, attributes, modifiedAt]),
    // The message that gets the number comes in the same turn, and tells it.
    updateQueueSequenceCounter: () => undefined,
    insertMessage: (queue: string, message: KeptMessage) => journal.add(['message', queue, message]),
    deleteMessage: (messageId: string) => journal.add(['gone', messageId]),
    updateMessageInflight: (
      messageId: string,
      handle: string,
      untilMs: number,
      receives: number,
      firstReceivedMs: number,
    ) => journal.add(['hidden', messageId, { handle, untilMs }, receives, firstReceivedMs]),
    updateMessageReady: (messageId: string) => journal.add(['shown', messageId]),
    deleteQueueMessages: (queue: string) => journal.add(['emptied', queue]),
  };
}
