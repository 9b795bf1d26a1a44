import { CHAT_PARTS, CHAT_PREFIX, chatPartition } from '../platform/chatKeys.ts';
import { CONTACT_NUMBER_PREFIX, CONTACT_PREFIX, contactPartition } from '../platform/contactKeys.ts';
import { historyPartition, PAST_CHAT_PREFIX } from '../platform/historyKeys.ts';
import { MESSAGE_PREFIX, messagePartition } from '../platform/keys.ts';
import type { ConnectionId } from '../kernel/id.ts';

/** A stretch of rows of a connection. Those of the history are the chats of it: what is read there are their sheets. */
export interface Section {
  readonly holds: 'messages' | 'chats' | 'contacts' | 'numbers' | 'history';
  readonly partition: (connectionId: ConnectionId) => string;
  readonly prefix: string;
}

/** What a job goes through at each connection, in this order. */
export const sections: readonly Section[] = [
  { holds: 'messages', partition: messagePartition, prefix: MESSAGE_PREFIX },
  ...Array.from({ length: CHAT_PARTS }, (_, part): Section => ({
    holds: 'chats',
    partition: (connectionId) => chatPartition(connectionId, part),
    prefix: CHAT_PREFIX,
  })),
  { holds: 'contacts', partition: contactPartition, prefix: CONTACT_PREFIX },
  { holds: 'numbers', partition: contactPartition, prefix: CONTACT_NUMBER_PREFIX },
  { holds: 'history', partition: historyPartition, prefix: PAST_CHAT_PREFIX },
];

/**
 * How far a job is. First it looks for the names of the person that it is about, through all connections and again while it finds some;
 * then it goes through the rows.
 */
export interface JobPlace {
  readonly phase: 'names' | 'rows';
  /** The connection in hand; none at the beginning. In the search for names, the last one that was looked at. */
  readonly connectionId?: ConnectionId | undefined;
  /** Whether this search for names has found one. */
  readonly hasGrown?: true | undefined;
  /** The number of the section in hand; the number of sections where the connection is done. */
  readonly section: number;
  /** The sort key of the last row that was looked at. */
  readonly after?: string | undefined;
  /** The sort key of the last sheet that was looked at, of the chat of the history behind that row. */
  readonly sheet?: string | undefined;
}

export const SEARCH: JobPlace = { phase: 'names', section: 0 };
export const FIRST_ROWS: JobPlace = { phase: 'rows', section: 0 };

/** Whether the next thing at a place is another connection. */
export function isBetween({ connectionId, section }: JobPlace): boolean {
  return connectionId === undefined || section >= sections.length;
}
