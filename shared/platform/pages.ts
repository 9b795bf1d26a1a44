import { QueryCommand, ScanCommand, type DynamoDBDocumentClient, type QueryCommandInput } from '@aws-sdk/lib-dynamodb';

/**
 * Lists of a table, read to their end. An answer of Query or Scan ends at 1 MB, at its limit and, with a filter,
 * anywhere: only `LastEvaluatedKey` says whether that was all. So only this file sends the two (a test enforces it).
 */
export type Item = Record<string, unknown>;
type Table = Pick<DynamoDBDocumentClient, 'send'>;
type ListInput = Omit<QueryCommandInput, 'ExclusiveStartKey' | 'Limit'>;

/** The bytes of JSON in one page of the API: with the fields around it well below 1 MB. */
export const PAGE_BYTES = 900_000;
/** The number of items that one page may skip because they are not to be shown. The next page goes on behind them. */
const MOST_PASSED = 1_000;

/**
 * The items of a query in their order, read as they are needed; a consumer that stops reads no more.
 * @param from.after key of the item before the first
 * @param from.pageSize items in one answer, for a consumer that needs no more than that
 */
export async function* queryItems(
  table: Table,
  input: ListInput,
  from: { readonly after?: Item | undefined; readonly pageSize?: number } = {},
): AsyncGenerator<Item> {
  let start = from.after;
  do {
    const answer = await table.send(
      new QueryCommand({
        ...input,
        ...(from.pageSize === undefined ? {} : { Limit: from.pageSize }),
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      }),
    );
    yield* answer.Items ?? [];
    start = answer.LastEvaluatedKey;
  } while (start !== undefined);
}

/**
 * The answers of a query in their order, each with the key of the last item that was looked at, as long as there may be more. With a
 * filter an answer may be empty.
 */
export async function* queryAnswers(
  table: Table,
  input: ListInput,
  after: Item | undefined,
): AsyncGenerator<{ readonly items: readonly Item[]; readonly last: Item | undefined }> {
  let start = after;
  do {
    const answer = await table.send(
      new QueryCommand({ ...input, ...(start === undefined ? {} : { ExclusiveStartKey: start }) }),
    );
    start = answer.LastEvaluatedKey;
    yield { items: answer.Items ?? [], last: start };
  } while (start !== undefined);
}

/** All items of a table, in no particular order. */
export async function* scanItems(table: Table, input: Omit<ListInput, 'KeyConditionExpression'>): AsyncGenerator<Item> {
  let start: Item | undefined;
  do {
    const answer = await table.send(
      new ScanCommand({ ...input, ...(start === undefined ? {} : { ExclusiveStartKey: start }) }),
    );
    yield* answer.Items ?? [];
    start = answer.LastEvaluatedKey;
  } while (start !== undefined);
}

/** Some items of a list, and whether there may be more. */
export interface Page<Shown> {
  readonly shown: readonly Shown[];
  /** The last item that was looked at, when there may be more: the next page begins after it. */
  readonly last: Item | undefined;
}

/**
 * Reads one page: at most `limit` items and {@link PAGE_BYTES}, but at least one item, however long.
 * @param page.show the view of an item, or undefined for an item that is to be skipped; it ends no page
 */
export async function readPage<Shown>(
  items: AsyncIterable<Item>,
  page: { readonly limit: number; readonly show: (item: Item) => Shown | undefined },
): Promise<Page<Shown>> {
  const shown: Shown[] = [];
  let last: Item | undefined;
  let bytes = 0;
  let passed = 0;
  for await (const item of items) {
    const next = page.show(item);
    if (next === undefined) {
      passed += 1;
    } else {
      bytes += Buffer.byteLength(JSON.stringify(next));
      if (shown.length === page.limit || (shown.length > 0 && bytes > PAGE_BYTES)) return { shown, last };
      shown.push(next);
    }
    last = item;
    if (passed === MOST_PASSED) return { shown, last };
  }
  return { shown, last: undefined };
}

/** The first items of a list, at most so many. */
export async function firstOf<Kind>(items: AsyncIterable<Kind>, most: number): Promise<readonly Kind[]> {
  const found: Kind[] = [];
  for await (const item of items) {
    found.push(item);
    if (found.length >= most) break;
  }
  return found;
}

/** All items of a list that is known to be short. */
export async function allOf(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  return Array.fromAsync(items);
}
