import type { MessageId } from '../kernel/id.ts';
import { FOR_EVER } from '../message/chatMarks.ts';
import type { ChatRow } from './chat.ts';

/** What a history says of a chat. */
export interface ToldOfChat {
  readonly number?: string | undefined;
  /** The newest message that it brought. */
  readonly newest?: { readonly messageId: MessageId; readonly atMs: number } | undefined;
  readonly unread?: number | undefined;
  readonly markedUnread?: boolean | undefined;
  readonly archived?: boolean | undefined;
  readonly pinned?: boolean | undefined;
  /** The time up to which it is muted, as WhatsApp writes it: in seconds or milliseconds, -1 or a very long time where that has no end. */
  readonly mutedUntil?: number | undefined;
  readonly subject?: string | undefined;
}

/** The most unread messages that are believed. */
const MOST_UNREAD = 1_000_000;
const LONGEST_SUBJECT = 256;
/** Times in seconds are below, those in milliseconds above, until the year 5138. */
const LEAST_MS = 1e11;
/** What is muted for longer than this is muted for ever. */
const LAST_MS = Date.UTC(2100, 0, 1);

/**
 * A chat after a history of it. What the connection has seen by itself counts before what the phone knew once: a history fills in what is missing, and
 * its newest message is the chat's only where that has none or an older one.
 */
export function afterHistory(chat: ChatRow, told: ToldOfChat): ChatRow {
  const { newest } = told;
  const isNewer = newest !== undefined && newest.atMs > chat.lastAtMs;
  const moved = isNewer
    ? {
        lastMessageId: newest.messageId,
        lastAtMs: newest.atMs,
        lastWrittenAtMs: newest.atMs,
        unread: Math.min(told.unread ?? 0, MOST_UNREAD),
      }
    : {};
  const filled = present({
    number: chat.number ?? told.number,
    markedUnread: chat.markedUnread ?? told.markedUnread,
    archived: chat.archived ?? told.archived,
    pinned: chat.pinned ?? told.pinned,
    mutedUntilMs: chat.mutedUntilMs ?? toMutedUntilMs(told.mutedUntil),
    subject: chat.subject ?? (told.subject?.slice(0, LONGEST_SUBJECT) || undefined),
  });
  const after = { ...chat, ...filled, ...moved };
  const names = Object.keys(after) as (keyof ChatRow)[];
  return names.every((name) => after[name] === chat[name]) ? chat : { ...after, version: chat.version + 1 };
}

function toMutedUntilMs(value: number | undefined): number | undefined {
  if (value === undefined || value === 0) return undefined;
  const ms = value < LEAST_MS ? value * 1_000 : value;
  return ms > LAST_MS ? FOR_EVER : ms;
}

function present<Fields extends object>(fields: Fields): Partial<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<Fields>;
}
