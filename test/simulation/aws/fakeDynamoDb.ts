import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  BatchExecuteStatementCommand,
  BatchGetCommand,
  BatchWriteCommand,
  DeleteCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { copyItem, encodeItem, validationException, type Item } from './attributeValues.ts';
import { FakeTable } from './fakeTable.ts';
import {
  planCheck,
  planDelete,
  planPut,
  planUpdate,
  takeKey,
  type Judge,
  type PlannedWrite,
  type WriteInput,
} from './plannedWrites.ts';
import { projection, query, scan } from './reads.ts';
import { readStatement } from './statements.ts';

/** A change of an item, for those who watch. Neither side may be written into. */
export interface TableChange {
  readonly tableName: string;
  readonly before: Item | undefined;
  readonly after: Item | undefined;
}

export interface FakeDynamoDbOptions {
  /**
   * What happens to a request with placeholders that no expression of it uses. AWS refuses it, and so does the contract
   * suite; whoever changes expressions on their way here, as broken variants of a protocol do, leaves some.
   */
  readonly unusedPlaceholders?: 'refused' | 'ignored';
  /** Most items in a page of a query or scan, to make pages that AWS makes after one megabyte. */
  readonly pageItems?: number;
}

type ReadInput = { readonly ProjectionExpression?: string | undefined } & Pick<WriteInput, 'ExpressionAttributeNames'>;

const BATCH_LIMIT = 100;
const BATCH_WRITE_LIMIT = 25;
const metadata = { $metadata: {} } as const;

/**
 * DynamoDB in memory, without time: a command is applied at once and wholly, and every read sees every write before it.
 * A table is made by its first use, with keys `pk` and `sk` and the indexes that the definitions give it by its name.
 * What it does not know throws a plain Error, which no code under test takes for an answer of AWS.
 */
export class FakeDynamoDb {
  readonly #tables = new Map<string, FakeTable>();
  readonly #watchers = new Set<(change: TableChange) => void>();
  readonly #judge: Judge;
  readonly #pageItems: number;
  /** Transactions that were done, by their token or, as the SDK gives each command one, by the command itself. */
  readonly #doneTokens = new Set<string>();
  readonly #doneCommands = new WeakSet<TransactWriteCommand>();

