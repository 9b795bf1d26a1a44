import { withoutThumbnail } from '../content/mediaFile.ts';
import { fitFields } from '../event/facts/factField.ts';
import { idWithin, messageKey, messageKeysOf } from '../event/facts/messageKey.ts';
import { messageFactSchema, type MessageFact } from '../event/facts/messageFactSchema.ts';
import { keptParts } from '../event/facts/messageParts.ts';
import { derivePastMessageId, type ConnectionId, type StanzaId, type TenantId } from '../kernel/id.ts';
import { isLid, withoutDevice } from '../kernel/jid.ts';
import { goesToMany } from '../message/recipient.ts';
import type { ReceivedMessage } from '../message/message.ts';
import { toContent } from '../wire/content.ts';
import { joined, scan, wireTypes } from '../wire/protobufFields.ts';
import type { HistoryCounts, OwnAddresses } from './historyNotice.ts';

/** The chat of a history, by the id under which it is kept. */
export interface PastChat {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly chat: string;
  readonly chatAlias?: string | undefined;
  readonly own: OwnAddresses;
  /** The other address of a person, where it is known. */
  readonly otherNameOf: (address: string) => string | undefined;
  readonly nowMs: number;
}

/** A message of a history, with the keys that its fact would have. */
export interface PastMessage {
  readonly message: ReceivedMessage;
  readonly key: string;
  readonly keys: readonly string[];
}

/** Why something in a history is no message of its own. */
export type PassedOver = keyof Pick<HistoryCounts, 'acts' | 'system' | 'unreadable'>;

/** The numbers of the fields of `WebMessageInfo`, and of the key in it. */
const INFO = {
  key: 1,
  message: 2,
  seconds: 3,
  participant: 5,
  starred: 17,
  pushName: 19,
  stub: 24,
  secret: 49,
} as const;
const KEY = { fromMe: 2, id: 3, participant: 4 } as const;
/** The earliest time that a message can have: WhatsApp began in 2009. */
const FIRST_MS = Date.UTC(2009, 0, 1);
/** How far WhatsApp's clock may be ahead of ours, in milliseconds. */
const CLOCK_AHEAD_MS = 86_400_000;
const SECRET_BYTES = 32;

interface Info {
  readonly id: string;
  readonly fromMe: boolean;
  readonly participant: string | undefined;
  readonly message: Uint8Array | undefined;
  readonly atMs: number;
  readonly pushName: string | undefined;
  readonly starred: boolean;
  readonly secret: Uint8Array | undefined;
}

/**
 * A message of a history as a row has it. The phone chose all of it, so each field is checked and bounded like those of a stanza. What is done
 * to other messages, what WhatsApp itself notes in a chat, and what cannot be read, is passed over.
 */
export function toPastMessage(bytes: Uint8Array, within: PastChat): PastMessage | PassedOver {
  const info = readInfo(bytes);
  if (info === undefined || info.id === '') return 'unreadable';
  if (info.message === undefined || info.message.length === 0) return 'system';
  if (!(info.atMs >= FIRST_MS && info.atMs <= within.nowMs + CLOCK_AHEAD_MS)) return 'unreadable';
  const told = toContent(info.message);
  if (told === undefined) return 'system';
  if (told.act !== undefined || told.original !== undefined || told.sealed !== undefined) return 'acts';
  const address = addressOf(info, within);
  if (address === undefined) return 'unreadable';
  const secret = told.secret ?? info.secret;
  const unbounded = {
    kind: 'message',
    ...address,
    key: messageKey({ ...address, stanzaId: idWithin({ ...address, content: told.content }) }),
    content: told.content,
    ...(told.flags.length === 0 ? {} : { flags: [...told.flags] }),
    ...keptParts(told),
    ...(told.context === undefined ? {} : { context: told.context }),
    ...(secret?.length === SECRET_BYTES ? { secret: Buffer.from(secret).toString('base64url') } : {}),
  };
  const read = messageFactSchema.safeParse(fitFields(messageFactSchema, unbounded));
  if (!read.success) return 'unreadable';
  const fact: MessageFact = read.data;
  return { message: toRow(fact, info, within), key: fact.key, keys: messageKeysOf(fact) };
}

