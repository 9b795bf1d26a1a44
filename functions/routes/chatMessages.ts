import type { Connection } from '../../shared/connection/connection.ts';
import type { LiveCopies } from '../../shared/history/liveCopies.ts';
import { keysOfPast } from '../../shared/history/pastKeys.ts';
import type { MessageId } from '../../shared/kernel/id.ts';
import type { Message, ReceivedMessage } from '../../shared/message/message.ts';
import type { MessagesOfChats } from '../../shared/message/messagesOfChats.ts';
import type { PastMessages } from '../../shared/message/pastMessages.ts';
import { PAGE_BYTES } from '../../shared/platform/pages.ts';

export interface ChatMessagesParts {
  readonly messagesOfChats: MessagesOfChats;
  readonly past: PastMessages;
  readonly live: Pick<LiveCopies, 'among'>;
}

interface Place {
  readonly before: MessageId | undefined;
  readonly limit: number;
  readonly nowMs: number;
}

/** The number of past messages that are looked up together. */
const BATCH = 50;

/**
 * A page of a chat's messages, newest first: those that came and left here, and among them those that a history brought. What is there in both ways is shown
 * once, as it came.
 */
export async function listChatMessages(
  { messagesOfChats, past, live }: ChatMessagesParts,
  { connectionId }: Pick<Connection, 'connectionId'>,
  addresses: readonly string[],
  place: Place,
): Promise<{ readonly messages: readonly Message[]; readonly next: MessageId | undefined }> {
  const own = await messagesOfChats.list(connectionId, addresses, place);
  const known = new Set(own.messages.map(({ messageId }) => messageId));
  const found: ReceivedMessage[] = [];
  let batch: ReceivedMessage[] = [];
  const settle = async (): Promise<void> => {
    const copies = await live.among(
      connectionId,
      batch.map((message) => ({ message, keys: keysOfPast(message) })),
    );
    found.push(...batch.filter(({ messageId }) => !copies.has(messageId) && !known.has(messageId)));
    batch = [];
  };
  for await (const message of past.list({ connectionId }, addresses, place.before, place.nowMs)) {
    // What is older belongs to the pages behind this one.
    if (own.next !== undefined && message.messageId < own.next) break;
    batch.push(message);
    if (batch.length === BATCH) await settle();
    if (found.length > place.limit) break;
  }
  await settle();
  const all = [...own.messages, ...found].toSorted((one, other) => (one.messageId > other.messageId ? -1 : 1));
  const shown = fitting(all, place.limit);
  const next = shown.length < all.length ? shown.at(-1)?.messageId : own.next;
  return { messages: shown, next };
}

/** The first messages, as many as a page has room for: at least one. */
function fitting(messages: readonly Message[], limit: number): readonly Message[] {
  let bytes = 0;
  const tooMany = messages.findIndex((message, place) => {
    bytes += Buffer.byteLength(JSON.stringify(message));
    return place === limit || (place > 0 && bytes > PAGE_BYTES);
  });
  return tooMany === -1 ? messages : messages.slice(0, tooMany);
}
