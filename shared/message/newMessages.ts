import {
  ConditionalCheckFailedException,
  TransactionCanceledException,
  type AttributeValue,
  type CancellationReason,
} from '@aws-sdk/client-dynamodb';
import { PutCommand, TransactWriteCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { LRUCache } from 'lru-cache';
import type { ConnectionId, MessageId, StanzaId } from '../kernel/id.ts';
import type { SentIds } from '../kernel/sentIds.ts';
import { expiryOf } from '../platform/expiry.ts';
import { idempotencyKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';
import { toAudienceItem } from './audienceStore.ts';
import type { SentMessage } from './message.ts';
import { toSentItem } from './messageItem.ts';
import type { TransactionWrite } from './messageWrites.ts';
import { dueNote, dueWrite } from './dueRows.ts';
import { windowNote, windowOf } from './windowNotes.ts';

/**
 * Writes the row of a message that is accepted, in one call: alone where nothing else is to be written, which costs one
 * write unit, else in one transaction with the caller's key and with the note of the window, which costs two for each part.
 *
 * - The process dies before the call took effect: nothing is there, and nobody was told anything.
 * - It dies after it: the row is `queued` and the queue may not have its command. The caller has no answer; under the same
 *   key it carries on with this row. Without one, reconcile finds the row by the note of its window, which is written
 *   no later than the row, and asks the queue (docs/protocol.md, "Accept").
 * - An album has the rows of its parts in the same transaction: its beginning names no part that is not there.
 * - A status has its audience in a row beside it, in the same transaction: neither is ever there without the other.
 * - A scheduled message has its due row in the same transaction, and the note of the window in which it is due: that it will
 *   be queued follows from the rows alone.
 * - The call is made twice, because an answer was lost: the second finds its own row, by the `writeId`, and says `created`.
 * - Two requests with one key at once: one transaction wins, and the other gets the ids of the winner.
 */
export interface CallerKey {
  /** The `Idempotency-Key` as the caller chose it. */
  readonly callerKey: string;
  /** The hash of all parts that make two requests the same. */
  readonly bodyHash: string;
}

/**
 * `repeated`: the key was used before, for the same request; these are its ids. `conflict`: for another one. `ids_taken`:
 * another message has these ids. `busy`: another request writes the same key in this moment.
 */
export type Creation =
  | { readonly outcome: 'created' | 'conflict' | 'ids_taken' }
  | { readonly outcome: 'repeated'; readonly ids: SentIds }
  | { readonly outcome: 'busy'; readonly error: Error };

/** The number of connections whose last window is remembered as noted. */
const NOTED_CONNECTIONS = 10_000;

/** A message that is new, with the people whom it is for, by address, if it is a status. */
export type NewMessage = SentMessage & {
  readonly audience?: readonly string[] | undefined;
  /** The rows of the parts of an album, which are there with its beginning or not at all. */
  readonly album?: readonly SentMessage[] | undefined;
};

export class NewMessages {
  readonly #table: DynamoDBDocumentClient;
  readonly #stage: string;
  readonly #noted = new LRUCache<ConnectionId, number>({ max: NOTED_CONNECTIONS });
  /** The windows in which something is noted as due, by connection and window. */
  readonly #notedDue = new LRUCache<string, true>({ max: NOTED_CONNECTIONS });

  constructor(table: DynamoDBDocumentClient, stage: string) {
    this.#table = table;
    this.#stage = stage;
  }

  /**
   * Writes a new message. Throws when the store does not answer.
   * @param writeId names this writing of a row: two messages that chance gave the same ids are never taken for one, however
   * much they are alike. Without it a row that is there is always another's.
   */
  async create(
    { audience, album = [], ...message }: NewMessage,
    shard: number,
    key: CallerKey | undefined,
    writeId: string | undefined,
  ): Promise<Creation> {
    const notes = message.state === 'scheduled' ? this.#dueParts(message, shard) : this.#queuedParts(message, shard);
    const parts: Part[] = [{ name: 'row', write: this.#row(message, writeId) }, ...notes.parts];
    for (const part of album) parts.push({ name: 'part', write: this.#row(part, writeId) });
    if (key !== undefined) parts.push({ name: 'key', write: this.#key(message, key) });
    if (audience !== undefined) parts.push({ name: 'audience', write: this.#audience(message, audience) });
    const creation = judgeCreation(await this.#write(parts), { message, key, writeId });
    if (creation.outcome === 'created') notes.remember();
    return creation;
  }

  /** The note of the window in which a message is accepted, where this process has not written one. */
  #queuedParts(message: SentMessage, shard: number): Notes {
    const { connectionId, messageId } = message;
    const window = windowOf(message.createdAtMs);
    const isNoted = this.#noted.get(connectionId) === window;
    const write = windowNote(this.#stage, 'UNQUEUED', { ...message, cause: messageId, shard, window });
    return {
      parts: isNoted ? [] : [{ name: 'note', write }],
      remember: () => this.#noted.set(connectionId, window),
    };
  }

  /** The row by which a scheduled message is found when it is due, and the note of the window in which it is. */
  #dueParts(message: SentMessage, shard: number): Notes {
    const due = { ...message, shard, atMs: message.notBeforeMs ?? message.createdAtMs };
    const place = `${message.connectionId}#${windowOf(due.atMs)}`;
    const row: Part = { name: 'due', write: dueWrite(this.#stage, 'SEND', due) };
    const isNoted = this.#notedDue.has(place);
    return {
      parts: isNoted ? [row] : [row, { name: 'note', write: dueNote(this.#stage, due) }],
      remember: () => this.#notedDue.set(place, true),
    };
  }

  /** Writes all parts or none. Returns the refusal of each, if the store refused any for a condition or as busy. */
  async #write(parts: readonly Part[]): Promise<Refused | undefined> {
    const [only] = parts;
    try {
      if (parts.length === 1 && only !== undefined) await this.#table.send(new PutCommand(only.write.Put));
      else await this.#table.send(new TransactWriteCommand({ TransactItems: parts.map(({ write }) => write) }));
      return undefined;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) {
        return { error, reasons: { row: { Code: 'ConditionalCheckFailed', Item: error.Item } } };
      }
      if (!(error instanceof TransactionCanceledException)) throw error;
      const reasons = (error.CancellationReasons ?? [])
        .map((reason, place) => [parts[place]?.name, reason] as const)
        // Several parts may have one name: the one that was refused counts.
        .filter(([, { Code }]) => Code !== 'None');
      return { error, reasons: Object.fromEntries(reasons) };
    }
  }

  #row(message: SentMessage, writeId: string | undefined): PutWrite {
    return {
      Put: {
        TableName: tableName(this.#stage, 'core'),
        Item: toSentItem(message, writeId),
        ConditionExpression: 'attribute_not_exists(pk)',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
    };
  }

  #audience(message: SentMessage, audience: readonly string[]): PutWrite {
    const TableName = tableName(this.#stage, 'core');
    return {
      Put: { TableName, Item: toAudienceItem(message, audience), ConditionExpression: 'attribute_not_exists(pk)' },
    };
  }

  #key({ connectionId, messageId, stanzaId, createdAtMs }: SentMessage, { callerKey, bodyHash }: CallerKey): PutWrite {
    const ttl = expiryOf('idempotency', createdAtMs);
    return {
      Put: {
        TableName: tableName(this.#stage, 'core'),
        Item: { ...idempotencyKey(connectionId, callerKey), messageId, stanzaId, bodyHash, ttl },
        // DynamoDB deletes expired items late, so an expired row counts as absent.
        ConditionExpression: 'attribute_not_exists(pk) OR #ttl <= :now',
        ExpressionAttributeNames: { '#ttl': 'ttl' },
        ExpressionAttributeValues: { ':now': Math.floor(createdAtMs / 1_000) },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
    };
  }
}

type PutWrite = TransactionWrite & { readonly Put: NonNullable<TransactionWrite['Put']> };
type PartName = 'row' | 'part' | 'due' | 'note' | 'key' | 'audience';
interface Part {
  readonly name: PartName;
  readonly write: PutWrite;
}
/** The parts that stand beside a row, and what this process remembers once they are written. */
interface Notes {
  readonly parts: readonly Part[];
  readonly remember: () => void;
}
type Reason = Pick<CancellationReason, 'Code'> & { readonly Item?: Record<string, AttributeValue> | undefined };
interface Refused {
  readonly error: Error;
  readonly reasons: Readonly<Partial<Record<PartName, Reason>>>;
}

/** What was to be written. */
interface Written {
  readonly message: Pick<SentMessage, 'messageId'>;
  readonly key: CallerKey | undefined;
  readonly writeId: string | undefined;
}

const BUSY: ReadonlySet<string | undefined> = new Set([
  'TransactionConflict',
  'ThrottlingError',
  'ProvisionedThroughputExceeded',
]);

/** The meaning of what the store said to the parts of a new message. Throws its error where it means nothing of these. */
export function judgeCreation(refused: Refused | undefined, { message, key, writeId }: Written): Creation {
  if (refused === undefined) return { outcome: 'created' };
  const { row, part, due, note, audience, key: keyReason } = refused.reasons;
  if (keyReason?.Code === 'ConditionalCheckFailed') {
    const [messageId, stanzaId] = [keyReason.Item?.['messageId']?.S, keyReason.Item?.['stanzaId']?.S];
    // The transaction took effect before, and its answer was lost.
    if (messageId === message.messageId) return { outcome: 'created' };
    const isSame = keyReason.Item?.['bodyHash']?.S === key?.bodyHash;
    if (!isSame || messageId === undefined || stanzaId === undefined) return { outcome: 'conflict' };
    return { outcome: 'repeated', ids: { messageId: messageId as MessageId, stanzaId: stanzaId as StanzaId } };
  }
  if (row?.Code === 'ConditionalCheckFailed') {
    const isOurs = writeId !== undefined && row.Item?.['writeId']?.S === writeId;
    return { outcome: isOurs ? 'created' : 'ids_taken' };
  }
  if (part?.Code === 'ConditionalCheckFailed') return { outcome: 'ids_taken' };
  if ([row, part, due, note, audience, keyReason].some((reason) => BUSY.has(reason?.Code)))
    return { outcome: 'busy', error: refused.error };
  throw refused.error;
}
