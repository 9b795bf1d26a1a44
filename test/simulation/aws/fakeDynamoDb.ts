import {
  ConditionalCheckFailedException,
  TransactionCanceledException,
  type AttributeValue,
} from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DeleteCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { compileCondition, compileUpdate, type Bindings, type Item } from './expressions.ts';

/** What is written, with what was there before: for those who watch a table. */
export interface TableChange {
  readonly tableName: string;
  readonly before: Item | undefined;
  readonly after: Item | undefined;
}

interface Write {
  readonly TableName?: string | undefined;
  readonly ConditionExpression?: string | undefined;
  readonly ExpressionAttributeNames?: Record<string, string> | undefined;
  readonly ExpressionAttributeValues?: Record<string, unknown> | undefined;
}

/**
 * DynamoDB in memory, without time: a command is applied at once and wholly, reads see every write before them. Keys are
 * `pk` and `sk`; an index is any other partition attribute, sparse. The contract suite runs on it and on the emulator.
 */
export class FakeDynamoDb {
  readonly #tables = new Map<string, Map<string, Map<string, Item>>>();
  readonly #watchers = new Set<(change: TableChange) => void>();

  /** Called after each change of an item. */
  watch(watcher: (change: TableChange) => void): void {
    this.#watchers.add(watcher);
  }

  /** Applies a command of the document client. Throws the SDK's own exceptions. */
  apply(command: unknown): unknown {
    if (command instanceof GetCommand) return { Item: copy(this.#find(command.input.TableName, command.input.Key)) };
    if (command instanceof PutCommand) return this.#put(command.input);
    if (command instanceof UpdateCommand) return this.#update(command.input);
    if (command instanceof DeleteCommand) return this.#delete(command.input);
    if (command instanceof QueryCommand) return this.#query(command.input);
    if (command instanceof ScanCommand) return { Items: this.items(command.input.TableName ?? '').map(copy) };
    if (command instanceof BatchGetCommand) return this.#batchGet(command.input);
    if (command instanceof TransactWriteCommand) return this.#transact(command.input);
    throw new Error(`the fake does not know ${(command as object).constructor.name}`);
  }

  /** All items of a table, in the order of their keys. */
  items(tableName: string): readonly Item[] {
    const partitions = [...this.#table(tableName)].sort(([left], [right]) => (left < right ? -1 : 1));
    return partitions.flatMap(([, partition]) => sorted(partition));
  }

  /** Takes an item away, as its expiry or an operator would. */
  remove(tableName: string, key: Item): void {
    this.#write(tableName, key, undefined);
  }

  #put(
    input: Write & {
      readonly Item?: Item | undefined;
      readonly ReturnValuesOnConditionCheckFailure?: string | undefined;
    },
  ) {
    const item = withoutUndefined(input.Item ?? {});
    this.#check(input, item, input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD');
    this.#write(input.TableName, item, item);
    return {};
  }

  #update(
    input: Write & {
      readonly Key?: Item | undefined;
      readonly UpdateExpression?: string | undefined;
      readonly ReturnValues?: string | undefined;
    },
  ) {
    this.#check(input, input.Key ?? {}, false);
    const before = this.#find(input.TableName, input.Key) ?? { ...input.Key };
    const draft: Record<string, unknown> = { ...before };
    compileUpdate(input.UpdateExpression ?? '')(before, bindingsOf(input), draft);
    const after = withoutUndefined(draft);
    this.#write(input.TableName, after, after);
    if (input.ReturnValues === 'ALL_OLD') return { Attributes: copy(before) };
    return input.ReturnValues === undefined || input.ReturnValues === 'NONE' ? {} : { Attributes: copy(after) };
  }

  #delete(input: Write & { readonly Key?: Item | undefined }) {
    this.#check(input, input.Key ?? {}, false);
    this.#write(input.TableName, input.Key ?? {}, undefined);
    return {};
  }

