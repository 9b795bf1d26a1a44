import { createHash } from 'node:crypto';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { keysOfPast } from '../history/pastKeys.ts';
import type { ReceivedMessage } from '../message/message.ts';
import { PastMessages, type NamedPast } from '../message/pastMessages.ts';
import type { RestoredInto } from './restoredRow.ts';

/** The characters of a hash by which sheets of other messages have other keys, so that none takes the place of another. */
const SOURCE_CHARACTERS = 24;

/**
 * Brings messages of a history back, chat by chat, each only where the connection has none of its name. The same messages make the same sheets: whoever dies
 * before their names are written writes them again. Returns how many were brought back; the others were there.
 */
export async function restorePast(
  { table, stage, nowMs }: { readonly table: DynamoDBDocumentClient; readonly stage: string; readonly nowMs: number },
  into: RestoredInto,
  messages: readonly ReceivedMessage[],
): Promise<number> {
  const past = new PastMessages({ table, stage });
  let written = 0;
  for (const [chat, all] of Map.groupBy(messages, (message) => message.chat)) {
    const distinct = new Map(all.map((message) => [message.messageId, message]));
    const named: readonly NamedPast[] = [...distinct.values()]
      .map((message) => ({ message, keys: keysOfPast(message) }))
      .toSorted((one, other) => (one.message.messageId > other.message.messageId ? -1 : 1));
    const chats = [...new Set(all.flatMap(({ chatAlias }) => [chat, ...(chatAlias === undefined ? [] : [chatAlias])]))];
    const keys = named.flatMap((one) => one.keys);
    const there = await past.findIds(into, chats.slice(0, MOST_NAMES), keys, nowMs);
    const missing = named.filter((one) => !one.keys.some((key) => there.has(key)));
    if (missing.length === 0) continue;
    const hash = createHash('sha256').update(JSON.stringify(missing.map(({ message }) => message)));
    await past.write(into, chat, missing, { source: hash.digest('hex').slice(0, SOURCE_CHARACTERS), nowMs });
    written += missing.length;
  }
  return written;
}

/** The addresses of a chat under which names are looked for: more than this it has only in an export that somebody has changed. */
const MOST_NAMES = 4;
