import { z } from 'zod';
import { shownMarks, toShownMarks } from '../message/chatMarks.ts';
import { isChannel, toPhoneJid } from '../kernel/jid.ts';
import type { MessageId } from '../kernel/id.ts';
import { chatSchema, toChat, type Chat } from '../message/party.ts';
import { isGroup } from '../message/recipient.ts';

/**
 * A chat as a connection knows it: the row of one chat, whatever address a stanza used. Its id is the one by which everything compares
 * chats (`party.ts`). It says which message is the newest, and not what that says: the message has a row of its own.
 */
export interface ChatRow {
  readonly id: string;
  /** The digits of the phone number of a person whose id is the LID, where it is known. */
  readonly number?: string | undefined;
  readonly lastMessageId?: MessageId | undefined;
  /** When the newest message came or left, in milliseconds; 0 where there is none. */
  readonly lastAtMs: number;
  /** When the newest message was written, by WhatsApp's clock: long before `lastAtMs` where nobody was there to take it. */
  readonly lastWrittenAtMs?: number | undefined;
  /** The number of messages that came and were not read, as far as this connection has seen. */
  readonly unread: number;
  /** The message up to which some were marked as read last. */
  readonly readUpTo?: MessageId | undefined;
  /** What the account has marked it as: of a mark that was never seen nothing is known. */
  readonly markedUnread?: boolean | undefined;
  readonly archived?: boolean | undefined;
  readonly pinned?: boolean | undefined;
  /** The time up to which it is muted; 0 where it is not, -1 where that has no end. */
  readonly mutedUntilMs?: number | undefined;
  /** The time up to which the account has taken out its messages, or the whole chat, for itself alone: what was there then is not shown. */
  readonly clearedAtMs?: number | undefined;
  readonly deletedAtMs?: number | undefined;
  /** The subject of a group, as it was seen last. */
  readonly subject?: string | undefined;
  /** Grows by one with each write. */
  readonly version: number;
}

/** Whether the account has deleted it, and nothing has come since. */
export function isDeleted({ lastAtMs, deletedAtMs }: Pick<ChatRow, 'lastAtMs' | 'deletedAtMs'>): boolean {
  return deletedAtMs !== undefined && lastAtMs <= deletedAtMs;
}

/** The newest message that the account still sees there. */
export function shownMessageOf({ lastMessageId, lastAtMs, clearedAtMs }: ChatRow): MessageId | undefined {
  return clearedAtMs !== undefined && lastAtMs <= clearedAtMs ? undefined : lastMessageId;
}

export const chatKindNames = ['person', 'group', 'channel'] as const;
type ChatKindName = (typeof chatKindNames)[number];

export function kindOfChat(id: string): ChatKindName {
  if (isGroup(id)) return 'group';
  return isChannel(id) ? 'channel' : 'person';
}

/**
 * The number of unread messages, as it is shown and as lists are chosen by.
 * @param isReadAtOnce whether the connection marks as read what comes: in a channel nobody marks any
 */
export function unreadIn({ id, unread }: Pick<ChatRow, 'id' | 'unread'>, isReadAtOnce: boolean): number {
  return isReadAtOnce && kindOfChat(id) !== 'channel' ? 0 : unread;
}

/** The chat as every other place shows it. */
export function toShownChat({ id, number }: Pick<ChatRow, 'id' | 'number'>): Chat {
  return toChat(id, number === undefined ? undefined : toPhoneJid(number));
}

/** What the API shows of a chat, beside its newest message. */
export const chatFields = {
  ...chatSchema.shape,
  kind: z.enum(chatKindNames),
  name: z.string().optional().meta({
    description:
      'Of a person, as the account has saved them, else as they call themselves; of a group its subject, once it was seen here.',
    example: 'Ada Lovelace',
  }),
  lastActivityAt: z.iso.datetime().optional().meta({
    description: 'When the newest message came or left: the order of the list. Absent where there is none.',
  }),
  unreadMessages: z.number().int().min(0).meta({
    description:
      'How many messages have come since the account wrote there, opened it on its phone or another device, or marked some as read here.',
  }),
  ...shownMarks,
  mutedUntil: shownMarks.mutedUntil.optional(),
} as const;
const fieldsSchema = z.object(chatFields);

/**
 * @param beside.name of a person, as far as it is known
 * @param beside.isReadAtOnce whether the connection marks as read what comes
 */
export function toChatFields(
  row: ChatRow,
  beside: { readonly name: string | undefined; readonly isReadAtOnce: boolean; readonly nowMs: number },
): z.output<typeof fieldsSchema> {
  const { id, lastAtMs, markedUnread = false, archived = false, pinned = false, mutedUntilMs = 0 } = row;
  const kind = kindOfChat(id);
  const name = row.subject ?? beside.name;
  const isOver = mutedUntilMs > 0 && mutedUntilMs <= beside.nowMs;
  return {
    ...toShownChat(row),
    kind,
    ...(name === undefined ? {} : { name }),
    ...(lastAtMs === 0 ? {} : { lastActivityAt: new Date(lastAtMs).toISOString() }),
    unreadMessages: unreadIn(row, beside.isReadAtOnce),
    unread: markedUnread,
    archived,
    pinned,
    muted: false,
    ...toShownMarks({ mutedUntilMs: isOver ? 0 : mutedUntilMs }),
  };
}
