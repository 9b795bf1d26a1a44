import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
  type DynamoDBDocumentClient,
} from '@aws-sdk/lib-dynamodb';

type Item = Record<string, unknown>;
interface Put {
  readonly Item?: Item | undefined;
  readonly ConditionExpression?: string | undefined;
  readonly ExpressionAttributeValues?: Item | undefined;
}

/**
 * A table in memory that knows the few requests of the event log, each one atomic. It stands in for the emulator where a
 * property needs thousands of interleavings; what the requests mean is tested against the emulator.
 */
export class MemoryTable {
  readonly #items = new Map<string, Item>();

  /** All items whose partition begins so, in the order of their keys. */
  itemsOf(prefix: string): readonly Item[] {
    return [...this.#items.values()]
      .filter((item) => String(item['pk']).startsWith(prefix))
      .sort((left, right) => (keyText(left) < keyText(right) ? -1 : 1));
  }

  execute(command: unknown): Item {
    if (command instanceof GetCommand) return { Item: this.#items.get(keyText(command.input.Key ?? {})) };
    if (command instanceof PutCommand) return this.#put([command.input], false);
    if (command instanceof TransactWriteCommand) {
      return this.#put(
        (command.input.TransactItems ?? []).map(({ Put }) => Put as Put),
        true,
      );
    }
    if (command instanceof UpdateCommand) return this.#count(command);
    if (command instanceof QueryCommand) return this.#query(command);
    throw new Error('the memory table does not know this request');
  }

  /** The table as a client; `around` decides when a request takes effect and whether its answer arrives. */
  asClient(around: (effect: () => Item) => Promise<Item>): DynamoDBDocumentClient {
    const send = (command: unknown): Promise<Item> => around(() => this.execute(command));
    return { send } as unknown as DynamoDBDocumentClient;
  }

  #put(puts: readonly Put[], transaction: boolean): Item {
    const refused = puts.map((put) => {
      const old = this.#items.get(keyText(put.Item ?? {}));
      const expired = Number(old?.['ttl']) <= Number(put.ExpressionAttributeValues?.[':now'] ?? -1);
      return put.ConditionExpression !== undefined && old !== undefined && !expired;
    });
    if (refused.includes(true)) {
      const common = { message: 'refused', $metadata: {} };
      if (!transaction) throw new ConditionalCheckFailedException(common);
      const CancellationReasons = refused.map((one) => ({ Code: one ? 'ConditionalCheckFailed' : 'None' }));
      throw new TransactionCanceledException({ ...common, CancellationReasons });
    }
    for (const { Item } of puts) this.#items.set(keyText(Item ?? {}), { ...Item });
    return {};
  }

  #count(command: UpdateCommand): Item {
    const key = command.input.Key ?? {};
    const old = this.#items.get(keyText(key));
    const values = command.input.ExpressionAttributeValues ?? {};
    this.#items.set(keyText(key), {
      ...key,
      last: Number(old?.['last'] ?? 0) + Number(values[':one']),
      takenAtMs: values[':now'],
    });
    return { Attributes: old };
  }

  #query(command: QueryCommand): Item {
    const { ExpressionAttributeValues: values = {}, ExclusiveStartKey: start } = command.input;
    const Items = this.itemsOf(String(values[':pk']))
      .filter((item) => item['pk'] === values[':pk'] && String(item['sk']) >= String(values[':from']))
      .filter((item) => start === undefined || keyText(item) > keyText(start));
    const page = Items.slice(0, command.input.Limit);
    return { Items: page, LastEvaluatedKey: page.length < Items.length ? page.at(-1) : undefined };
  }
}

function keyText(item: Item): string {
  return `${String(item['pk'])}|${String(item['sk'])}`;
}
