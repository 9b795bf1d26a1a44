import { joined, scan, wireTypes } from '../../../shared/wire/protobufFields.ts';
import { ByteReader } from './byteReader.ts';
import { HistoryFaultError } from './historyFault.ts';

/**
 * The parts of a history as they come, one at a time: a history of a gigabyte is never held as a whole, nor is a chat of it. Numbers are those of
 * WhatsApp's protocol 2.3000.1045601094 (`HistorySync`, `Conversation`).
 */
export type HistoryPart =
  | { readonly part: 'chat_begins'; readonly place: number }
  /** A `WebMessageInfo`; `undefined` for one that is larger than any message. */
  | { readonly part: 'message'; readonly bytes: Uint8Array | undefined }
  /** The chat is over: what stood beside its messages. */
  | { readonly part: 'chat_ends'; readonly place: number; readonly fields: ChatFields }
  | { readonly part: 'name'; readonly bytes: Uint8Array }
  | { readonly part: 'addresses'; readonly bytes: Uint8Array };

/** What a history says of a chat beside its messages. */
export interface ChatFields {
  readonly id?: string;
  readonly name?: string;
  readonly phoneJid?: string;
  readonly lid?: string;
  readonly unread?: number;
  readonly isComplete?: boolean;
  readonly archived?: boolean;
  readonly markedUnread?: boolean;
  readonly pinned?: number;
  readonly mutedUntil?: number;
}

const HISTORY = { chats: 2, names: 7, addresses: 15 } as const;
const CHAT_MESSAGES = 2;
const HISTORY_MESSAGE = 1;
const CHAT_TEXTS: Readonly<Record<number, 'id' | 'name' | 'phoneJid' | 'lid'>> = {
  1: 'id',
  13: 'name',
  39: 'phoneJid',
  42: 'lid',
};
const CHAT_NUMBERS: Readonly<Record<number, 'unread' | 'pinned' | 'mutedUntil'>> = {
  6: 'unread',
  24: 'pinned',
  25: 'mutedUntil',
};
const CHAT_FLAGS: Readonly<Record<number, 'isComplete' | 'archived' | 'markedUnread'>> = {
  8: 'isComplete',
  16: 'archived',
  19: 'markedUnread',
};

/** The most bytes of a message, and of any other field that is looked at: what WhatsApp's server takes of a message is below 1 MB. */
const MOST_MESSAGE_BYTES = 1_048_576;
const MOST_FIELD_BYTES = 4_096;

/** Reads a history. Throws {@link HistoryFaultError} where it is none. */
export async function* readHistory(source: AsyncIterable<Uint8Array>): AsyncGenerator<HistoryPart> {
  const reader = new ByteReader(source);
  let place = 0;
  while (!(await reader.isAtEnd())) {
    const { number, wireType } = await readTag(reader);
    if (wireType === wireTypes.bytes && number === HISTORY.chats) {
      yield { part: 'chat_begins', place };
      yield* readChat(reader, place);
      place += 1;
    } else if (wireType === wireTypes.bytes && (number === HISTORY.names || number === HISTORY.addresses)) {
      const bytes = await readBounded(reader, MOST_FIELD_BYTES);
      if (bytes !== undefined) yield { part: number === HISTORY.names ? 'name' : 'addresses', bytes };
    } else {
      await passOver(reader, wireType);
    }
  }
}

async function* readChat(reader: ByteReader, place: number): AsyncGenerator<HistoryPart> {
  const length = await reader.number();
  const end = reader.position + length;
  const fields: { -readonly [Name in keyof ChatFields]: ChatFields[Name] } = {};
  while (reader.position < end) {
    const { number, wireType } = await readTag(reader);
    if (wireType === wireTypes.bytes && number === CHAT_MESSAGES) {
      yield { part: 'message', bytes: messageIn(await readBounded(reader, MOST_MESSAGE_BYTES)) };
      continue;
    }
    const [text, amount, flag] = [CHAT_TEXTS[number], CHAT_NUMBERS[number], CHAT_FLAGS[number]];
    if (wireType === wireTypes.bytes && text !== undefined) {
      const bytes = await readBounded(reader, MOST_FIELD_BYTES);
      if (bytes !== undefined) fields[text] = Buffer.from(bytes).toString();
    } else if (wireType === wireTypes.number && amount !== undefined) fields[amount] = await reader.number();
    else if (wireType === wireTypes.number && flag !== undefined) fields[flag] = (await reader.number()) === 1;
    else await passOver(reader, wireType);
  }
  if (reader.position !== end) throw new HistoryFaultError('malformed');
  yield { part: 'chat_ends', place, fields };
}

async function readTag(reader: ByteReader): Promise<{ readonly number: number; readonly wireType: number }> {
  const tag = await reader.number();
  const number = Math.floor(tag / 8);
  if (number === 0) throw new HistoryFaultError('malformed');
  return { number, wireType: tag % 8 };
}

/** A field of bytes; undefined for one that is larger, which is passed over. */
async function readBounded(reader: ByteReader, mostBytes: number): Promise<Uint8Array | undefined> {
  const length = await reader.number();
  if (length <= mostBytes) return reader.bytes(length);
  await reader.skip(length);
  return undefined;
}

async function passOver(reader: ByteReader, wireType: number): Promise<void> {
  switch (wireType) {
    case wireTypes.number:
      await reader.number();
      return;
    case wireTypes.bytes:
      return reader.skip(await reader.number());
    case wireTypes.eightBytes:
      return reader.skip(8);
    case wireTypes.fourBytes:
      return reader.skip(4);
    default:
      // The protocol has no groups: what has one is no history.
      throw new HistoryFaultError('malformed');
  }
}

/** The message in its wrapping, which adds its number among those of the phone. */
function messageIn(wrapped: Uint8Array | undefined): Uint8Array | undefined {
  if (wrapped === undefined) return undefined;
  const parts: Uint8Array[] = [];
  const read = scan(wrapped, ({ number, wireType, bytes }) => {
    if (number === HISTORY_MESSAGE && wireType === wireTypes.bytes) parts.push(bytes);
  });
  return read === 'malformed' || parts.length === 0 ? undefined : joined(parts);
}
