import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  TransactWriteCommand,
  UpdateCommand,
  type DynamoDBDocumentClient,
} from '@aws-sdk/lib-dynamodb';
import { AppError } from '../kernel/appError.ts';
import { numberOf } from '../contact/contact.ts';
import { writeTogether, type RowOutcome } from '../event/recording/writeRows.ts';
import type { ConnectionId } from '../kernel/id.ts';
import { contactNumberKey } from '../platform/contactKeys.ts';
import { CHAT_PARTS, CHAT_PREFIX, chatKey, chatPartition, newChatsKey } from '../platform/chatKeys.ts';
import { expiryOf, isExpired } from '../platform/expiry.ts';
import type { ItemKey } from '../platform/keys.ts';
import type { TransactionWrite } from '../message/messageWrites.ts';
import { queryItems, type Item } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import type { ChatRow } from './chat.ts';

/** The most chats that a connection comes to have on one day: as many as people whom it comes to know. */
export const NEW_CHATS_A_DAY = 5_000;
const DAY_MS = 86_400_000;
/** The most rows of one `BatchGet`. */
const BATCH = 100;

/** A chat of a connection, by any id of it. */
export interface ChatName {
  readonly connectionId: ConnectionId;
  readonly id: string;
}

/** A chat as it was read, and as it is to be. */
export interface ChatWrite {
  readonly connectionId: ConnectionId;
  /** The chat as it was read; undefined where there was none. */
  readonly was: ChatRow | undefined;
  readonly is: ChatRow;
}

/** A chat as it was found. */
export interface FoundChat {
  readonly id: string;
  readonly row: ChatRow | undefined;
  /** Whether the time of the row is over, and it is there nevertheless. */
  readonly isOver: boolean;
}

/** What a list is sorted and chosen by. */
export type ListedChat = Pick<ChatRow, 'id' | 'lastAtMs' | 'unread' | 'markedUnread' | 'archived' | 'deletedAtMs'>;

/** The chats that a list is asked for: the others are read by the store and not handed over, which is most of what a long list takes. */
export interface ListRange {
  /** Only chats in which a message came or left at this time or later, in milliseconds since 1970. */
  readonly sinceMs?: number | undefined;
  /** Only those in which none came or left after this time. */
  readonly untilMs?: number | undefined;
  /** Only those in the archive. */
  readonly isArchived?: true | undefined;
  /** Only those with unread messages or the mark. */
  readonly isUnread?: true | undefined;
}

/** The chats of connections. The caller has read the connection under its tenant. */
export class ChatStore {
  readonly #table: DynamoDBDocumentClient;
  readonly #TableName: string;

  constructor({ table, stage }: { readonly table: DynamoDBDocumentClient; readonly stage: string }) {
    this.#table = table;
    this.#TableName = tableName(stage, 'core');
  }

  /**
   * Reads some chats, each under the id by which it is kept: a person who is named by number alone is looked for under the LID that the
   * number leads to. Returns, in the order of the names, the id and the row, where there is one. Of a row whose time is over only its
   * version counts: who writes it takes it up again.
   * @param isConsistent whether the answer must not be older than the last write
   */
  async readFor(names: readonly ChatName[], isConsistent: boolean, nowMs: number): Promise<readonly FoundChat[]> {
    const leads = names.flatMap(({ connectionId, id }) => {
      const number = numberOf(id);
      return number === undefined ? [] : [contactNumberKey(connectionId, number)];
    });
    const keyOf = ({ connectionId, id }: ChatName): ItemKey => chatKey(connectionId, id);
    // Each kind of row is read by a call of its own: a role is granted one kind of keys at a time, for all keys of a call.
    const [chats, numbers] = await Promise.all([
      this.#getAll(names.map(keyOf), isConsistent),
      this.#getAll(leads, isConsistent),
    ]);
    const items = new Map([...chats, ...numbers]);
    const found = (key: ItemKey): Item | undefined => items.get(nameOf(key));
    const kept = names.map(({ connectionId, id }) => {
      const number = numberOf(id);
      const lead = number === undefined ? undefined : found(contactNumberKey(connectionId, number));
      return { connectionId, id: (lead?.['id'] as string | undefined) ?? id };
    });
    const led = kept.filter(({ id }, place) => id !== names[place]?.id).map(keyOf);
    if (led.length > 0) for (const [name, item] of await this.#getAll(led, isConsistent)) items.set(name, item);
    return kept.map((one) => ({ id: one.id, ...toFound(found(keyOf(one)), nowMs) }));
  }

  /** Counts new chats of a day. Condition: they are no more than {@link NEW_CHATS_A_DAY} with those before. */
  async admit(connectionId: ConnectionId, count: number, nowMs: number): Promise<'admitted' | 'too_many'> {
    try {
      await this.#table.send(
        new UpdateCommand({
          TableName: this.#TableName,
          Key: { ...newChatsKey(connectionId, Math.floor(nowMs / DAY_MS)) },
          UpdateExpression: 'ADD made :count SET #ttl = :ttl',
          ConditionExpression: 'attribute_not_exists(pk) OR made <= :room',
          ExpressionAttributeNames: { '#ttl': 'ttl' },
          ExpressionAttributeValues: {
            ':count': count,
            ':room': NEW_CHATS_A_DAY - count,
            ':ttl': expiryOf('newChats', nowMs),
          },
        }),
      );
      return 'admitted';
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return 'too_many';
      throw error;
    }
  }

