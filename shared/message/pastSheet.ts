import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { ConnectionId, MessageId, TenantId } from '../kernel/id.ts';
import { toMessage } from './messageItem.ts';
import type { ReceivedMessage } from './message.ts';

/**
 * Sheets: many messages of one chat in one row, as a history has them by the thousand. A row of its own would cost a write unit for each, and
 * whoever looks for a chat would look through all of them.
 */
export interface Sheet {
  readonly data: Uint8Array;
  readonly messages: number;
  readonly newest: MessageId;
  readonly oldest: MessageId;
}

/** The most messages of a sheet, and the most characters of them before they are packed: a row has 400 KB. */
const MOST_MESSAGES = 100;
const MOST_CHARACTERS = 200_000;
/** The most bytes that a sheet may be unpacked to: three for each character, and one message that is larger than that alone. */
const MOST_UNPACKED = 4 * 1_024 * 1_024;

/** Packs messages of one chat. @param messages the newest first, without two of one id */
export function toSheets(messages: readonly ReceivedMessage[]): readonly Sheet[] {
  const sheets: Sheet[] = [];
  let texts: string[] = [];
  let ids: MessageId[] = [];
  let characters = 0;
  const close = (): void => {
    const [newest, oldest] = [ids[0], ids.at(-1)];
    if (newest === undefined || oldest === undefined) return;
    const data = deflateRawSync(`[${texts.join(',')}]`);
    sheets.push({ data, messages: ids.length, newest, oldest });
    [texts, ids, characters] = [[], [], 0];
  };
  for (const message of messages) {
    const { tenantId: _tenant, connectionId: _connection, ...own } = message;
    const text = JSON.stringify(own);
    if (ids.length === MOST_MESSAGES || (ids.length > 0 && characters + text.length > MOST_CHARACTERS)) close();
    texts.push(text);
    ids.push(message.messageId);
    characters += text.length;
  }
  close();
  return sheets;
}

/**
 * A sheet without some of its messages; undefined where none is left. Its other messages stay as they were packed.
 */
export function repacked(
  data: Uint8Array,
  isTaken: (message: Pick<ReceivedMessage, 'messageId'>) => boolean,
): { readonly sheet: Pick<Sheet, 'data' | 'messages' | 'oldest'> | undefined; readonly taken: number } {
  const items = unpack(data) as readonly Pick<ReceivedMessage, 'messageId'>[];
  const left = items.filter((item) => !isTaken(item));
  const oldest = left.at(-1)?.messageId;
  const taken = items.length - left.length;
  if (oldest === undefined) return { sheet: undefined, taken };
  return { sheet: { data: deflateRawSync(JSON.stringify(left)), messages: left.length, oldest }, taken };
}

/** Unpacks the messages of a sheet, the newest first. Only our own code writes sheets: what is no sheet throws. */
export function fromSheet(
  data: Uint8Array,
  owner: { readonly tenantId: TenantId; readonly connectionId: ConnectionId },
): readonly ReceivedMessage[] {
  return unpack(data).map((item) => toMessage({ ...item, ...owner }) as ReceivedMessage);
}

function unpack(data: Uint8Array): readonly Record<string, unknown>[] {
  const text = inflateRawSync(data, { maxOutputLength: MOST_UNPACKED }).toString();
  return JSON.parse(text) as readonly Record<string, unknown>[];
}
