import type { Connection } from '../../shared/connection/connection.ts';
import { shownPace } from '../../shared/connection/pace.ts';
import { readSettings, withDefaults } from '../../shared/connection/settings.ts';
import type { ConnectionId } from '../../shared/kernel/id.ts';
import type { MessageStore } from '../../shared/message/messageStore.ts';
import { LATE_AFTER_MS, oldestWaitingAtMs } from '../../shared/message/waiting.ts';

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
        // The messages of this one wait for WhatsApp or for their pace, as its record says.
        if (isPaced(connection, nowMs)) return [];
        const atMs = await oldestWaitingAtMs(this.#messages, connection);
        return atMs === undefined ? [] : [[connection.connectionId, atMs] as const];
      }),
    );
    this.#oldestAtMs = new Map(found.flat());
  }

  /** The messages that wait on connections which are online; on the others they wait for the connection. */
  of(isOnline: (connectionId: ConnectionId) => boolean, nowMs: number): Waiting {
    const agesMs = [...this.#oldestAtMs]
      .filter(([connectionId]) => isOnline(connectionId))
      .map(([, atMs]) => Math.max(0, nowMs - atMs));
    return { late: agesMs.filter((ageMs) => ageMs > LATE_AFTER_MS).length, longestMs: Math.max(0, ...agesMs) };
  }
}

function isPaced({ pace, settings }: Connection, nowMs: number): boolean {
  return pace !== undefined && shownPace(pace, withDefaults(readSettings(settings)).pace, nowMs).wait !== undefined;
}

/** The sum over several shards. */
export function sumOfWaiting(all: readonly Waiting[]): Waiting {
  return {
    late: all.reduce((sum, { late }) => sum + late, 0),
    longestMs: Math.max(0, ...all.map(({ longestMs }) => longestMs)),
  };
}
