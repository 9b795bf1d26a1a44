import { randomBytes } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { proto } from '@whiskeysockets/baileys';
import { z } from 'zod';
import type { FileStore } from './media/fileStore.ts';
import { keysOf, Sealing } from './media/sealing.ts';
import type { Account } from './world.ts';

/** What phones tell their linked devices of what was before (docs/whatsapp.md, "History"). */
const { HistorySyncType } = proto.HistorySync;
export const HISTORY_TYPES = {
  initial: HistorySyncType.INITIAL_BOOTSTRAP,
  recent: HistorySyncType.RECENT,
  full: HistorySyncType.FULL,
  names: HistorySyncType.PUSH_NAME,
  other: HistorySyncType.NON_BLOCKING_DATA,
  on_demand: HistorySyncType.ON_DEMAND,
} as const;
type TypeName = keyof typeof HISTORY_TYPES;

const SPOILED = ['mac', 'hash', 'key', 'cut', 'bomb', 'gone', 'foreign_host', 'no_place', 'no_history'] as const;

const messageSchema = z.strictObject({
  id: z.string().default(''),
  fromMe: z.boolean().default(false),
  /** Seconds since 1970. */
  at: z.number().int(),
  text: z.string().optional(),
  /** A message in base64, in place of a text. */
  message: z.base64().optional(),
  participant: z.string().optional(),
  pushName: z.string().optional(),
  /** 32 bytes in base64. */
  secret: z.base64().optional(),
});
const chatSchema = z.strictObject({
  id: z.string(),
  name: z.string().optional(),
  lid: z.string().optional(),
  phone: z.string().optional(),
  unread: z.number().int().optional(),
  archived: z.boolean().optional(),
  pinned: z.number().int().optional(),
  muteEndTime: z.number().int().optional(),
  markedAsUnread: z.boolean().optional(),
  messages: z.array(messageSchema).default([]),
});
export const historySchema = z.strictObject({
  type: z.enum(Object.keys(HISTORY_TYPES) as [TypeName, ...TypeName[]]).default('recent'),
  chunk: z.number().int().default(1),
  progress: z.number().int().default(100),
  inline: z.boolean().default(false),
  chats: z.array(chatSchema).default([]),
  /** Makes so many chats with so many messages each, the last of which was written a day ago. */
  made: z
    .strictObject({
      chats: z.number().int().min(1).max(10_000),
      messages: z.number().int().min(1).max(100_000),
      firstChat: z.number().int().default(0),
      firstMessage: z.number().int().default(0),
    })
    .optional(),
  names: z.array(z.strictObject({ id: z.string(), name: z.string() })).default([]),
  addresses: z.array(z.strictObject({ phone: z.string(), lid: z.string() })).default([]),
  spoil: z.enum(SPOILED).optional(),
});
export type HistoryBody = z.input<typeof historySchema>;
type History = z.output<typeof historySchema>;
type PastChat = History['chats'][number];

const DAY_SECONDS = 86_400;

/** The chats of a history: those that are named, and those that are made, each the same for the same number. */
export function chatsOf({ chats, made }: History, nowMs: number): readonly PastChat[] {
  if (made === undefined) return chats;
  const newest = Math.floor(nowMs / 1_000 / DAY_SECONDS) * DAY_SECONDS - DAY_SECONDS;
  return [...chats, ...Array.from({ length: made.chats }, (_, at) => madeChat(made.firstChat + at, made, newest))];
}

function madeChat(
  number: number,
  { messages, firstMessage }: { readonly messages: number; readonly firstMessage: number },
  newest: number,
): PastChat {
  const digits = String(30_000 + number).padStart(6, '0');
  return {
    id: `4917000${digits}@s.whatsapp.net`,
    lid: `77000${digits}@lid`,
    name: `Person ${number}`,
    unread: number % 3,
    messages: Array.from({ length: messages }, (_, at) => {
      const place = firstMessage + at;
      return {
        id: `3A${String(number).padStart(8, '0')}${String(place).padStart(8, '0')}`,
        fromMe: place % 2 === 1,
        at: newest - place * 60,
        text: `message ${place} of chat ${number}: the order has left the warehouse and is on its way to you`,
        pushName: `P${number}`,
        secret: Buffer.alloc(32, (number + place) % 251).toString('base64'),
      };
    }),
  };
}

/** The history in the form of the protocol. */
export function toHistory(
  body: Pick<History, 'type' | 'chunk' | 'progress' | 'names' | 'addresses'>,
  chats: readonly PastChat[],
) {
  return proto.HistorySync.encode({
    syncType: HISTORY_TYPES[body.type],
    chunkOrder: body.chunk,
    progress: body.progress,
    conversations: chats.map((chat) => ({
      id: chat.id,
      ...(chat.name === undefined ? {} : { name: chat.name }),
      ...(chat.lid === undefined ? {} : { lidJid: chat.lid }),
      ...(chat.phone === undefined ? {} : { pnJid: chat.phone }),
      ...(chat.unread === undefined ? {} : { unreadCount: chat.unread }),
      ...(chat.archived === undefined ? {} : { archived: chat.archived }),
      ...(chat.pinned === undefined ? {} : { pinned: chat.pinned }),
      ...(chat.muteEndTime === undefined ? {} : { muteEndTime: chat.muteEndTime }),
      ...(chat.markedAsUnread === undefined ? {} : { markedAsUnread: chat.markedAsUnread }),
      messages: chat.messages.map((message, place) => ({ message: toInfo(chat, message), msgOrderId: place })),
    })),
    pushnames: body.names.map(({ id, name }) => ({ id, pushname: name })),
    phoneNumberToLidMappings: body.addresses.map(({ phone, lid }) => ({ pnJid: phone, lidJid: lid })),
  }).finish();
}

