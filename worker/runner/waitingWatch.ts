import type { Connection } from '../../shared/connection/connection.ts';
import { allWait } from '../../shared/connection/pace.ts';
import type { ConnectionId } from '../../shared/kernel/id.ts';
import type { MessageStore } from '../../shared/message/messageStore.ts';
import { LATE_AFTER_MS, oldestWaiting } from '../../shared/message/waiting.ts';

/** The messages that wait on the online connections of a worker. */
export interface Waiting {
  /** The number of connections on which an accepted message has waited for more than a minute. */
  readonly late: number;
  /** For how long the message has waited that has waited longest, in milliseconds; 0 when none waits. */
  readonly longestMs: number;
}

/**
 * Knows, for the connections of one shard, since when the message waits that has waited longest. It looks where the
 * records say that something is parked, so a shard without a backlog costs nothing. The size of the shard bounds it.
 */
export class WaitingWatch {
  readonly #messages: Pick<MessageStore, 'listParked'>;
  #oldestAtMs: ReadonlyMap<ConnectionId, number> = new Map();

  constructor(messages: Pick<MessageStore, 'listParked'>) {
    this.#messages = messages;
  }

  /**
   * Looks at the oldest waiting messages. Rejects when the store does not answer; earlier knowledge stays.
   * @param listed the records of the shard
   */
  async look(listed: readonly Connection[], nowMs: number): Promise<void> {
    const found = await Promise.all(
      listed.map(async (connection) => {
        // All messages of this one wait for WhatsApp, as its record says.
        if (connection.pace !== undefined && allWait(connection.pace, nowMs) !== undefined) return [];
        const oldest = await oldestWaiting(this.#messages, connection);
        return oldest === undefined ? [] : [[connection.connectionId, oldest.sinceMs] as const];
      }),
    );
    this.#oldestAtMs = new Map(found.flat());
  }

  /**
   * The messages that wait on connections which are online; on the others they wait for the connection.
   * @param sinceOf since when a message waits that should have left, of a connection with messages that wait since a given time
   */
  of(sinceOf: (connectionId: ConnectionId, parkedSinceMs: number) => number | undefined, nowMs: number): Waiting {
    const agesMs = [...this.#oldestAtMs].flatMap(([connectionId, parkedSinceMs]) => {
      const sinceMs = sinceOf(connectionId, parkedSinceMs);
      return sinceMs === undefined ? [] : [Math.max(0, nowMs - sinceMs)];
    });
    return { late: agesMs.filter((ageMs) => ageMs > LATE_AFTER_MS).length, longestMs: Math.max(0, ...agesMs) };
  }
}

/** The sum over several shards. */
export function sumOfWaiting(all: readonly Waiting[]): Waiting {
  return {
    late: all.reduce((sum, { late }) => sum + late, 0),
    longestMs: Math.max(0, ...all.map(({ longestMs }) => longestMs)),
  };
}
