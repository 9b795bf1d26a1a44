import { z } from 'zod';
import { parseId, tagOfChat, tagOfPastId, type ConnectionId, type MessageId, type TenantId } from '../kernel/id.ts';
import type { ReceivedMessage } from '../message/message.ts';
import { toMessage } from '../message/messageItem.ts';
import { chatKey } from '../platform/chatKeys.ts';
import { CONTACT_NUMBER_PREFIX, contactKey, contactNumberKey } from '../platform/contactKeys.ts';
import { expiryOf } from '../platform/expiry.ts';
import { fromStoredMap } from '../platform/itemValues.ts';
import { messageKey, messagePartition, receiptsKey, type ItemKey } from '../platform/keys.ts';
import type { Item } from '../platform/pages.ts';
import { isUnfinished } from './eraseRows.ts';

/** The kinds of lines of an export that are rows, which are brought back. */
export const restoredKinds = ['message', 'version', 'receipts', 'chat', 'contact', 'number', 'history'] as const;
export type RestoredKind = (typeof restoredKinds)[number];

/** What a line says of a row. Its view, which is for readers, is left out. */
export const keptRowSchema = z.strictObject({
  kind: z.enum(restoredKinds),
  kept: z.record(z.string().max(64), z.record(z.string().max(4), z.unknown())),
});
export type KeptRow = z.infer<typeof keptRowSchema>;

/** The connection that rows are brought back into. */
export interface RestoredInto {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
}

/** Why a row is not brought back: it is none of an export, or that of a message that had not ended, which nobody would send any more. */
export type NotRestored = 'malformed' | 'unfinished';

/**
 * The row of a line, as it is written: under the key that its own parts give, whatever the line says of it, for the connection that it is brought back
 * into, and kept from now on as long as if it had come now.
 */
export function toRestoredItem(
  { kind, kept }: KeptRow & { readonly kind: Exclude<RestoredKind, 'history'> },
  into: RestoredInto,
  nowMs: number,
): Item | NotRestored {
  const row = readRow(kept);
  const key = row === undefined ? undefined : keyOf[kind](row, into.connectionId);
  // A row that stands under another key than its own is none of ours.
  if (row === undefined || key === undefined || key.sk !== row['sk']) return 'malformed';
  if (kind === 'message') {
    if (isUnfinished(row)) return 'unfinished';
    return { ...row, ...into, ...key, ttl: expiryOf('message', nowMs) };
  }
  return { ...row, ...key, ttl: expiryOf(lifeOf[kind], nowMs) };
}

/** The message of a line of a history, for the connection that it is brought back into. Its chat says where it stands. */
export function toRestoredPast({ kept }: KeptRow, into: RestoredInto): ReceivedMessage | 'malformed' {
  const { messageId, chat, direction, createdAtMs, content, stanzaId, sender, ...rest } = readRow(kept) ?? {};
  const id = idIn(messageId);
  const isMessage =
    ['in', 'echo'].includes(String(direction)) &&
    typeof createdAtMs === 'number' &&
    isObject(content) &&
    isName(stanzaId) &&
    isName(sender);
  if (id === undefined || !isName(chat) || !isMessage || tagOfPastId(id) !== tagOfChat(chat)) return 'malformed';
  const own = { messageId: id, chat, direction, createdAtMs, content, stanzaId, sender };
  return toMessage({ ...rest, ...own, ...into }) as ReceivedMessage;
}

const lifeOf = {
  version: 'message',
  receipts: 'message',
  chat: 'chat',
  contact: 'contact',
  number: 'contact',
} as const satisfies Record<Exclude<RestoredKind, 'message' | 'history'>, unknown>;

type KeyOf = (row: Item, connectionId: ConnectionId) => ItemKey | undefined;
const VERSION = /^VERSION#(?<message>[^#]{1,64})#\d{15}#[\da-f]{40}$/;
const NUMBER = /^NUMBER#\d{1,20}$/;

const keyOf: Readonly<Record<Exclude<RestoredKind, 'history'>, KeyOf>> = {
  message: ({ messageId, direction, createdAtMs, content }, connectionId) => {
    const isMessage =
      ['out', 'in', 'echo'].includes(String(direction)) && typeof createdAtMs === 'number' && isObject(content);
    const id = idIn(messageId);
    return id === undefined || !isMessage ? undefined : messageKey(connectionId, id);
  },
  version: ({ sk, content }, connectionId) => {
    const id = idIn(VERSION.exec(String(sk))?.groups?.['message']);
    return id === undefined || !isObject(content) ? undefined : { pk: messagePartition(connectionId), sk: String(sk) };
  },
  receipts: ({ sk, people }, connectionId) => {
    const id = idIn(String(sk).split('#')[1]);
    return id === undefined || typeof people !== 'string' ? undefined : receiptsKey(connectionId, id);
  },
  chat: ({ id, version }, connectionId) =>
    isName(id) && typeof version === 'number' ? chatKey(connectionId, id) : undefined,
  contact: ({ id, version }, connectionId) =>
    isName(id) && typeof version === 'number' ? contactKey(connectionId, id) : undefined,
  number: ({ sk, id }, connectionId) =>
    isName(id) && NUMBER.test(String(sk))
      ? contactNumberKey(connectionId, String(sk).slice(CONTACT_NUMBER_PREFIX.length))
      : undefined,
};

function idIn(value: unknown): MessageId | undefined {
  return typeof value === 'string' ? parseId('msg', value) : undefined;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 160;
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function readRow(kept: KeptRow['kept']): Item | undefined {
  try {
    return fromStoredMap(kept);
  } catch {
    return undefined;
  }
}
