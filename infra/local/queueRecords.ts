/** What the queue emulator must have again after a restart, as records that follow one another. */

/** A message, with the names that fauxqs has for its parts. */
export interface KeptMessage {
  readonly messageId: string;
  readonly messageGroupId?: string;
  readonly sequenceNumber?: string;
  approximateReceiveCount: number;
  approximateFirstReceiveTimestamp?: number;
}

export interface KeptQueue {
  readonly name: string;
  readonly url: string;
  readonly arn: string;
  attributes: Readonly<Record<string, string>>;
  readonly createdTimestamp: number;
  lastModifiedTimestamp: number;
  /** The last sequence number that was given to a message. */
  sequenceCounter: number;
}

/** The receive that a message is hidden by, until a time in milliseconds since 1970. */
export interface Hiding {
  readonly handle: string;
  readonly untilMs: number;
}

export type QueueRecord =
  | readonly ['queue', KeptQueue]
  | readonly ['set', queue: string, attributes: KeptQueue['attributes'], modifiedAt: number]
  | readonly ['no queue', queue: string]
  | readonly ['emptied', queue: string]
  | readonly ['message', queue: string, KeptMessage]
  | readonly ['hidden', messageId: string, Hiding, receives: number, firstReceivedMs: number]
  | readonly ['shown', messageId: string]
  | readonly ['gone', messageId: string];

interface Placed {
  readonly queue: string;
  readonly message: KeptMessage;
  hiding: Hiding | undefined;
}

/**
 * What all records together say, so it grows with the messages that wait. The messages and queues are the objects that
 * came with the records, not copies.
 */
export class KeptQueues {
  readonly queues = new Map<string, KeptQueue>();
  readonly messages = new Map<string, Placed>();

  take(record: QueueRecord): void {
    switch (record[0]) {
      case 'queue':
        this.queues.set(record[1].name, record[1]);
        // A queue that is made is empty.
        return this.#empty(record[1].name);
      case 'set': {
        const queue = this.queues.get(record[1]);
        if (queue === undefined) return;
        queue.attributes = record[2];
        queue.lastModifiedTimestamp = record[3];
        return;
      }
      case 'no queue':
        this.queues.delete(record[1]);
        return this.#empty(record[1]);
      case 'emptied':
        return this.#empty(record[1]);
      case 'message': {
        const [, queue, message] = record;
        const kept = this.queues.get(queue);
        if (kept === undefined) return;
        this.messages.set(message.messageId, { queue, message, hiding: undefined });
        kept.sequenceCounter = Math.max(kept.sequenceCounter, Number(message.sequenceNumber ?? 0));
        return;
      }
      case 'hidden': {
        const placed = this.messages.get(record[1]);
        if (placed === undefined) return;
        placed.hiding = record[2];
        placed.message.approximateReceiveCount = record[3];
        placed.message.approximateFirstReceiveTimestamp = record[4];
        return;
      }
      case 'shown': {
        const placed = this.messages.get(record[1]);
        if (placed !== undefined) placed.hiding = undefined;
        return;
      }
      case 'gone':
        this.messages.delete(record[1]);
    }
  }

  /** The fewest records that say the same. */
  *records(): Generator<QueueRecord> {
    for (const queue of this.queues.values()) yield ['queue', queue];
    for (const { queue, message, hiding } of this.messages.values()) {
      yield ['message', queue, message];
      if (hiding === undefined) continue;
      const { messageId, approximateReceiveCount, approximateFirstReceiveTimestamp = 0 } = message;
      yield ['hidden', messageId, hiding, approximateReceiveCount, approximateFirstReceiveTimestamp];
    }
  }

  #empty(queue: string): void {
    for (const [id, placed] of this.messages) if (placed.queue === queue) this.messages.delete(id);
  }
}
