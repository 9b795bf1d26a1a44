import { z } from 'zod';
import {
  chatFields,
  isDeleted,
  kindOfChat,
  shownMessageOf,
  toChatFields,
  toShownChat,
  unreadIn,
  type ChatRow,
} from '../../shared/chat/chat.ts';
import type { ChatStore, ListedChat, ListRange } from '../../shared/chat/chatStore.ts';
import type { Connection } from '../../shared/connection/connection.ts';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { readSettings, withDefaults } from '../../shared/connection/settings.ts';
import type { ContactStore } from '../../shared/contact/contactStore.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import { toChannel, toPhoneJid, toRecipient } from '../../shared/kernel/jid.ts';
import type { ConnectionId } from '../../shared/kernel/id.ts';
import type { Scope } from '../../shared/identity/keyLimits.ts';
import type { MediaStore } from '../../shared/media/mediaStore.ts';
import type { MessagesOfChats } from '../../shared/message/messagesOfChats.ts';
import { PAGE_BYTES } from '../../shared/platform/pages.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { route, type Route } from '../http/route.ts';
import { findConnection } from './connections.ts';
import { findFilesOf } from './filesOfMessages.ts';
import { limitSchema, messageViewSchema, pageOf, toMessageView, toPage } from './views.ts';

export interface ChatRouteDependencies extends Pick<Surroundings, 'clock'> {
  readonly connections: ConnectionStore;
  readonly chats: ChatStore;
  readonly messagesOfChats: MessagesOfChats;
  readonly contacts: ContactStore;
  readonly media: MediaStore;
}

const chatViewSchema = z
  .object({
    ...chatFields,
    lastMessage: messageViewSchema.optional().meta({
      description:
        'The newest message, with what became of it since. Absent where it is not kept any more, and for a key without `messages:read`.',
    }),
  })
  .meta({ id: 'ChatDetails', description: 'What a connection knows of a chat.' });

const EXAMPLE = {
  id: '236471520047@lid',
  phoneNumber: '+4915123456789',
  lid: '236471520047@lid',
  kind: 'person',
  name: 'Ada Lovelace',
  lastActivityAt: '2026-08-01T12:00:05.123Z',
  unreadMessages: 1,
  unread: false,
  archived: false,
  pinned: false,
  muted: false,
  lastMessage: {
    id: 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H',
    stanzaId: '3EB0C767D097B7B3E5D1',
    direction: 'in',
    status: 'received',
    chat: { id: '236471520047@lid', phoneNumber: '+4915123456789', lid: '236471520047@lid' },
    sender: { id: '236471520047@lid', phoneNumber: '+4915123456789', lid: '236471520047@lid', name: 'Ada' },
    content: { type: 'text', text: { body: 'Has my order left?' } },
    createdAt: '2026-08-01T12:00:05.000Z',
  },
} as const;

const flag = z.enum(['true', 'false']).transform((text) => text === 'true');
const querySchema = z.strictObject({
  archived: flag.optional().meta({ description: 'Only those that are, or are not, in the archive.' }),
  unread: flag.optional().meta({ description: 'Only those that have, or have not, unread messages or the mark.' }),
  after: z.string().max(160).optional(),
  limit: limitSchema,
});

/** What a list is asked for. */
type Asked = z.output<typeof querySchema> & { readonly isReadAtOnce: boolean };

/** How far back a page is looked for at first, in milliseconds: an account with many chats has a page of them in a day. */
const FIRST_RANGE_MS = 86_400_000;

