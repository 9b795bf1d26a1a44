import type { ConnectionId } from '../kernel/id.ts';
import type { ItemKey } from './keys.ts';

/** What a phone has told of the history of an account: one row for each of its notices. */
export const historyPartition = (connectionId: ConnectionId): string => `HISTORY#${connectionId}`;
export const NOTICE_PREFIX = 'NOTICE#';
export const historyNoticeKey = (connectionId: ConnectionId, noticeId: string): ItemKey => ({
  pk: historyPartition(connectionId),
  sk: `${NOTICE_PREFIX}${noticeId}`,
});

/** The tags of the chats of which histories brought messages: what is in their partitions is found by these rows, which stay as long as the connection. */
export const PAST_CHAT_PREFIX = 'CHAT#';
export const pastChatKey = (connectionId: ConnectionId, tag: string): ItemKey => ({
  pk: historyPartition(connectionId),
  sk: `${PAST_CHAT_PREFIX}${tag}`,
});

/** The messages of one chat that a history brought. @param tag of the chat, as it stands in the ids of its messages */
export const pastPartition = (connectionId: ConnectionId, tag: string): string =>
  `${historyPartition(connectionId)}#${tag}`;
export const SHEET_PREFIX = 'SHEET#';
/** Some messages of a chat in one row, in the order of their newest ones. @param source tells sheets with the same newest message apart */
export const sheetKey = (connectionId: ConnectionId, tag: string, newest: string, source: string): ItemKey => ({
  pk: pastPartition(connectionId, tag),
  sk: `${SHEET_PREFIX}${newest}#${source}`,
});
/** The number of rows over which the names of a chat's messages are spread: each has room for some 8,000 messages with two names. */
export const NAME_ROWS = 16;
/** Some of the names by which messages of a chat are found. @param row from 0 to {@link NAME_ROWS} - 1 */
export const pastNamesKey = (connectionId: ConnectionId, tag: string, row: number): ItemKey => ({
  pk: pastPartition(connectionId, tag),
  sk: `NAMES#${row}`,
});
