import type { QueryCommandInput, ScanCommandInput } from '@aws-sdk/lib-dynamodb';
import { copyItem, validationException, type Item } from './attributeValues.ts';
import {
  attributeOf,
  checkPlaceholders,
  compileCondition,
  ExpressionReader,
  once,
  type Bindings,
  type NameReader,
} from './expressions.ts';
import { isInRange, type FakeTable, type Key } from './fakeTable.ts';
import { compileKeyCondition } from './keyConditions.ts';
import { bindingsOf, type Judge } from './plannedWrites.ts';

interface Page {
  readonly Items: readonly Record<string, unknown>[];
  /** Items that passed the filter, and items that were looked at. */
  readonly Count: number;
  readonly ScannedCount: number;
  readonly LastEvaluatedKey?: Record<string, unknown>;
}

/** @param pageItems most items in a page */
export function query(table: FakeTable, input: QueryCommandInput, judge: Judge, pageItems: number): Page {
  const bindings = bindingsOf(input);
  const condition = compileKeyCondition(input.KeyConditionExpression ?? '');
  if (judge.refusesUnused) checkPlaceholders([condition.placeholders, ...placeholdersOf(input)], bindings);
  const index = table.indexes.find(({ name }) => name === input.IndexName);
  if (input.IndexName !== undefined && index === undefined) {
    throw validationException(`The table does not have the specified index: ${input.IndexName}`);
  }
  if (index !== undefined && input.ConsistentRead === true) {
    throw validationException('Consistent reads are not supported on global secondary indexes');
  }
  const partitionKey = index?.partitionKey ?? 'pk';
  const { partition, sort } = condition.range(bindings, partitionKey, 'sk');
  const keyNames = [...new Set(['pk', 'sk', partitionKey])];
  const start = takeStart(input.ExclusiveStartKey, keyNames);
  if (start !== undefined) {
    if (input.ExclusiveStartKey?.[partitionKey] !== partition || !isInRange(start.sk, sort)) {
      throw validationException('The provided starting key is outside query boundaries based on provided conditions');
    }
  }
  const items = index === undefined ? table.partition(partition) : table.indexPartition(index.name, partition);
  const limit = limitOf(input, pageItems);
  return toPage(items.page(sort, input.ScanIndexForward !== false, start, limit), limit, keyNames, input, bindings);
}

/** @param pageItems most items in a page */
export function scan(table: FakeTable, input: ScanCommandInput, judge: Judge, pageItems: number): Page {
  if (input.IndexName !== undefined || input.TotalSegments !== undefined) {
    throw new Error('the fake scans whole tables only');
  }
  const bindings = bindingsOf(input);
  if (judge.refusesUnused) checkPlaceholders(placeholdersOf(input), bindings);
  const keyNames = ['pk', 'sk'];
  const limit = limitOf(input, pageItems);
  return toPage(table.scan(takeStart(input.ExclusiveStartKey, keyNames), limit), limit, keyNames, input, bindings);
}

/** Takes from an item a copy of what a read asks for. Without an expression that is everything. */
export function projection(text: string | undefined, bindings: Bindings): (item: Item) => Record<string, unknown> {
  if (text === undefined) return copyItem;
  const names = compileProjection(text).names.map((name) => name(bindings));
  return (item) =>
    copyItem(Object.fromEntries(names.filter((name) => Object.hasOwn(item, name)).map((name) => [name, item[name]])));
}

const compileProjection = once((text) => {
  const reader = new ExpressionReader(text);
  const names: NameReader[] = [];
  do names.push(reader.name());
  while (reader.take(','));
  reader.end();
  return { names, placeholders: reader.placeholders };
});

type ReadInput = QueryCommandInput | ScanCommandInput;

function placeholdersOf({ FilterExpression: filter, ProjectionExpression: projected }: ReadInput) {
  return [
    ...(filter === undefined ? [] : [compileCondition(filter).placeholders]),
    ...(projected === undefined ? [] : [compileProjection(projected).placeholders]),
  ];
}

function limitOf({ Limit }: ReadInput, pageItems: number): number {
  if (Limit !== undefined && Limit < 1) throw validationException('Limit must be greater than or equal to 1');
  return Math.min(Limit ?? Infinity, pageItems);
}

function toPage(
  items: readonly Item[],
  limit: number,
  keyNames: readonly string[],
  input: ReadInput,
  bindings: Bindings,
): Page {
  if (input.Select !== undefined) throw new Error('the fake does not know Select');
  const { FilterExpression } = input;
  const filter = FilterExpression === undefined ? undefined : compileCondition(FilterExpression);
  const passed = filter === undefined ? items : items.filter((item) => filter.holds(item, bindings));
  const last = items.at(-1);
  return {
    Items: passed.map(projection(input.ProjectionExpression, bindings)),
    Count: passed.length,
    ScannedCount: items.length,
    // A page that is full may be the last one: DynamoDB does not look further, and the next page is empty.
    ...(items.length === limit && last !== undefined
      ? { LastEvaluatedKey: Object.fromEntries(keyNames.map((name) => [name, attributeOf(last, name)])) }
      : {}),
  };
}

function takeStart(given: Item | undefined, keyNames: readonly string[]): Key | undefined {
  if (given === undefined) return undefined;
  const names = Object.keys(given);
  const fits = names.length === keyNames.length && keyNames.every((name) => typeof given[name] === 'string');
  if (!fits) throw validationException('The provided starting key is invalid');
  return { pk: given['pk'] as string, sk: given['sk'] as string };
}