  constructor({ unusedPlaceholders = 'ignored', pageItems = Infinity }: FakeDynamoDbOptions = {}) {
    this.#judge = {
      tableOf: (tableName) => this.#table(tableName),
      refusesUnused: unusedPlaceholders === 'refused',
    };
    this.#pageItems = pageItems;
  }

  /** Called after each change of an item; those of a transaction when all of it is done. */
  watch(watcher: (change: TableChange) => void): void {
    this.#watchers.add(watcher);
  }

  /** Applies a command of the document client. Throws the SDK's own exceptions. */
  apply(command: unknown): unknown {
    if (command instanceof GetCommand) return this.#get(command.input);
    if (command instanceof PutCommand) return this.#write(planPut(this.#judge, command.input), command.input);
    if (command instanceof UpdateCommand) return this.#write(planUpdate(this.#judge, command.input), command.input);
    if (command instanceof DeleteCommand) return this.#write(planDelete(this.#judge, command.input), command.input);
    if (command instanceof QueryCommand) {
      return {
        ...query(this.#table(command.input.TableName), command.input, this.#judge, this.#pageItems),
        ...metadata,
      };
    }
    if (command instanceof ScanCommand) {
      return {
        ...scan(this.#table(command.input.TableName), command.input, this.#judge, this.#pageItems),
        ...metadata,
      };
    }
    if (command instanceof BatchGetCommand) return this.#batchGet(command.input);
    if (command instanceof BatchWriteCommand) return this.#batchWrite(command.input);
    if (command instanceof BatchExecuteStatementCommand) return this.#execute(command.input);
    if (command instanceof TransactWriteCommand) return this.#transact(command);
    throw new Error(`the fake does not know ${(command as object).constructor.name}`);
  }

  /** All items of a table, in the order of their keys. */
  items(tableName: string): readonly Record<string, unknown>[] {
    return this.#table(tableName).items().map(copyItem);
  }

  /** Takes an item away, as its expiry or an operator would. */
  remove(tableName: string, key: Item): void {
    this.#commit([planDelete(this.#judge, { TableName: tableName, Key: { pk: key['pk'], sk: key['sk'] } })]);
  }

  #get(input: GetCommand['input']) {
    const found = this.#table(input.TableName).find(takeKey(input.Key));
    return found === undefined ? metadata : { Item: projectionOf(input)(found), ...metadata };
  }

  #batchGet({ RequestItems = {} }: BatchGetCommand['input']) {
    const count = Object.values(RequestItems).reduce((sum, { Keys = [] }) => sum + Keys.length, 0);
    if (count > BATCH_LIMIT) throw validationException('Too many items requested for the BatchGetItem call');
    const Responses: Record<string, Record<string, unknown>[]> = {};
    for (const [tableName, input] of Object.entries(RequestItems)) {
      const keys = (input.Keys ?? []).map((key) => takeKey(key));
      if (new Set(keys.map(({ pk, sk }) => JSON.stringify([pk, sk]))).size < keys.length) {
        throw validationException('Provided list of item keys contains duplicates');
      }
      const found = keys.map((key) => this.#table(tableName).find(key)).filter((item) => item !== undefined);
      Responses[tableName] = found.map(projectionOf(input));
    }
    return { Responses, UnprocessedKeys: {}, ...metadata };
  }

  #batchWrite({ RequestItems = {} }: BatchWriteCommand['input']) {
    const planned = Object.entries(RequestItems).flatMap(([TableName, requests]) =>
      requests.map(({ PutRequest, DeleteRequest }) =>
        PutRequest === undefined
          ? planDelete(this.#judge, { TableName, Key: DeleteRequest?.Key })
          : planPut(this.#judge, { TableName, Item: PutRequest.Item }),
      ),
    );
    if (planned.length > BATCH_WRITE_LIMIT) {
      throw validationException('Too many items requested for the BatchWriteItem call');
    }
    const places = planned.map(({ tableName, key }) => JSON.stringify([tableName, key.pk, key.sk]));
    if (new Set(places).size < places.length) {
      throw validationException('Provided list of item keys contains duplicates');
    }
    this.#commit(planned);
    return { UnprocessedItems: {}, ...metadata };
  }

  /** Carries out statements one by one: what is wrong with one is said in its answer, and the others go on. */
  #execute({ Statements = [] }: BatchExecuteStatementCommand['input']) {
    if (Statements.length > BATCH_WRITE_LIMIT) {
      throw validationException('Member must have length less than or equal to 25');
    }
    const Responses = Statements.map(({ Statement = '', Parameters = [] }) => {
      const write = readStatement(Statement, Parameters);
      const planned = 'Put' in write ? planPut(this.#judge, write.Put) : planUpdate(this.#judge, write.Update);
      this.#commit([planned]);
      const { tableName: TableName, outcome } = planned;
      if (outcome !== 'refused') return { TableName };
      const Error =
        'Put' in write
          ? { Code: 'DuplicateItem' as const, Message: 'Duplicate primary key exists in table' }
          : { Code: 'ConditionalCheckFailed' as const, Message: 'The conditional request failed' };
      return { TableName, Error };
    });
    return { Responses, ...metadata };
  }

  #write(planned: PlannedWrite, input: WriteInput & { readonly ReturnValues?: string | undefined }) {
    if (planned.outcome === 'refused') {
      throw new ConditionalCheckFailedException({
        message: 'The conditional request failed',
        ...metadata,
        ...oldItem(planned, input),
      });
    }
    this.#commit([planned]);
    const Attributes = returned(planned, input.ReturnValues);
    return Attributes === undefined ? metadata : { Attributes: copyItem(Attributes), ...metadata };
  }

  #transact(command: TransactWriteCommand) {
    const { TransactItems = [], ClientRequestToken: token } = command.input;
    // The SDK gives each sent command one token for all its tries: a request that arrives twice is done once.
    const isDone = token === undefined ? this.#doneCommands.has(command) : this.#doneTokens.has(token);
    if (isDone) return metadata;
    if (TransactItems.length > BATCH_LIMIT)
      throw validationException('Member must have length less than or equal to 100');
    const steps = TransactItems.map((step) => this.#step(step));
    const places = steps.flatMap(({ planned }) =>
      planned instanceof Error ? [] : [JSON.stringify([planned.tableName, planned.key.pk, planned.key.sk])],
    );
    if (new Set(places).size < places.length) {
      throw validationException('Transaction request cannot include multiple operations on one item');
    }
    const reasons = steps.map(({ planned, input }) => reasonOf(planned, input));
    if (reasons.some(({ Code }) => Code !== 'None')) {
      throw new TransactionCanceledException({
        message: `Transaction cancelled, please refer cancellation reasons for specific reasons [${reasons.map(({ Code }) => Code).join(', ')}]`,
        ...metadata,
        CancellationReasons: reasons,
      });
    }
    this.#commit(steps.flatMap(({ planned }) => (planned instanceof Error ? [] : [planned])));
    if (token === undefined) this.#doneCommands.add(command);
    else this.#doneTokens.add(token);
    return metadata;
  }

  /** Judges one step. A value that its change cannot be computed with is found out by AWS as late as a condition. */
  #step(step: NonNullable<TransactWriteCommand['input']['TransactItems']>[number]) {
    const { Put, Update, Delete, ConditionCheck } = step;
    if (Put !== undefined) return { input: Put, planned: planPut(this.#judge, Put) };
    if (Delete !== undefined) return { input: Delete, planned: planDelete(this.#judge, Delete) };
    if (ConditionCheck !== undefined) {
      return { input: ConditionCheck, planned: planCheck(this.#judge, ConditionCheck) };
    }
    if (Update === undefined)
      throw validationException('TransactItems can only contain one of Check, Put, Update or Delete');
    try {
      return { input: Update, planned: planUpdate(this.#judge, Update) };
    } catch (error) {
      if (error instanceof Error && error.name === 'ValidationException') return { input: Update, planned: error };
      throw error;
    }
  }

  #commit(writes: readonly PlannedWrite[]): void {
    const changes = writes.filter(({ outcome, before, after }) => outcome === 'change' && before !== after);
    for (const { tableName, key, before, after } of changes) this.#table(tableName).replace(key, before, after);
    for (const { tableName, before, after } of changes) {
      for (const watcher of this.#watchers) watcher({ tableName, before, after });
    }
  }

  #table(tableName: string | undefined): FakeTable {
    if (tableName === undefined) throw validationException('TableName must be given');
    const known = this.#tables.get(tableName);
    if (known !== undefined) return known;
    const table = new FakeTable(tableName);
    this.#tables.set(tableName, table);
    return table;
  }
}

function projectionOf({ ProjectionExpression, ExpressionAttributeNames: names = {} }: ReadInput) {
  return projection(ProjectionExpression, { names, values: {} });
}

function reasonOf(planned: PlannedWrite | Error, input: WriteInput) {
  if (planned instanceof Error) return { Code: 'ValidationError', Message: planned.message };
  if (planned.outcome !== 'refused') return { Code: 'None' };
  return { Code: 'ConditionalCheckFailed', Message: 'The conditional request failed', ...oldItem(planned, input) };
}

function oldItem({ before }: PlannedWrite, { ReturnValuesOnConditionCheckFailure: returns }: WriteInput) {
  return returns === 'ALL_OLD' && before !== undefined ? { Item: encodeItem(before) } : {};
}

/** What the caller asked to see of a write. */
function returned({ before, after, targets }: PlannedWrite, returnValues = 'NONE'): Item | undefined {
  const onlyTargets = (item: Item | undefined): Item | undefined =>
    item && Object.fromEntries(Object.entries(item).filter(([name]) => targets.includes(name)));
  switch (returnValues) {
    case 'NONE':
      return undefined;
    case 'ALL_OLD':
      return before;
    case 'ALL_NEW':
      return after;
    case 'UPDATED_OLD':
      return onlyTargets(before);
    case 'UPDATED_NEW':
      return onlyTargets(after);
    default:
      throw validationException(`ReturnValues can not be ${returnValues}`);
  }
}