/** The routes of the chats that a connection has. */
export function chatRoutes(dependencies: ChatRouteDependencies): readonly Route[] {
  const { connections, chats, clock } = dependencies;
  return [
    route('GET', '/v1/connections/{connectionId}/chats', {
      summary: 'List chats, those with the newest message first',
      description:
        'Every chat in which a message came or left since the account was linked, or that was marked, for 90 days after the last time. While you read pages, a chat in which somebody writes moves to the top: it may come once more, or not at all.',
      query: querySchema,
      answers: { status: 200, schema: pageOf(chatViewSchema), example: { data: [EXAMPLE], hasMore: false } },
      handle: async ({ tenantId, scopes, parameters, query }) => {
        const connection = await findConnection(connections, tenantId, parameters['connectionId']);
        const after = query.after === undefined ? undefined : readCursor(query.after);
        const asked = { ...query, isReadAtOnce: isReadAtOnce(connection) };
        const behind = await findBehind(dependencies, connection.connectionId, { asked, after });
        const page = behind.toSorted(inOrder).slice(0, query.limit);
        const ids = page.map(({ id }) => id);
        const rows = await chats.getAll(connection.connectionId, ids, clock.nowMs());
        // A row that has gone since it was listed has no view.
        const shown = page.flatMap(({ id }) => rows.get(id) ?? []);
        const data = fitting(await toViews(dependencies, { connection, scopes }, shown));
        const isCut = data.length < shown.length;
        const last = isCut ? page.find(({ id }) => id === data.at(-1)?.id) : page.at(-1);
        const hasMore = isCut || behind.length > page.length;
        return { status: 200, json: toPage(data, hasMore && last !== undefined ? toCursor(last) : undefined) };
      },
    }),
    route('GET', '/v1/connections/{connectionId}/chats/{chat}', {
      summary: 'Read what a connection knows of a chat',
      description:
        'By phone number, or by the address of a person, a group or a channel. Nothing is asked of WhatsApp.',
      problems: ['chat_not_found'],
      answers: { status: 200, schema: chatViewSchema, example: EXAMPLE },
      handle: async ({ tenantId, scopes, parameters }) => {
        const connection = await findConnection(connections, tenantId, parameters['connectionId']);
        const row = await findChat(dependencies, connection, parameters['chat']);
        if (row === undefined || isDeleted(row)) throw new AppError('chat_not_found');
        const [view] = await toViews(dependencies, { connection, scopes }, [row]);
        return { status: 200, json: view };
      },
    }),
  ];
}

/**
 * Finds the chats behind a place of the list: more of them than a page has, where there are as many. The store goes through all chats of a
 * connection in any case, but hands over only those of a day, when they fill the page.
 */
async function findBehind(
  { chats, clock }: Pick<ChatRouteDependencies, 'chats' | 'clock'>,
  connectionId: ConnectionId,
  { asked, after }: { readonly asked: Asked; readonly after: Place | undefined },
): Promise<readonly ListedChat[]> {
  const nowMs = clock.nowMs();
  const isBehind = (chat: ListedChat): boolean =>
    !isDeleted(chat) && isAsked(chat, asked) && (after === undefined || comesAfter(chat, after));
  const range: ListRange = {
    untilMs: after?.lastAtMs,
    ...(asked.archived === true ? { isArchived: true } : {}),
    ...(asked.unread === true ? { isUnread: true } : {}),
  };
  // Few chats are unread, or in the archive: they are all handed over.
  if (asked.archived !== true && asked.unread !== true) {
    const sinceMs = (after?.lastAtMs ?? nowMs) - FIRST_RANGE_MS;
    const newest = await chats.list(connectionId, { ...range, sinceMs }, nowMs);
    const behind = newest.filter(isBehind);
    if (behind.length > asked.limit) return behind;
  }
  return (await chats.list(connectionId, range, nowMs)).filter(isBehind);
}

/** The address of a chat, as a person writes it. */
export const chatAddress = z
  .string()
  .max(64)
  .refine(
    (text) => toAddress(text) !== undefined,
    'Write it like +49 151 23456789, or as the address of a person, a group or a channel that this API showed you.',
  );

function toAddress(written: string): string | undefined {
  return toRecipient(written) ?? toChannel(written);
}