  /** Writes chats, each on the condition that it is as it was read. Returns the outcome of each. */
  write(writes: readonly ChatWrite[], nowMs: number): Promise<readonly RowOutcome[]> {
    return writeTogether(
      { table: this.#table },
      writes.map((write) => this.#toWrite(write, nowMs)),
    );
  }

  /** Writes one chat in place of two. Condition: both are as they were read. Returns whether it held. */
  async merge(write: ChatWrite, gone: ChatRow, nowMs: number): Promise<boolean> {
    const Delete = {
      TableName: this.#TableName,
      Key: { ...chatKey(write.connectionId, gone.id) },
      ConditionExpression: '#version = :version',
      ExpressionAttributeNames: { '#version': 'version' },
      ExpressionAttributeValues: { ':version': gone.version },
    };
    try {
      await this.#table.send(new TransactWriteCommand({ TransactItems: [this.#toWrite(write, nowMs), { Delete }] }));
      return true;
    } catch (error) {
      if (error instanceof TransactionCanceledException) return false;
      throw error;
    }
  }

  /** Reads one chat by any address of it, strongly consistent. */
  async find(connectionId: ConnectionId, id: string, nowMs: number): Promise<ChatRow | undefined> {
    const [found] = await this.readFor([{ connectionId, id }], true, nowMs);
    return found?.isOver === true ? undefined : found?.row;
  }

  /** Reads the chat of exactly this id, strongly consistent: no number leads anywhere. */
  async readExactly({ connectionId, id }: ChatName, nowMs: number): Promise<ChatRow | undefined> {
    const key = chatKey(connectionId, id);
    const { row, isOver } = toFound((await this.#getAll([key], true)).get(nameOf(key)), nowMs);
    return isOver ? undefined : row;
  }

  /** Reads what the chats of a connection are sorted by, in no order. Eventually consistent: a list is a moment old in any case. */
  async list(connectionId: ConnectionId, range: ListRange, nowMs: number): Promise<readonly ListedChat[]> {
    const parts = Array.from({ length: CHAT_PARTS }, (_, part) =>
      this.#listPart(chatPartition(connectionId, part), range, nowMs),
    );
    return (await Promise.all(parts)).flat();
  }

  /** Reads the rows of some chats of a connection, by their ids. */
  async getAll(
    connectionId: ConnectionId,
    ids: readonly string[],
    nowMs: number,
  ): Promise<ReadonlyMap<string, ChatRow>> {
    const keys = ids.map((id) => chatKey(connectionId, id));
    const found = [...(await this.#getAll(keys, false)).values()].map((item) => toFound(item, nowMs));
    return new Map(found.flatMap(({ row, isOver }) => (row === undefined || isOver ? [] : [[row.id, row]])));
  }

  async #listPart(partition: string, range: ListRange, nowMs: number): Promise<readonly ListedChat[]> {
    const listed: ListedChat[] = [];
    const { expression, values } = toFilter(range);
    const items = queryItems(this.#table, {
      TableName: this.#TableName,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ...(expression === undefined ? {} : { FilterExpression: expression }),
      ProjectionExpression: 'id, lastAtMs, unread, markedUnread, archived, deletedAtMs, #ttl',
      ExpressionAttributeNames: { '#ttl': 'ttl' },
      ExpressionAttributeValues: { ':pk': partition, ':prefix': CHAT_PREFIX, ...values },
    });
    for await (const item of items) {
      if (!isExpired(item, nowMs)) listed.push(item as unknown as ListedChat);
    }
    return listed;
  }

  #toWrite({ connectionId, was, is }: ChatWrite, nowMs: number): TransactionWrite {
    const key = chatKey(connectionId, is.id);
    const row = { ...is, ttl: expiryOf('chat', nowMs) };
    if (was === undefined) {
      const Item = { ...key, ...row };
      return { Put: { TableName: this.#TableName, Item, ConditionExpression: 'attribute_not_exists(pk)' } };
    }
    const sets = Object.entries(row).filter(([name, value]) => value !== undefined && name !== 'id');
    return {
      Update: {
        TableName: this.#TableName,
        Key: { ...key },
        UpdateExpression: `SET ${sets.map(([name]) => `#${name} = :${name}`).join(', ')}`,
        ConditionExpression: 'attribute_exists(pk) AND #version = :was',
        ExpressionAttributeNames: Object.fromEntries(sets.map(([name]) => [`#${name}`, name])),
        ExpressionAttributeValues: {
          ...Object.fromEntries(sets.map(([name, value]) => [`:${name}`, value])),
          ':was': was.version,
        },
      },
    };
  }

  async #getAll(keys: readonly ItemKey[], isConsistent: boolean): Promise<Map<string, Item>> {
    const distinct = [...new Map(keys.map((key) => [nameOf(key), key])).values()];
    const found = new Map<string, Item>();
    for (let from = 0; from < distinct.length; from += BATCH) {
      const Keys = distinct.slice(from, from + BATCH).map((key) => ({ ...key }));
      const answer = await this.#table.send(
        new BatchGetCommand({ RequestItems: { [this.#TableName]: { Keys, ConsistentRead: isConsistent } } }),
      );
      // A row that was not read must not count as missing.
      const left = answer.UnprocessedKeys?.[this.#TableName]?.Keys ?? [];
      if (left.length > 0) throw new AppError('store_unavailable', { detail: 'not all chats could be read' });
      for (const item of answer.Responses?.[this.#TableName] ?? []) found.set(nameOf(item as unknown as ItemKey), item);
    }
    return found;
  }
}

function toFilter({ sinceMs, untilMs, isArchived, isUnread }: ListRange): {
  readonly expression: string | undefined;
  readonly values: Readonly<Record<string, number | boolean>>;
} {
  const terms = [
    { isAsked: sinceMs !== undefined, term: 'lastAtMs >= :since', values: { ':since': sinceMs ?? 0 } },
    { isAsked: untilMs !== undefined, term: 'lastAtMs <= :until', values: { ':until': untilMs ?? 0 } },
    { isAsked: isArchived, term: 'archived = :yes', values: { ':yes': true } },
    { isAsked: isUnread, term: '(unread > :none OR markedUnread = :yes)', values: { ':none': 0, ':yes': true } },
  ].filter(({ isAsked }) => isAsked);
  return {
    expression: terms.length === 0 ? undefined : terms.map(({ term }) => term).join(' AND '),
    values: Object.assign({}, ...terms.map(({ values }) => values)) as Record<string, number | boolean>,
  };
}

function nameOf({ pk, sk }: ItemKey): string {
  return `${pk} ${sk}`;
}

function toFound(item: Item | undefined, nowMs: number): Omit<FoundChat, 'id'> {
  if (item === undefined) return { row: undefined, isOver: false };
  const { pk: _pk, sk: _sk, ttl: _ttl, ...row } = item;
  const chat = row as unknown as ChatRow;
  if (!isExpired(item, nowMs)) return { row: chat, isOver: false };
  return { row: { id: chat.id, lastAtMs: 0, unread: 0, version: chat.version }, isOver: true };
}
