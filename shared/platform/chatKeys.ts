import { createHash } from 'node:crypto';
import type { ConnectionId } from '../kernel/id.ts';
import type { ItemKey } from './keys.ts';

/** The number of partitions over which the chats of a connection are spread: they are read side by side. */
export const CHAT_PARTS = 4;
export const CHAT_PREFIX = 'CHAT#';

/** A part of the chats of a connection. @param part from 0 to {@link CHAT_PARTS} - 1 */
export const chatPartition = (connectionId: ConnectionId, part: number): string => `CHATS#${connectionId}#${part}`;

/** A chat, by the id under which everything compares it: the LID of a person, else their phone-number address; or the group. */
export const chatKey = (connectionId: ConnectionId, id: string): ItemKey => ({
  pk: chatPartition(connectionId, partOf(id)),
  sk: `${CHAT_PREFIX}${id}`,
});

/** The number of chats that a connection came to have on a day, counted from 1970. */
export const newChatsKey = (connectionId: ConnectionId, day: number): ItemKey => ({
  pk: chatPartition(connectionId, 0),
  sk: `DAY#${String(day).padStart(6, '0')}`,
});

function partOf(id: string): number {
  return (createHash('sha256').update(id).digest()[0] ?? 0) % CHAT_PARTS;
}