function toRow(fact: MessageFact, { starred }: Info, { tenantId, connectionId }: PastChat): ReceivedMessage {
  const { chat, chatAlias, sender, senderAlias, senderName, stanzaId, content, flags, context, secret, files, atMs } =
    fact;
  const messageId = derivePastMessageId(connectionId, {
    chat,
    sender: fact.fromMe ? 'me' : sender,
    stanzaId: idWithin(fact),
    timestampMs: atMs,
  });
  return {
    tenantId,
    connectionId,
    messageId,
    stanzaId,
    direction: fact.fromMe ? 'echo' : 'in',
    createdAtMs: atMs,
    chat,
    chatAlias,
    sender,
    senderAlias,
    senderName,
    content,
    flags,
    context,
    secret,
    ...(starred ? { starred } : {}),
    ...keptParts(fact),
    // WhatsApp may have a file of years ago no longer: it is fetched when somebody asks for it.
    ...(files === undefined
      ? {}
      : { files: files.map((file) => ({ ...withoutThumbnail(file), left: true as const })) }),
  };
}

function addressOf(
  { id, fromMe, participant, atMs, pushName }: Info,
  { chat, chatAlias, own, otherNameOf }: PastChat,
):
  | Pick<MessageFact, 'atMs' | 'stanzaId' | 'chat' | 'chatAlias' | 'sender' | 'senderAlias' | 'senderName' | 'fromMe'>
  | undefined {
  const toMany = goesToMany(chat);
  const ownName = isLid(chat) || toMany ? (own.lid ?? own.phoneJid) : own.phoneJid;
  const author = fromMe ? ownName : toMany ? participant : chat;
  if (author === undefined) return undefined;
  // A person is kept under the LID, where it is known, whatever the phone called them at the time.
  const other = fromMe
    ? [own.phoneJid, own.lid].find((name) => name !== author)
    : toMany
      ? otherNameOf(author)
      : chatAlias;
  const [sender, senderAlias] =
    !fromMe && toMany && other !== undefined && isLid(other) ? [other, author] : [author, other];
  return {
    atMs,
    stanzaId: id as StanzaId,
    chat,
    sender,
    fromMe,
    ...(chatAlias === undefined ? {} : { chatAlias }),
    ...(senderAlias === undefined ? {} : { senderAlias }),
    ...(pushName ? { senderName: pushName } : {}),
  };
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

function readInfo(bytes: Uint8Array): Info | undefined {
  const parts: Uint8Array[] = [];
  const found: {
    key?: Uint8Array;
    participant?: string;
    pushName?: string;
    secret?: Uint8Array;
    seconds: number;
    starred: boolean;
  } = {
    seconds: 0,
    starred: false,
  };
  const read = scan(bytes, ({ number, wireType, bytes: value, value: amount }) => {
    if (wireType === wireTypes.number) {
      if (number === INFO.seconds) found.seconds = amount;
      if (number === INFO.starred) found.starred = amount === 1;
      return;
    }
    if (number === INFO.key) found.key = value;
    if (number === INFO.message) parts.push(value);
    if (number === INFO.participant) found.participant = textOf(value);
    if (number === INFO.pushName) found.pushName = textOf(value);
    if (number === INFO.secret) found.secret = value;
  });
  const key = found.key === undefined ? undefined : readKey(found.key);
  if (read === 'malformed' || key === undefined) return undefined;
  const participant = found.participant || key.participant || undefined;
  return {
    id: key.id,
    fromMe: key.fromMe,
    participant: participant === undefined ? undefined : withoutDevice(participant),
    message: parts.length === 0 ? undefined : joined(parts),
    atMs: found.seconds * 1_000,
    pushName: found.pushName,
    starred: found.starred,
    secret: found.secret,
  };
}

function readKey(bytes: Uint8Array): Pick<Info, 'id' | 'fromMe' | 'participant'> | undefined {
  let [id, fromMe, participant] = ['', false, ''];
  const read = scan(bytes, ({ number, wireType, bytes: value, value: amount }) => {
    if (number === KEY.fromMe && wireType === wireTypes.number) fromMe = amount === 1;
    if (number === KEY.id && wireType === wireTypes.bytes) id = textOf(value);
    if (number === KEY.participant && wireType === wireTypes.bytes) participant = textOf(value);
  });
  return read === 'malformed' ? undefined : { id, fromMe, participant };
}
