import { BatchGetCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { AppError } from '../kernel/appError.ts';
import type { ConnectionId, MessageId } from '../kernel/id.ts';
import { isExpired } from '../platform/expiry.ts';
import { MESSAGE_PREFIX, messageKey, messagePartition } from '../platform/keys.ts';
import { PAGE_BYTES, queryAnswers, type Item } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import type { Message } from './message.ts';
import { toMessage } from './messageItem.ts';
import type { PastMessages } from './pastMessages.ts';

/** The most answers of the store that one page looks through: 1 MB each, which are some 1,500 messages. */
const MOST_ANSWERS = 4;
/** The attributes of a row that name its chat, whichever of them a stanza or a request used. */
const NAMES = ['chat', 'chatAlias', '#to', 'resolvedTo', 'toAlias'] as const;
/** The most rows of one `BatchGet`. */
const BATCH = 100;
/** The number of past messages that are looked for at once. */
const AT_ONCE = 16;

/**
 * Messages by their chat. Those of a connection lie in one row after the other, so that none costs a further write to be found by its
 * chat: who asks for a chat looks through them. The caller has read the connection under its tenant.
 */
export class MessagesOfChats {
  readonly #table: DynamoDBDocumentClient;
  readonly #TableName: string;
  readonly #past: Pick<PastMessages, 'find'> | undefined;

  /** @param given.past the messages that histories brought; left out where none is looked for */
  constructor({
    table,
    stage,
    past,
  }: {
    readonly table: DynamoDBDocumentClient;
    readonly stage: string;
    readonly past?: Pick<PastMessages, 'find'>;
  }) {
    this.#table = table;
    this.#past = past;
    this.#TableName = tableName(stage, 'core');
  }

  /**
   * Reads a page of a chat's messages, newest first, without edits, deletions and parts of others. A page may be empty and have more behind
   * it. `next` is where the page after it begins; undefined on the last one.
   * @param addresses all addresses of the chat that are known: one or two
   */
  async list(
    connectionId: ConnectionId,
    addresses: readonly string[],
    page: { readonly before: MessageId | undefined; readonly limit: number; readonly nowMs: number },
  ): Promise<{ readonly messages: readonly Message[]; readonly next: MessageId | undefined }> {
    const among = addresses.map((_, place) => `:a${place}`).join(', ');
    const input = {
      TableName: this.#TableName,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      FilterExpression: `(${NAMES.map((name) => `${name} IN (${among})`).join(' OR ')}) AND attribute_not_exists(foldedInto) AND NOT #content.#type IN (:edit, :revoke)`,
      ExpressionAttributeNames: { '#to': 'to', '#content': 'content', '#type': 'type' },
      ExpressionAttributeValues: {
        ':pk': messagePartition(connectionId),
        ':prefix': MESSAGE_PREFIX,
        ':edit': 'edit',
        ':revoke': 'revoke',
        ...Object.fromEntries(addresses.map((address, place) => [`:a${place}`, address])),
      },
      ScanIndexForward: false,
    };
    const after = page.before === undefined ? undefined : { ...messageKey(connectionId, page.before) };
    const messages: Message[] = [];
    let bytes = 0;
    let last: Item | undefined;
    let answers = 0;
    for await (const answer of queryAnswers(this.#table, input, after)) {
      for (const item of answer.items) {
        if (isExpired(item, page.nowMs)) continue;
        bytes += Buffer.byteLength(JSON.stringify(item));
        if (messages.length === page.limit || (messages.length > 0 && bytes > PAGE_BYTES)) {
          return { messages, next: messages.at(-1)?.messageId };
        }
        messages.push(toMessage(item));
      }
      last = answer.last;
      answers += 1;
      if (answers === MOST_ANSWERS) break;
    }
    return { messages, next: last === undefined ? undefined : idOf(last) };
  }

  /** Reads some messages by their ids; those that are gone are not among them. */
  async findAll(
    connectionId: ConnectionId,
    ids: readonly MessageId[],
    nowMs: number,
  ): Promise<ReadonlyMap<MessageId, Message>> {
    const found = new Map<MessageId, Message>();
    for (let from = 0; from < ids.length; from += BATCH) {
      const Keys = ids.slice(from, from + BATCH).map((id) => ({ ...messageKey(connectionId, id) }));
      const answer = await this.#table.send(new BatchGetCommand({ RequestItems: { [this.#TableName]: { Keys } } }));
      if ((answer.UnprocessedKeys?.[this.#TableName]?.Keys ?? []).length > 0) throw new AppError('store_unavailable');
      for (const item of answer.Responses?.[this.#TableName] ?? []) {
        if (!isExpired(item, nowMs)) found.set(item['messageId'] as MessageId, toMessage(item));
      }
    }
    const past = this.#past;
    if (past === undefined) return found;
    const missing = ids.filter((id) => !found.has(id));
    for (let from = 0; from < missing.length; from += AT_ONCE) {
      const some = missing.slice(from, from + AT_ONCE);
      for (const message of await Promise.all(some.map((id) => past.find({ connectionId }, id)))) {
        if (message !== undefined) found.set(message.messageId, message);
      }
    }
    return found;
  }
}

function idOf({ sk }: Item): MessageId {
  return String(sk).slice(MESSAGE_PREFIX.length) as MessageId;
}
