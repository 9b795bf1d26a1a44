import { BatchGetCommand, PutCommand, UpdateCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { AppError } from '../kernel/appError.ts';
import { tagOfChat, tagOfPastId, type ConnectionId, type MessageId, type TenantId } from '../kernel/id.ts';
import { expiryOf, isExpired } from '../platform/expiry.ts';
import { pastChatKey, pastNamesKey, pastPartition, SHEET_PREFIX, sheetKey } from '../platform/historyKeys.ts';
import { queryItems, type Item } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import type { ReceivedMessage } from './message.ts';
import { hashOfKey, namesIn, pastNamesRowOf, toName } from './pastNames.ts';
import { fromSheet, toSheets } from './pastSheet.ts';

/** The sheets before a place that are looked at for a message: each begins with its newest one, and few reach into another. */
const LOOK_BACK = 4;
/** The number of calls of one chat that are under way at once. */
const AT_ONCE = 8;

/** A message that a history brought, with the keys that its fact would have, by which others name it. */
export interface NamedPast {
  readonly message: ReceivedMessage;
  readonly keys: readonly string[];
}

/** The connection, which the caller has read under its tenant. */
interface Owner {
  readonly connectionId: ConnectionId;
}

/**
 * The messages that histories brought, chat by chat. They are packed in sheets (`pastSheet.ts`), and beside those stand their names: the hash
 * of the key that the fact of each would have, and its id.
 *
 * - *The process dies between sheets and names*: the messages are written again, into the same sheets.
 * - *It happens twice, or two do it at once*: the same messages make the same sheets, a name is added to a set, and who reads leaves out what it
 *   has shown.
 */
export class PastMessages {
  readonly #table: DynamoDBDocumentClient;
  readonly #TableName: string;

  constructor({ table, stage }: { readonly table: DynamoDBDocumentClient; readonly stage: string }) {
    this.#table = table;
    this.#TableName = tableName(stage, 'core');
  }

  /**
   * Writes messages of one chat: what leads to its sheets first, then the sheets, then the names.
   * @param past the newest first, without two of one id
   * @param source tells the sheets of one source from those of another
   */
  async write(
    { tenantId, connectionId }: { readonly tenantId: TenantId; readonly connectionId: ConnectionId },
    chat: string,
    past: readonly NamedPast[],
    { source, nowMs }: { readonly source: string; readonly nowMs: number },
  ): Promise<void> {
    const tag = tagOfChat(chat);
    const ttl = expiryOf('history', nowMs);
    const sheets = toSheets(past.map(({ message }) => message));
    if (sheets.length > 0) {
      const Item = { ...pastChatKey(connectionId, tag), tag };
      await this.#table.send(new PutCommand({ TableName: this.#TableName, Item }));
    }
    await inTurns(sheets, ({ data, messages, newest, oldest }) => {
      const Item = { ...sheetKey(connectionId, tag, newest, source), tenantId, chat, data, messages, oldest, ttl };
      return this.#table.send(new PutCommand({ TableName: this.#TableName, Item }));
    });
    const names = past.flatMap(({ message: { messageId }, keys }) =>
      [...new Set(keys)].map((key) => ({ key, messageId })),
    );
    const rows = [...Map.groupBy(names, ({ key }) => pastNamesRowOf(key))];
    await inTurns(rows, ([row, named]) => this.#addNames({ ...pastNamesKey(connectionId, tag, row) }, named, ttl));
  }

  /**
   * Finds the ids of messages by the keys that their facts would have, strongly consistent.
   * @param chats all addresses of their chat
   */
  async findIds(
    { connectionId }: Owner,
    chats: readonly string[],
    keys: readonly string[],
    nowMs: number,
  ): Promise<ReadonlyMap<string, MessageId>> {
    const rows = [...new Set(keys.map(pastNamesRowOf))];
    const Keys = chats.flatMap((chat) => rows.map((row) => ({ ...pastNamesKey(connectionId, tagOfChat(chat), row) })));
    const names = new Map((await this.#get(Keys)).filter((item) => !isExpired(item, nowMs)).flatMap(namesIn));
    return new Map(
      keys.flatMap((key) => {
        const id = names.get(hashOfKey(key));
        return id === undefined ? [] : [[key, id] as const];
      }),
    );
  }

  /** Finds one message by its id, as long as it is there: like the row of any other one it counts until it is deleted. */
  async find(owner: Owner, messageId: MessageId): Promise<ReceivedMessage | undefined> {
    for await (const found of this.#around(owner, tagOfPastId(messageId), messageId, 0)) {
      const message = found.find((one) => one.messageId === messageId);
      if (message !== undefined) return message;
    }
    return undefined;
  }

  /**
   * The messages of a chat, the newest first, read as they are needed.
   * @param chats all addresses of the chat
   * @param before the message before which it begins; the newest one when left out
   */
  async *list(
    owner: Owner,
    chats: readonly string[],
    before: MessageId | undefined,
    nowMs: number,
  ): AsyncGenerator<ReceivedMessage> {
    const streams = [...new Set(chats)].map((chat) => this.#listOne(owner, chat, before, nowMs));
    const heads = await Promise.all(streams.map((stream) => stream.next()));
    let last: MessageId | undefined;
    for (;;) {
      let newest: { readonly place: number; readonly message: ReceivedMessage } | undefined;
      for (const [place, head] of heads.entries()) {
        if (head.done === true) continue;
        if (newest === undefined || head.value.messageId > newest.message.messageId) {
          newest = { place, message: head.value };
        }
      }
      if (newest === undefined) return;
      const { place, message } = newest;
      heads[place] = (await streams[place]?.next()) ?? { done: true, value: undefined };
      if (message.messageId !== last) yield message;
      last = message.messageId;
    }
  }

  /** The oldest message of a chat. @param chats all addresses of the chat */
  async oldestOf(owner: Owner, chats: readonly string[], nowMs: number): Promise<ReceivedMessage | undefined> {
    const found: ReceivedMessage[] = [];
    for (const chat of new Set(chats)) {
      const items = this.#sheets(owner, tagOfChat(chat), { forward: true });
      for await (const item of items) {
        const oldest = toMessages(item, owner, chat, nowMs).at(-1);
        if (oldest === undefined) continue;
        found.push(oldest);
        break;
      }
    }
    return found.toSorted((one, other) => (one.messageId < other.messageId ? -1 : 1))[0];
  }

  /** The messages of one chat, in their order although sheets may reach into each other: a sheet is read once its newest message has its turn. */
  async *#listOne(
    owner: Owner,
    chat: string,
    before: MessageId | undefined,
    nowMs: number,
  ): AsyncGenerator<ReceivedMessage> {
    let held: ReceivedMessage[] = [];
    let last: MessageId | undefined;
    const ready = function* (until: string): Generator<ReceivedMessage> {
      held = held.toSorted((one, other) => (one.messageId > other.messageId ? -1 : 1));
      while (held[0] !== undefined && held[0].messageId >= until) {
        const next = held.shift();
        if (next === undefined || next.messageId === last) continue;
        last = next.messageId;
        yield next;
      }
    };
    const isBefore = ({ messageId }: ReceivedMessage): boolean => before === undefined || messageId < before;
    if (before !== undefined) {
      for await (const above of this.#around(owner, tagOfChat(chat), before, nowMs, chat))
        held.push(...above.filter(isBefore));
    }
    for await (const item of this.#sheets(owner, tagOfChat(chat), { forward: false, from: before })) {
      yield* ready(newestOf(item));
      held.push(...toMessages(item, owner, chat, nowMs).filter(isBefore));
    }
    yield* ready('');
  }

  /** The sheets whose newest message is this one or comes after it, the nearest first. */
  async *#around(
    owner: Owner,
    tag: string,
    messageId: MessageId,
    nowMs: number,
    chat?: string,
  ): AsyncGenerator<readonly ReceivedMessage[]> {
    let looked = 0;
    for await (const item of this.#sheets(owner, tag, { forward: true, from: messageId })) {
      yield toMessages(item, owner, chat, nowMs);
      looked += 1;
      if (looked === LOOK_BACK) return;
    }
  }

  #sheets(
    { connectionId }: Owner,
    tag: string,
    { forward, from }: { readonly forward: boolean; readonly from?: MessageId | undefined },
  ): AsyncGenerator<Item> {
    const bounds = forward
      ? { ':from': `${SHEET_PREFIX}${from ?? ''}`, ':until': `${SHEET_PREFIX}~` }
      : { ':from': SHEET_PREFIX, ':until': `${SHEET_PREFIX}${from ?? '~'}` };
    return queryItems(
      this.#table,
      {
        TableName: this.#TableName,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :until',
        ExpressionAttributeValues: { ':pk': pastPartition(connectionId, tag), ...bounds },
        ScanIndexForward: forward,
      },
      { pageSize: LOOK_BACK },
    );
  }

  /** Adds names to a row. One that is full takes none any more: its messages are kept, and nobody finds them by a vote or an answer. */
  async #addNames(
    Key: Record<string, string>,
    named: readonly { readonly key: string; readonly messageId: MessageId }[],
    ttl: number,
  ): Promise<void> {
    const update = new UpdateCommand({
      TableName: this.#TableName,
      Key,
      UpdateExpression: 'ADD #names :names SET #ttl = :ttl',
      ExpressionAttributeNames: { '#names': 'names', '#ttl': 'ttl' },
      ExpressionAttributeValues: { ':names': new Set(named.map(toName)), ':ttl': ttl },
    });
    try {
      await this.#table.send(update);
    } catch (error) {
      const isFull = error instanceof Error && error.name === 'ValidationException' && /item size/i.test(error.message);
      if (!isFull) throw error;
    }
  }

  async #get(keys: readonly Record<string, unknown>[]): Promise<readonly Item[]> {
    if (keys.length === 0) return [];
    const RequestItems = { [this.#TableName]: { Keys: [...keys], ConsistentRead: true } };
    const answer = await this.#table.send(new BatchGetCommand({ RequestItems }));
    // A row that was not read must not count as missing.
    const left = answer.UnprocessedKeys?.[this.#TableName]?.Keys ?? [];
    if (left.length > 0) throw new AppError('store_unavailable', { detail: 'not all names could be read' });
    return answer.Responses?.[this.#TableName] ?? [];
  }
}

function newestOf({ sk }: Item): string {
  return String(sk).slice(SHEET_PREFIX.length).split('#')[0] ?? '';
}

/** Two chats may share a tag, and then a partition. */
function toMessages(
  item: Item,
  { connectionId }: Owner,
  chat: string | undefined,
  nowMs: number,
): readonly ReceivedMessage[] {
  if (isExpired(item, nowMs) || (chat !== undefined && item['chat'] !== chat)) return [];
  return fromSheet(item['data'] as Uint8Array, { tenantId: item['tenantId'] as TenantId, connectionId });
}

async function inTurns<Kind>(all: readonly Kind[], work: (one: Kind) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < all.length; from += AT_ONCE) await Promise.all(all.slice(from, from + AT_ONCE).map(work));
}