/** All addresses of a chat that are known: what was written, and how the chat is kept. */
export async function addressesOf(
  dependencies: Pick<ChatRouteDependencies, 'chats' | 'clock'>,
  connection: Pick<Connection, 'connectionId'>,
  written: string,
): Promise<readonly string[]> {
  const row = await findChat(dependencies, connection, written);
  const { phoneNumber } = row === undefined ? {} : toShownChat(row);
  const known = [toAddress(written), row?.id, phoneNumber === undefined ? undefined : toPhoneJid(phoneNumber.slice(1))];
  return [...new Set(known.filter((address) => address !== undefined))];
}

async function findChat(
  { chats, clock }: Pick<ChatRouteDependencies, 'chats' | 'clock'>,
  { connectionId }: Pick<Connection, 'connectionId'>,
  written: string | undefined,
): Promise<ChatRow | undefined> {
  const address = toAddress(written ?? '');
  return address === undefined ? undefined : chats.find(connectionId, address, clock.nowMs());
}

async function toViews(
  { messagesOfChats, contacts, media, clock }: ChatRouteDependencies,
  { connection, scopes }: { readonly connection: Connection; readonly scopes: readonly Scope[] | undefined },
  rows: readonly ChatRow[],
) {
  const { connectionId } = connection;
  const nowMs = clock.nowMs();
  const people = rows.filter(({ id }) => kindOfChat(id) === 'person').map(({ id }) => id);
  // A key that reads no messages reads none here.
  const newest = scopes?.includes('messages:read') === false ? [] : rows.flatMap((row) => shownMessageOf(row) ?? []);
  const [messages, names] = await Promise.all([
    messagesOfChats.findAll(connectionId, newest, nowMs),
    contacts.findAll(connectionId, people, nowMs),
  ]);
  const beside = { nowMs, connection, media: await findFilesOf(media, [...messages.values()]) };
  const shown = { isReadAtOnce: isReadAtOnce(connection), nowMs };
  return rows.map((row) => {
    const { saved, push } = names.get(row.id) ?? {};
    const messageId = shownMessageOf(row);
    const message = messageId === undefined ? undefined : messages.get(messageId);
    return {
      ...toChatFields(row, { ...shown, name: saved || push || undefined }),
      ...(message === undefined ? {} : { lastMessage: toMessageView(message, beside) }),
    };
  });
}

/** The first of some views, as many as a page has room for: at least one, since a stranger may write as much as WhatsApp takes. */
function fitting<View>(views: readonly View[]): readonly View[] {
  let bytes = 0;
  const tooMany = views.findIndex((view, place) => {
    bytes += Buffer.byteLength(JSON.stringify(view));
    return place > 0 && bytes > PAGE_BYTES;
  });
  return tooMany === -1 ? views : views.slice(0, tooMany);
}

/** Whether a connection marks as read what comes. */
function isReadAtOnce({ settings }: Pick<Connection, 'settings'>): boolean {
  return withDefaults(readSettings(settings)).readReceipts === 'automatic';
}

/** Whether a chat is chosen, by what is shown of it. */
function isAsked(chat: ListedChat, asked: Asked): boolean {
  const { markedUnread = false, archived = false } = chat;
  const isUnread = unreadIn(chat, asked.isReadAtOnce) > 0 || markedUnread;
  return (asked.archived ?? archived) === archived && (asked.unread ?? isUnread) === isUnread;
}

type Place = Pick<ListedChat, 'lastAtMs' | 'id'>;

/** The order of the list: the newest first, and those of one millisecond by their ids. */
function inOrder(one: Place, other: Place): number {
  return other.lastAtMs - one.lastAtMs || (one.id < other.id ? -1 : 1);
}

function comesAfter(chat: Place, place: Place): boolean {
  return inOrder(place, chat) < 0 && chat.id !== place.id;
}

const CURSOR = /^(\d{1,15})\.(.{1,140})$/;

function toCursor({ lastAtMs, id }: Place): string {
  return `${lastAtMs}.${id}`;
}

function readCursor(text: string): Place {
  const [, lastAtMs, id] = CURSOR.exec(text) ?? [];
  if (lastAtMs === undefined || id === undefined) throw new AppError('invalid_cursor');
  return { lastAtMs: Number(lastAtMs), id };
}