function toInfo({ id: remoteJid }: PastChat, message: PastChat['messages'][number]): proto.IWebMessageInfo {
  const { id, fromMe, at, text, participant, pushName, secret } = message;
  const content =
    message.message === undefined
      ? { conversation: text ?? '' }
      : proto.Message.decode(Buffer.from(message.message, 'base64'));
  return {
    key: { remoteJid, fromMe, id, ...(participant === undefined ? {} : { participant }) },
    message: content,
    messageTimestamp: at,
    ...(participant === undefined ? {} : { participant }),
    ...(pushName === undefined || fromMe ? {} : { pushName }),
    ...(secret === undefined ? {} : { messageSecret: Buffer.from(secret, 'base64') }),
  };
}

type Notice = proto.Message.IHistorySyncNotification;

/** Puts a history where a linked device finds it: into the notice itself, or sealed on the media hosts. */
export async function placeHistory(
  store: FileStore,
  account: Account,
  body: Pick<History, 'type' | 'chunk' | 'progress' | 'inline' | 'spoil'>,
  history: Uint8Array,
): Promise<Notice> {
  const { type, chunk, progress, inline, spoil } = body;
  const notice = { syncType: HISTORY_TYPES[type], chunkOrder: chunk, progress };
  const packed = packedOf(history, spoil);
  if (inline) return { ...notice, initialHistBootstrapInlinePayload: packed };
  const mediaKey = randomBytes(32);
  const sealing = new Sealing(inChunks(packed), keysOf(mediaKey, 'history'));
  const sealed = await Array.fromAsync(sealing.chunks());
  const bytes = Buffer.concat(sealed);
  if (spoil === 'mac') bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  const file = store.put('md-msg-hist', spoil === 'cut' ? bytes.subarray(0, bytes.length >> 1) : bytes, account.number);
  if (spoil === 'gone') store.expire(file.sha256, 404);
  const path = spoil === 'foreign_host' ? '//example.com/history.enc' : store.pathOf(file);
  return {
    ...notice,
    ...(spoil === 'no_place' ? {} : { directPath: path }),
    mediaKey: spoil === 'key' ? randomBytes(32) : mediaKey,
    fileSha256: spoil === 'hash' ? randomBytes(32) : sealing.sealed.sha256,
    fileEncSha256: Buffer.from(file.sha256, 'hex'),
    fileLength: sealing.sealed.bytes,
  };
}

/** A bomb is 2 GB of nothing in a field that nobody reads. */
function packedOf(history: Uint8Array, spoil: History['spoil']): Buffer {
  if (spoil === 'no_history') return deflateSync(Buffer.from('this is no history at all, and never was'));
  if (spoil !== 'bomb') return deflateSync(history);
  const zeros = deflateSync(Buffer.alloc(64 * 1_024 * 1_024));
  return zeros;
}

async function* inChunks(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let from = 0; from < bytes.length; from += 65_536) yield bytes.subarray(from, from + 65_536);
}

/** The message by which a phone tells a linked device of a history. */
export function toNoticeMessage(notice: Notice, requestId?: string): proto.IMessage {
  return {
    protocolMessage: {
      type: proto.Message.ProtocolMessage.Type.HISTORY_SYNC_NOTIFICATION,
      historySyncNotification: {
        ...notice,
        ...(requestId === undefined ? {} : { peerDataRequestSessionId: requestId }),
      },
    },
  };
}

/**
 * The notice with which a phone shares its history with a device that is new. It is small, carries no chats, and travels
 * in the message itself; a client that gets none holds its messages back for 20 s.
 */
export function makeHistoryNotice(): proto.IMessage {
  const body = historySchema.parse({ type: 'initial', inline: true });
  return toNoticeMessage({
    syncType: HISTORY_TYPES.initial,
    chunkOrder: 1,
    progress: 100,
    initialHistBootstrapInlinePayload: deflateSync(toHistory(body, [])),
  });
}

/** The part of a history that a device asks its phone for: what is older than the oldest message that it has. */
export function olderThan(
  past: readonly PastChat[],
  asked: proto.Message.PeerDataOperationRequestMessage.IHistorySyncOnDemandRequest,
  names: readonly string[],
): PastChat | undefined {
  const chat = past.find(({ id, lid = '', phone = '' }) => [id, lid, phone].some((name) => names.includes(name)));
  const before = Number(asked.oldestMsgTimestampMs ?? Number.MAX_SAFE_INTEGER) / 1_000;
  const older = chat?.messages
    .filter(({ at, id }) => at <= before && id !== asked.oldestMsgId)
    .toSorted((one, other) => other.at - one.at);
  return chat && older ? { ...chat, messages: older.slice(0, asked.onDemandMsgCount ?? 50) } : undefined;
}
