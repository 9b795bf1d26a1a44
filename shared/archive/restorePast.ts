import { createHash } from 'node:crypto';
import { tagOfChat } from '../kernel/id.ts';
import type { ReceivedMessage } from '../message/message.ts';
import { toSheets } from '../message/pastSheet.ts';
import { expiryOf } from '../platform/expiry.ts';
import { pastChatKey, sheetKey } from '../platform/historyKeys.ts';
import type { Item } from '../platform/pages.ts';
import type { RestoredInto } from './restoredRow.ts';

/** The characters of a hash that make the key of a sheet: the same messages have the same key, and no others take its place. */
const SOURCE_CHARACTERS = 24;

/** A row that is to be brought back, and how many messages are in it. */
export interface PastItem {
  readonly item: Item;
  readonly messages: number;
}

/**
 * The rows in which messages of a history are brought back: packed as they were, chat by chat, each chat behind what leads to it. Their names, by which votes and
 * answers find them, are not among them: these stand in rows of others, which whoever brings something back must not touch.
 */
export function toPastItems(
  messages: readonly ReceivedMessage[],
  { tenantId, connectionId }: RestoredInto,
  nowMs: number,
): readonly PastItem[] {
  return [...Map.groupBy(messages, (message) => message.chat)].flatMap(([chat, all]) => {
    const tag = tagOfChat(chat);
    const distinct = new Map(all.map((message) => [message.messageId, message]));
    const newestFirst = [...distinct.values()].toSorted((one, other) => (one.messageId > other.messageId ? -1 : 1));
    const sheets = toSheets(newestFirst).map(({ data, messages: count, newest, oldest }) => {
      const source = createHash('sha256').update(data).digest('hex').slice(0, SOURCE_CHARACTERS);
      const key = sheetKey(connectionId, tag, newest, source);
      const ttl = expiryOf('history', nowMs);
      return { item: { ...key, tenantId, chat, data, messages: count, oldest, ttl }, messages: count };
    });
    return [{ item: { ...pastChatKey(connectionId, tag), tag }, messages: 0 }, ...sheets];
  });
}
