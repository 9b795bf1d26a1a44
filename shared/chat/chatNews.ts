import type { GroupInShort } from '../action/groupFields.ts';
import { groupFind, groupList } from '../action/kinds/groups.ts';
import { messageRead } from '../action/kinds/messageMarks.ts';
import { chatKindOf, type ChatKind } from '../connection/chatKind.ts';
import { numberOf } from '../contact/contact.ts';
import type { EventType, TenantEvent } from '../event/event.ts';
import type { Fact } from '../event/facts/factRows.ts';
import type { LoggedEvent } from '../event/recording/loggedEvent.ts';
import { timeOfId, type MessageId } from '../kernel/id.ts';
import { toPhoneJid } from '../kernel/jid.ts';
import { isAct } from '../message/actRule.ts';
import { FOR_EVER, type ChatMarks } from '../message/chatMarks.ts';
import { toChat, type Chat } from '../message/party.ts';

/** The chat that something is about. */
export interface NamedChat {
  readonly id: string;
  readonly number?: string | undefined;
}

/** What has become of a chat. */
export type ChatNews = NamedChat &
  (
    | {
        readonly news: 'message';
        readonly messageId: MessageId;
        readonly atMs: number;
        /** When it was written, by WhatsApp's clock. */
        readonly writtenAtMs: number;
        readonly counts: Counts;
      }
    /** Messages of it were marked as read, up to one of them. */
    | { readonly news: 'read'; readonly upTo: MessageId; readonly messages: number }
    /** What had come until then was read on another device. */
    | { readonly news: 'seen'; readonly atMs: number }
    | ({ readonly news: 'marked' } & ChatMarks)
    /** The account has taken out its messages, or deleted the chat, for itself alone. */
    | { readonly news: 'cleared' | 'deleted'; readonly atMs: number }
    /** The subject of a group was told, or asked for. A group in which nobody has written is no chat yet. */
    | { readonly news: 'named'; readonly subject: string }
    /** The chat of a person who was known by another id until now. */
    | { readonly news: 'merged'; readonly was: string }
  );

/** What a message does to the number of unread ones: one more, none any more because the account wrote, or nothing. */
type Counts = 'more' | 'none' | 'same';

/** The kinds of chats that are kept. Whom a broadcast list or a status is for, each of them knows as a chat of their own. */
const kept: ReadonlySet<ChatKind> = new Set<ChatKind>(['people', 'groups', 'newsletters']);

/** The events that tell of a chat; all others are not taken apart. */
const telling: ReadonlySet<EventType> = new Set<EventType>([
  'message.received',
  'message.echo',
  'message.status',
  'chat.updated',
  'chat.read',
  'chat.cleared',
  'chat.deleted',
  'group.updated',
  'contact.merged',
  'action.succeeded',
]);

/**
 * What some recorded events say about chats, in their order.
 * @param facts the facts of the events: a sent edit, deletion or vote is told as a message, and is none
 */
export function chatNewsIn(
  events: readonly LoggedEvent[],
  facts: readonly { readonly fact: Fact }[],
): readonly ChatNews[] {
  const changes = new Set(
    facts.flatMap(({ fact }) => (fact.kind === 'send_result' && fact.changedId !== undefined ? [fact.messageId] : [])),
  );
  return events.flatMap(({ type, text }) => {
    if (!telling.has(type) || (type === 'message.status' && !text.includes('"status":"sent"'))) return [];
    return newsOf(JSON.parse(text) as TenantEvent, changes).filter(({ id }) => kept.has(chatKindOf(id)));
  });
}

function newsOf(event: TenantEvent, changes: ReadonlySet<MessageId>): readonly ChatNews[] {
  switch (event.type) {
    case 'message.received':
    case 'message.echo': {
      const { chat, content } = event.data;
      const messageId = event.data.messageId as MessageId;
      const counts = event.type === 'message.echo' ? 'none' : isAct(content) ? 'same' : 'more';
      // The id carries the time of arrival, by which messages are listed, too.
      const writtenAtMs = Date.parse(event.occurredAt);
      return [{ ...named(chat), news: 'message', messageId, atMs: timeOfId(messageId), writtenAtMs, counts }];
    }
    case 'message.status': {
      const { status, chat, recipient } = event.data;
      const messageId = event.data.messageId as MessageId;
      if (status !== 'sent' || changes.has(messageId)) return [];
      const atMs = Date.parse(event.occurredAt);
      return [{ ...named(chat ?? recipient), news: 'message', messageId, atMs, writtenAtMs: atMs, counts: 'none' }];
    }
    case 'chat.updated': {
      const { chat, muted, mutedUntil, ...marks } = event.data;
      const untilMs = mutedUntil === undefined ? FOR_EVER : Date.parse(mutedUntil);
      const mutes = muted === undefined ? {} : { mutedUntilMs: muted ? untilMs : 0 };
      return [{ ...named(chat), news: 'marked', ...marks, ...mutes }];
    }
    case 'chat.read':
      return [{ ...named(event.data.chat), news: 'seen', atMs: Date.parse(event.occurredAt) }];
    case 'chat.cleared':
    case 'chat.deleted': {
      const news = event.type === 'chat.cleared' ? 'cleared' : 'deleted';
      return [{ ...named(event.data.chat), news, atMs: Date.parse(event.occurredAt) }];
    }
    case 'group.updated': {
      const { group, changes } = event.data;
      return changes.subject === undefined ? [] : [{ ...named(group), news: 'named', subject: changes.subject }];
    }
    case 'action.succeeded': {
      const { kind, result } = event.data;
      return newsOfResult(kind, result);
    }
    case 'contact.merged': {
      const { contact, was } = event.data;
      return [{ ...named(contact), news: 'merged', was: was.id }];
    }
    default:
      return [];
  }
}

/** What the result of an action says about chats: which messages were marked, or what groups are called. */
function newsOfResult(kind: string, result: unknown): readonly ChatNews[] {
  switch (kind) {
    case messageRead.kind: {
      const read = messageRead.result.safeParse(result).data;
      if (read === undefined) return [];
      return [{ ...named(read.chat), news: 'read', upTo: read.upTo as MessageId, messages: read.messages }];
    }
    case groupFind.kind: {
      const { group } = groupFind.result.safeParse(result).data ?? {};
      return group === undefined ? [] : [toName(group)];
    }
    case groupList.kind:
      return (groupList.result.safeParse(result).data?.groups ?? []).map(toName);
    default:
      return [];
  }
}

const toName = ({ id, subject }: GroupInShort): ChatNews => ({ id, news: 'named', subject });

function named({ id, phoneNumber }: Chat): NamedChat {
  const number = phoneNumber === undefined ? undefined : numberOf(toPhoneJid(phoneNumber.slice(1)));
  return { id: toChat(id).id, ...(number === undefined ? {} : { number }) };
}
