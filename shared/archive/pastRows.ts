import type { LiveCopies } from '../history/liveCopies.ts';
import { keysOfPast } from '../history/pastKeys.ts';
import { tagOfPastId, type ConnectionId, type MediaId, type MessageId } from '../kernel/id.ts';
import { mediaIdsOf } from '../media/media.ts';
import type { ReceivedMessage } from '../message/message.ts';
import { messagesOn, ownRowsOf, takeFromSheet, takeNames } from '../message/pastSheets.ts';
import type { Item } from '../platform/pages.ts';
import { isChosen, type Chosen } from './chosenRows.ts';
import type { RowTable } from './rowsInPlace.ts';

/** The messages of a sheet that are chosen, the newest first. */
export function chosenOn(sheet: Item, connectionId: ConnectionId, chosen: Chosen): readonly ReceivedMessage[] {
  return messagesOn(sheet, connectionId).filter((message) => isChosen('messages', { ...message }, chosen));
}

/** The messages of a history without those that are there by themselves, or that have a row of their own: these stand among the others. */
export async function withoutCopies(
  given: RowTable & { readonly live: Pick<LiveCopies, 'among'> },
  connectionId: ConnectionId,
  messages: readonly ReceivedMessage[],
): Promise<readonly ReceivedMessage[]> {
  if (messages.length === 0) return [];
  const named = messages.map((message) => ({ message, keys: keysOfPast(message) }));
  const [live, own] = [
    await given.live.among(connectionId, named),
    await ownRowsOf(given, connectionId, idsOf(messages)),
  ];
  return messages.filter(({ messageId }) => !live.has(messageId) && !own.has(messageId));
}

/** What hangs on some messages of a history: rows that they have of their own, and files that came with the others. */
export async function rowsOfPast(
  given: RowTable,
  connectionId: ConnectionId,
  messages: readonly ReceivedMessage[],
): Promise<{ readonly own: readonly Item[]; readonly mediaIds: readonly MediaId[] }> {
  const own = await ownRowsOf(given, connectionId, idsOf(messages));
  const others = messages.filter(({ messageId }) => !own.has(messageId));
  return {
    own: [...own.values()],
    mediaIds: others.flatMap(({ messageId, files = [] }) => mediaIdsOf(messageId, files)),
  };
}

/**
 * Takes messages out of the history: their names, and then themselves, so that whoever dies in between finds the rest by them. Returns how many
 * of them this call has taken.
 */
export async function takePast(
  given: RowTable,
  connectionId: ConnectionId,
  sheet: Item,
  messages: readonly ReceivedMessage[],
): Promise<number> {
  const names = messages.flatMap((message) =>
    [...new Set(keysOfPast(message))].map((key) => ({ key, messageId: message.messageId })),
  );
  for (const [tag, named] of Map.groupBy(names, ({ messageId }) => tagOfPastId(messageId))) {
    await takeNames(given, connectionId, tag, named);
  }
  const ids = new Set(idsOf(messages));
  return takeFromSheet(given, sheet, ({ messageId }) => ids.has(messageId));
}

function idsOf(messages: readonly ReceivedMessage[]): readonly MessageId[] {
  return messages.map(({ messageId }) => messageId);
}