  #query(input: ConstructorParameters<typeof QueryCommand>[0]) {
    const bindings = bindingsOf(input);
    const matches = compileCondition(input.KeyConditionExpression ?? '');
    const all = this.#candidates(input, bindings).filter((item) => matches(item, bindings));
    const ordered = input.ScanIndexForward === false ? [...all].reverse() : all;
    const start = input.ExclusiveStartKey;
    const from = start === undefined ? 0 : ordered.findIndex((item) => isAfter(item, start, input.ScanIndexForward));
    const rest = from < 0 ? [] : ordered.slice(from);
    const limit = input.Limit ?? rest.length;
    const page = rest.slice(0, limit);
    const filter = input.FilterExpression === undefined ? () => true : compileCondition(input.FilterExpression);
    const last = page.at(-1);
    return {
      Items: page.filter((item) => filter(item, bindings)).map(copy),
      ...(rest.length > limit && last !== undefined ? { LastEvaluatedKey: { pk: last['pk'], sk: last['sk'] } } : {}),
    };
  }

  /** A query of the table itself names one partition; an index is looked through. */
  #candidates(input: ConstructorParameters<typeof QueryCommand>[0], { values }: Bindings): readonly Item[] {
    if (input.IndexName !== undefined) return this.items(input.TableName ?? '');
    const name = /pk = (:[A-Za-z0-9_]+)/.exec(input.KeyConditionExpression ?? '')?.[1];
    if (name === undefined) throw new Error(`a query names no partition: ${input.KeyConditionExpression}`);
    return sorted(this.#table(input.TableName).get(String(values[name])) ?? new Map());
  }

  #batchGet(input: ConstructorParameters<typeof BatchGetCommand>[0]) {
    const Responses: Record<string, Item[]> = {};
    for (const [tableName, { Keys = [] }] of Object.entries(input.RequestItems ?? {})) {
      const found = Keys.map((key) => this.#find(tableName, key)).filter((item) => item !== undefined);
      Responses[tableName] = found.map(copy);
    }
    return { Responses, UnprocessedKeys: {} };
  }

  #transact(input: ConstructorParameters<typeof TransactWriteCommand>[0]) {
    const steps = (input.TransactItems ?? []).map((step) => {
      if (step.Put !== undefined) return { input: step.Put, key: step.Put.Item ?? {}, run: new PutCommand(step.Put) };
      if (step.Update !== undefined)
        return { input: step.Update, key: step.Update.Key ?? {}, run: new UpdateCommand(step.Update) };
      if (step.Delete !== undefined)
        return { input: step.Delete, key: step.Delete.Key ?? {}, run: new DeleteCommand(step.Delete) };
      throw new Error('the fake does not know this step of a transaction');
    });
    const reasons = steps.map(({ input: write, key }) => (this.#holds(write, key) ? 'None' : 'ConditionalCheckFailed'));
    if (reasons.some((reason) => reason !== 'None')) {
      throw new TransactionCanceledException({
        message: 'Transaction cancelled',
        $metadata: {},
        CancellationReasons: reasons.map((Code) => ({ Code })),
      });
    }
    for (const { run } of steps) this.apply(run);
    return {};
  }

  #check(write: Write, key: Item, returnsOld: boolean): void {
    if (this.#holds(write, key)) return;
    const found = this.#find(write.TableName, key);
    throw new ConditionalCheckFailedException({
      message: 'The conditional request failed',
      $metadata: {},
      ...(returnsOld && found !== undefined ? { Item: encode(found) } : {}),
    });
  }

  #holds(write: Write, key: Item): boolean {
    if (write.ConditionExpression === undefined) return true;
    return compileCondition(write.ConditionExpression)(this.#find(write.TableName, key) ?? {}, bindingsOf(write));
  }

  #find(tableName: string | undefined, key: Item | undefined): Item | undefined {
    return this.#table(tableName).get(String(key?.['pk']))?.get(String(key?.['sk']));
  }

  #write(tableName: string | undefined, key: Item, item: Item | undefined): void {
    const [pk, sk] = [String(key['pk']), String(key['sk'])];
    const table = this.#table(tableName);
    const partition = table.get(pk) ?? new Map<string, Item>();
    const before = partition.get(sk);
    if (item === undefined) partition.delete(sk);
    else partition.set(sk, copy(item));
    table.set(pk, partition);
    for (const watcher of this.#watchers) watcher({ tableName: tableName ?? '', before, after: item });
  }

  #table(tableName: string | undefined): Map<string, Map<string, Item>> {
    const known = this.#tables.get(tableName ?? '');
    if (known !== undefined) return known;
    const table = new Map<string, Map<string, Item>>();
    this.#tables.set(tableName ?? '', table);
    return table;
  }
}

function bindingsOf(write: Write): Bindings {
  return { names: write.ExpressionAttributeNames ?? {}, values: write.ExpressionAttributeValues ?? {} };
}

function sorted(partition: ReadonlyMap<string, Item>): readonly Item[] {
  return [...partition].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, item]) => item);
}

function isAfter(item: Item, start: Item, forward: boolean | undefined): boolean {
  const [here, there] = [
    `${String(item['pk'])}\n${String(item['sk'])}`,
    `${String(start['pk'])}\n${String(start['sk'])}`,
  ];
  return forward === false ? here < there : here > there;
}

/** A deep copy, so that nobody changes what is stored by changing what was given or received. Bytes are shared: nobody writes into them. */
function copy<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(copy) as Value;
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, copy(part)])) as Value;
}

/** The document client is made with `removeUndefinedValues`. */
function withoutUndefined(item: Item): Item {
  const clean = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(clean);
    if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
    return withoutUndefined(value as Item);
  };
  const entries = Object.entries(item).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, clean(value)]));
}

/** The old item of a refused write comes in attribute values, because the SDK does not translate exceptions. */
function encode(item: Item): Record<string, AttributeValue> {
  return Object.fromEntries(
    Object.entries(item).flatMap(([name, value]): [string, AttributeValue][] => {
      if (typeof value === 'string') return [[name, { S: value }]];
      if (typeof value === 'number') return [[name, { N: String(value) }]];
      if (typeof value === 'boolean') return [[name, { BOOL: value }]];
      return value instanceof Uint8Array ? [[name, { B: value }]] : [];
    }),
  );
}
