import type { TransactionWrite } from '../../message/messageWrites.ts';
import { expiryOf } from '../../platform/expiry.ts';
import type { ItemKey } from '../../platform/keys.ts';
import type { FactInHand } from './factInHand.ts';
import type { Item } from './rowInHand.ts';

/**
 * A row beside the one of a message, into which many facts write their part, as it was read and as the facts leave it: all
 * facts of a run that change it are one write, on the condition that nobody has written it since. It carries no mark:
 * what a fact writes there must come to the same when it is written again.
 */
export class RowBeside {
  readonly key: ItemKey;
  readonly #stored: Item | undefined;
  readonly #facts: FactInHand[] = [];
  #sets: Item = {};

  /** @param stored the row as it was read; undefined where there is none */
  constructor(key: ItemKey, stored: Item | undefined) {
    this.key = key;
    this.#stored = stored;
  }

  /** The row as the facts so far leave it; undefined where there is none. */
  get item(): Item | undefined {
    return this.#stored === undefined && this.#facts.length === 0 ? undefined : { ...this.#stored, ...this.#sets };
  }

  /** The facts because of which the row changes. */
  get facts(): readonly FactInHand[] {
    return this.#facts;
  }

  change(sets: Item, fact: FactInHand): void {
    this.#sets = { ...this.#sets, ...sets };
    this.#facts.push(fact);
  }

  /** The write of the row, which counts its versions. */
  toWrite(TableName: string, nowMs: number): TransactionWrite {
    if (this.#stored === undefined) {
      const Item = { ...this.key, ...this.#sets, version: 1, ttl: expiryOf('message', nowMs) };
      return { Put: { TableName, Item, ConditionExpression: 'attribute_not_exists(pk)' } };
    }
    const was = this.#stored['version'] as number;
    const sets = Object.entries({ ...this.#sets, version: was + 1 });
    return {
      Update: {
        TableName,
        Key: { ...this.key },
        UpdateExpression: `SET ${sets.map(([name]) => `#${name} = :${name}`).join(', ')}`,
        ConditionExpression: 'attribute_exists(pk) AND #version = :was',
        ExpressionAttributeNames: Object.fromEntries(sets.map(([name]) => [`#${name}`, name])),
        ExpressionAttributeValues: {
          ':was': was,
          ...Object.fromEntries(sets.map(([name, value]) => [`:${name}`, value])),
        },
      },
    };
  }
}
