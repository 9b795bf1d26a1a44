import type { ChatRow } from './chat.ts';
import type { ChatNews, NamedChat } from './chatNews.ts';

/** News of a chat, without those of two that were one. */
export type OwnNews = Exclude<ChatNews, { readonly news: 'merged' }>;

/** WhatsApp says in whole seconds, and by another clock, when a chat was read; a message comes before it is read. */
const SEEN_WITHIN_MS = 2_000;
/** WhatsApp says in whole seconds when a message was written. */
const SECOND_MS = 1_000;

/** A chat of which nothing is known yet. */
export function newChat({ id, number }: NamedChat): ChatRow {
  return { id, ...(number === undefined ? {} : { number }), lastAtMs: 0, unread: 0, version: 0 };
}

/**
 * A chat after some news. News that it has had already change nothing, so they may come again:
 *
 * | news                                    | changes it where                                                 |
 * | --------------------------------------- | ---------------------------------------------------------------- |
 * | a message                               | it is newer than the newest one                                  |
 * | messages were marked as read, up to one | that one is newer than the one up to which some were marked last |
 * | it was read on another device           | the newest message was written before that                       |
 * | it was marked, or named                 | always: the last one counts                                      |
 * | it was cleared or deleted               | up to the moment at which it was: what came later is still there |
 */
export function afterNews(chat: ChatRow, news: readonly OwnNews[]): ChatRow {
  const after = news.reduce(afterOne, chat);
  return isSame(after, chat) ? chat : { ...after, version: chat.version + 1 };
}

function afterOne(chat: ChatRow, one: OwnNews): ChatRow {
  const known = one.number === undefined ? chat : { ...chat, number: one.number };
  switch (one.news) {
    case 'message': {
      const { messageId, atMs, writtenAtMs, counts } = one;
      if (!isLater({ atMs, id: messageId }, { atMs: chat.lastAtMs, id: chat.lastMessageId ?? '' })) return known;
      const moved = { ...known, lastMessageId: messageId, lastAtMs: atMs, lastWrittenAtMs: writtenAtMs };
      if (counts === 'none') return { ...moved, unread: 0, markedUnread: false };
      return counts === 'more' ? { ...moved, unread: chat.unread + 1 } : moved;
    }
    case 'read': {
      if (one.upTo <= (chat.readUpTo ?? '')) return known;
      const isAll = one.upTo >= (chat.lastMessageId ?? '');
      const unread = isAll ? 0 : Math.max(0, chat.unread - one.messages);
      return { ...known, readUpTo: one.upTo, unread, markedUnread: false };
    }
    case 'seen':
      return chat.lastAtMs < one.atMs + SEEN_WITHIN_MS || writtenBy(chat) <= one.atMs
        ? { ...known, unread: 0, markedUnread: false }
        : known;
    case 'marked': {
      const { unread, archived = chat.archived, pinned = chat.pinned, mutedUntilMs = chat.mutedUntilMs } = one;
      const marked = { ...known, archived, pinned, mutedUntilMs };
      if (unread === undefined) return marked;
      return { ...marked, markedUnread: unread, ...(unread ? {} : { unread: 0 }) };
    }
    case 'cleared':
    case 'deleted': {
      const field = one.news === 'cleared' ? 'clearedAtMs' : 'deletedAtMs';
      const isAll = chat.lastAtMs <= one.atMs || writtenBy(chat) + SECOND_MS <= one.atMs;
      // What came here after that moment, and was written before it, has gone, too.
      const after = { ...known, [field]: Math.max(one.atMs, chat[field] ?? 0, isAll ? chat.lastAtMs : 0) };
      return isAll ? { ...after, unread: 0, markedUnread: false } : after;
    }
    case 'named':
      return { ...known, subject: one.subject };
    default:
      return one satisfies never;
  }
}

/** The second in which the newest message was written; of a chat of which that is not kept, when it came. */
function writtenBy({ lastAtMs, lastWrittenAtMs = lastAtMs }: ChatRow): number {
  return lastWrittenAtMs;
}

/** One chat in place of two that were one: the newer message counts, the later clearing and deletion, and unread ones of both. */
export function merged(into: ChatRow, was: ChatRow): ChatRow {
  const { lastMessageId, lastAtMs, lastWrittenAtMs } = isLater(placeOf(was), placeOf(into)) ? was : into;
  const isReadFurther = (was.readUpTo ?? '') > (into.readUpTo ?? '');
  const { readUpTo } = isReadFurther ? was : into;
  return {
    ...into,
    ...(into.number === undefined && was.number !== undefined ? { number: was.number } : {}),
    lastMessageId,
    lastAtMs,
    lastWrittenAtMs,
    unread: into.unread + was.unread,
    ...(readUpTo === undefined ? {} : { readUpTo }),
    markedUnread: into.markedUnread ?? was.markedUnread,
    archived: into.archived ?? was.archived,
    pinned: into.pinned ?? was.pinned,
    mutedUntilMs: into.mutedUntilMs ?? was.mutedUntilMs,
    clearedAtMs: later(into.clearedAtMs, was.clearedAtMs),
    deletedAtMs: later(into.deletedAtMs, was.deletedAtMs),
    version: into.version + 1,
  };
}

function later(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other);
}

interface Place {
  readonly atMs: number;
  readonly id: string;
}

function placeOf({ lastAtMs, lastMessageId }: ChatRow): Place {
  return { atMs: lastAtMs, id: lastMessageId ?? '' };
}

/** The order of messages in a chat: by time, and those of one millisecond by their ids. */
function isLater(one: Place, other: Place): boolean {
  return one.atMs > other.atMs || (one.atMs === other.atMs && one.id > other.id);
}

function isSame(one: ChatRow, other: ChatRow): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)] as (keyof ChatRow)[]);
  return [...names].every((name) => one[name] === other[name]);
}
