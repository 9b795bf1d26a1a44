import { BatchGetCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { AppError } from '../kernel/appError.ts';
import { timeOfId, type ConnectionId, type MessageId } from '../kernel/id.ts';
import { messageIdOf } from '../kernel/sentIds.ts';
import type { ReceivedMessage } from '../message/message.ts';
import { handledFactKey, messageKey, type ItemKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';

/** A message of a history with the keys that its fact would have. */
interface Past {
  readonly message: ReceivedMessage;
  readonly keys: readonly string[];
}

/** The most rows of one `BatchGet`. */
const BATCH = 100;
/** WhatsApp's clock may be behind ours by so much, in milliseconds, where it says when something was written. */
const CLOCK_BEHIND_MS = 86_400_000;

/**
 * Messages of a history that this connection has by itself, because they came, or left, while it was there. Nothing that was written before the
 * connection was made can be among them, so that most of a history costs no read.
 */
export class LiveCopies {
  readonly #table: DynamoDBDocumentClient;
  readonly #TableName: string;

  constructor({ table, stage }: { readonly table: DynamoDBDocumentClient; readonly stage: string }) {
    this.#table = table;
    this.#TableName = tableName(stage, 'core');
  }

  /** Whether a message may be there by itself. */
  mayBeThere(connectionId: ConnectionId, { createdAtMs }: Pick<ReceivedMessage, 'createdAtMs'>): boolean {
    return createdAtMs >= timeOfId(connectionId) - CLOCK_BEHIND_MS;
  }

  /** The ids of those messages of a history that are there by themselves; strongly consistent. */
  async among(connectionId: ConnectionId, past: readonly Past[]): Promise<ReadonlySet<MessageId>> {
    const asked = past.filter(({ message }) => this.mayBeThere(connectionId, message));
    const keysOf = ({ message, keys }: Past): readonly ItemKey[] => {
      const sent = message.direction === 'echo' ? messageIdOf(connectionId, message.stanzaId) : undefined;
      const facts = keys.map((key) => handledFactKey(connectionId, key));
      return sent === undefined ? facts : [messageKey(connectionId, sent), ...facts];
    };
    const there = await this.#find(asked.flatMap(keysOf));
    return new Set(
      asked.filter((one) => keysOf(one).some(({ sk }) => there.has(sk))).map(({ message }) => message.messageId),
    );
  }

  async #find(keys: readonly ItemKey[]): Promise<ReadonlySet<string>> {
    const distinct = [...new Map(keys.map((key) => [key.sk, key])).values()];
    const found = new Set<string>();
    for (let from = 0; from < distinct.length; from += BATCH) {
      const Keys = distinct.slice(from, from + BATCH).map((key) => ({ ...key }));
      const answer = await this.#table.send(
        new BatchGetCommand({
          RequestItems: { [this.#TableName]: { Keys, ConsistentRead: true, ProjectionExpression: 'sk, messageId' } },
        }),
      );
      const left = answer.UnprocessedKeys?.[this.#TableName]?.Keys ?? [];
      if (left.length > 0) throw new AppError('store_unavailable', { detail: 'not all rows could be read' });
      // The row of a fact may hold no more than word of a part that waits for it.
      for (const item of answer.Responses?.[this.#TableName] ?? []) {
        if (item['messageId'] !== undefined) found.add(String(item['sk']));
      }
    }
    return found;
  }
}
