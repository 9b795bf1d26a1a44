import { takeItem, typeOf, validationException, type Item } from './attributeValues.ts';
import { checkPlaceholders, compileCondition, type Bindings } from './expressions.ts';
import { toKey, type FakeTable, type Key } from './fakeTable.ts';
import { compileUpdate } from './updateExpressions.ts';

/** What all writes have in common, as the document client's commands carry it. */
export interface WriteInput {
  readonly TableName?: string | undefined;
  readonly ConditionExpression?: string | undefined;
  readonly ExpressionAttributeNames?: Record<string, string> | undefined;
  readonly ExpressionAttributeValues?: Record<string, unknown> | undefined;
  readonly ReturnValuesOnConditionCheckFailure?: string | undefined;
}

export interface PutInput extends WriteInput {
  readonly Item?: Item | undefined;
}

export interface KeyedInput extends WriteInput {
  readonly Key?: Item | undefined;
}

export interface UpdateInput extends KeyedInput {
  readonly UpdateExpression?: string | undefined;
}

/**
 * A write that was judged and is not done yet: a transaction judges all before it does any. `refused` when its condition
 * does not hold. `before` is what was there, and `after` what is to be there, undefined for nothing.
 */
export interface PlannedWrite {
  readonly outcome: 'change' | 'none' | 'refused';
  readonly tableName: string;
  readonly key: Key;
  readonly before: Item | undefined;
  readonly after: Item | undefined;
  /** Attributes that an update names. */
  readonly targets: readonly string[];
}

export interface Judge {
  readonly tableOf: (tableName: string) => FakeTable;
  /** Refuse placeholders that no expression uses, as AWS does. */
  readonly refusesUnused: boolean;
}

export function planPut(judge: Judge, input: PutInput): PlannedWrite {
  const item = takeItem(input.Item ?? {});
  for (const name of ['pk', 'sk']) {
    if (!Object.hasOwn(item, name)) {
      throw validationException(`One or more parameter values were invalid: Missing the key ${name} in the item`);
    }
  }
  const key = checkKey(item);
  return plan(judge, input, key, () => ({ after: item }));
}

export function planDelete(judge: Judge, input: KeyedInput): PlannedWrite {
  return plan(judge, input, takeKey(input.Key), () => ({ after: undefined }));
}

/** Judges a condition that stands in a transaction without a write. */
export function planCheck(judge: Judge, input: KeyedInput): PlannedWrite {
  return plan(judge, input, takeKey(input.Key), (before) => ({ after: before, changesNothing: true }));
}

export function planUpdate(judge: Judge, input: UpdateInput): PlannedWrite {
  const key = takeKey(input.Key);
  const update = input.UpdateExpression === undefined ? undefined : compileUpdate(input.UpdateExpression);
  const changing = (before: Item | undefined, bindings: Bindings): Change => {
    if (update === undefined) return { after: before ?? { ...key } };
    const targets = update.targets(bindings);
    const keyTarget = targets.find((name) => name === 'pk' || name === 'sk');
    if (keyTarget !== undefined) {
      throw validationException(
        `One or more parameter values were invalid: Cannot update attribute ${keyTarget}. This attribute is part of the key`,
      );
    }
    const after = update.apply(before ?? { ...key }, bindings);
    return { after, targets, changesNothing: before === undefined && update.onlyRemoves };
  };
  return plan(judge, input, key, changing, update?.placeholders);
}

interface Change {
  readonly after: Item | undefined;
  readonly targets?: readonly string[];
  readonly changesNothing?: boolean;
}

function plan(
  { tableOf, refusesUnused }: Judge,
  input: WriteInput,
  key: Key,
  change: (before: Item | undefined, bindings: Bindings) => Change,
  placeholders: ReadonlySet<string> = new Set(),
): PlannedWrite {
  const tableName = input.TableName ?? '';
  const table = tableOf(tableName);
  const bindings = bindingsOf(input);
  const condition = input.ConditionExpression === undefined ? undefined : compileCondition(input.ConditionExpression);
  if (refusesUnused) checkPlaceholders([placeholders, condition?.placeholders ?? new Set()], bindings);
  const before = table.find(key);
  if (condition !== undefined && !condition.holds(before ?? {}, bindings)) {
    return { outcome: 'refused', tableName, key, before, after: before, targets: [] };
  }
  const { after, targets = [], changesNothing = false } = change(before, bindings);
  if (changesNothing) return { outcome: 'none', tableName, key, before, after: before, targets };
  if (after !== undefined) checkIndexKeys(table, after);
  return { outcome: 'change', tableName, key, before, after, targets };
}

/** Names and values of a request, the values as they arrive: copied, and without what is undefined. */
export function bindingsOf(
  input: Pick<WriteInput, 'ExpressionAttributeNames' | 'ExpressionAttributeValues'>,
): Bindings {
  const { ExpressionAttributeNames: names = {}, ExpressionAttributeValues: values } = input;
  return { names, values: values === undefined ? {} : takeItem(values) };
}

/** A key that a request gives: partition key and sort key, and nothing else. */
export function takeKey(given: Item | undefined): Key {
  if (given === undefined || Object.keys(given).length !== 2 || !Object.hasOwn(given, 'pk') || !('sk' in given)) {
    throw validationException('The provided key element does not match the schema');
  }
  const { pk, sk } = checkKey(given);
  return { pk, sk };
}

function checkKey(item: Item): Key {
  for (const name of ['pk', 'sk']) {
    if (typeof item[name] !== 'string') throw typeMismatch(name, item[name]);
    if (item[name] === '') throw emptyKey(name);
  }
  return toKey(item);
}

function checkIndexKeys(table: FakeTable, item: Item): void {
  for (const { partitionKey, name } of table.indexes) {
    const value = item[partitionKey];
    if (value === undefined) continue;
    if (typeof value !== 'string') throw typeMismatch(`${partitionKey} of index ${name}`, value);
    if (value === '') throw emptyKey(`${partitionKey} of index ${name}`);
  }
}

function typeMismatch(name: string, value: unknown): Error {
  const actual = value === undefined ? 'nothing' : typeOf(value);
  return validationException(
    `One or more parameter values were invalid: Type mismatch for key ${name} expected: S actual: ${actual}`,
  );
}

function emptyKey(name: string): Error {
  return validationException(
    `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: ${name}`,
  );
}
