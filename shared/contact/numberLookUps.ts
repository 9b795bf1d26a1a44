import { BatchGetCommand, PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ConnectionId } from '../kernel/id.ts';
import { numberLookUpKey } from '../platform/contactKeys.ts';
import { expiryOf, isExpired } from '../platform/expiry.ts';
import { tableName } from '../platform/tables.ts';

/** WhatsApp's answer about a phone number: whether it has an account, under which address, and the LID of that. */
export interface NumberLookUp {
  readonly exists: boolean;
  readonly address?: string | undefined;
  readonly lid?: string | undefined;
}

/** The most rows of one `BatchGet`, and the number of writes that are under way at once. */
const BATCH = 100;
const WRITES_AT_ONCE = 16;

/**
 * What WhatsApp has answered about phone numbers that one connection checked: an account is believed for 30 days, and that
 * there is none for one. Answers are of one account, as WhatsApp may answer another one otherwise.
 */
export class NumberLookUps {
  readonly #table: DynamoDBDocumentClient;
  readonly #TableName: string;
  readonly #nowMs: () => number;

  constructor(given: {
    readonly table: DynamoDBDocumentClient;
    readonly stage: string;
    readonly clock: { readonly nowMs: () => number };
  }) {
    this.#table = given.table;
    this.#TableName = tableName(given.stage, 'core');
    this.#nowMs = given.clock.nowMs;
  }

  /** Finds the answers that are believed still, by the digits of their numbers. One that is not read counts as unknown. */
  async find(connectionId: ConnectionId, numbers: readonly string[]): Promise<ReadonlyMap<string, NumberLookUp>> {
    const found = new Map<string, NumberLookUp>();
    for (let from = 0; from < numbers.length; from += BATCH) {
      const Keys = numbers.slice(from, from + BATCH).map((digits) => ({ ...numberLookUpKey(connectionId, digits) }));
      const { Responses } = await this.#table.send(
        // What was written in the round before is to be seen.
        new BatchGetCommand({ RequestItems: { [this.#TableName]: { Keys, ConsistentRead: true } } }),
      );
      for (const item of Responses?.[this.#TableName] ?? []) {
        if (isExpired(item, this.#nowMs())) continue;
        const { digits, exists, address, lid } = item as unknown as NumberLookUp & { readonly digits: string };
        found.set(digits, { exists, address, lid });
      }
    }
    return found;
  }

  /** Keeps answers. It needs no condition: the last one counts. */
  async keep(connectionId: ConnectionId, answers: ReadonlyMap<string, NumberLookUp>): Promise<void> {
    const items = [...answers].map(([digits, { exists, address, lid }]) => ({
      ...numberLookUpKey(connectionId, digits),
      digits,
      exists,
      ...(address === undefined ? {} : { address }),
      ...(lid === undefined ? {} : { lid }),
      ttl: expiryOf(exists ? 'knownNumber' : 'unknownNumber', this.#nowMs()),
    }));
    for (let from = 0; from < items.length; from += WRITES_AT_ONCE) {
      const writes = items
        .slice(from, from + WRITES_AT_ONCE)
        .map((Item) => this.#table.send(new PutCommand({ TableName: this.#TableName, Item })));
      await Promise.all(writes);
    }
  }
}
