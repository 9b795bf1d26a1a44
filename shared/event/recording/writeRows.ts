import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { BatchWriteCommand, PutCommand, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { AppError } from '../../kernel/appError.ts';
import { backoffMs } from '../../kernel/backoff.ts';
import type { TransactionWrite } from '../../message/messageWrites.ts';
import { tableName } from '../../platform/tables.ts';
import type { ReadDependencies } from './readRows.ts';
import type { Item } from './rowInHand.ts';

/**
 * The outcome of writing a row. `refused`: its condition does not hold any more, or another write was in the way. `left`:
 * it was in a call that did not succeed for another row, or whose answer is not known. An error: DynamoDB refused it, or
 * did not answer.
 */
export type RowOutcome = 'written' | 'refused' | 'left' | { readonly error: unknown };

/** The number of rows from which on one transaction is better than a call for each: it costs twice the units, and one call. */
const ROWS_OF_A_TRANSACTION = 4;
const TRANSACTION_LIMIT = 100;
const BATCH_WRITE_LIMIT = 25;
/** The number of calls for single rows that are under way at once. */
const CALLS_AT_ONCE = 16;
const TRIES = 6;
const RETRY_DELAY = { firstMs: 20, capMs: 500 } as const;

/**
 * Writes rows in as few calls as possible, each with its own condition. A transaction is used because it carries many
 * conditional writes in one call; nothing relies on its rows being written together.
 */
export async function writeTogether(
  dependencies: ReadDependencies,
  writes: readonly TransactionWrite[],
): Promise<readonly RowOutcome[]> {
  if (writes.length < ROWS_OF_A_TRANSACTION) return writeEach(dependencies, writes);
  const calls = inChunks(writes, TRANSACTION_LIMIT).map((chunk) => writeTransaction(dependencies, chunk));
  return (await Promise.all(calls)).flat();
}

async function writeTransaction(
  { table }: ReadDependencies,
  writes: readonly TransactionWrite[],
): Promise<readonly RowOutcome[]> {
  try {
    await table.send(new TransactWriteCommand({ TransactItems: [...writes] }));
    return writes.map(() => 'written');
  } catch (error) {
    const reasons = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : [];
    return writes.map((_write, index) => (reasons[index]?.Code === 'ConditionalCheckFailed' ? 'refused' : 'left'));
  }
}

/** Writes each row in a call of its own, so that the outcome of each is known. */
export async function writeEach(
  dependencies: ReadDependencies,
  writes: readonly TransactionWrite[],
): Promise<readonly RowOutcome[]> {
  return atOnce(writes, (write) => writeOne(dependencies, write));
}

async function writeOne({ table }: ReadDependencies, { Put, Update }: TransactionWrite): Promise<RowOutcome> {
  try {
    if (Put !== undefined) await table.send(new PutCommand(Put));
    if (Update !== undefined) await table.send(new UpdateCommand(Update));
    return 'written';
  } catch (error) {
    const isInTheWay = error instanceof Error && error.name === 'TransactionConflictException';
    return error instanceof ConditionalCheckFailedException || isInTheWay ? 'refused' : { error };
  }
}

/** Writes items without a condition, in as few calls as possible. Throws when one of them was not written. */
export async function putTogether(dependencies: ReadDependencies, items: readonly Item[]): Promise<void> {
  // The same item twice in one call is refused.
  const distinct = [...new Map(items.map((item) => [`${String(item['pk'])} ${String(item['sk'])}`, item])).values()];
  await Promise.all(inChunks(distinct, BATCH_WRITE_LIMIT).map((chunk) => putSome(dependencies, chunk)));
}

/** Writes items without a condition, each in a call of its own. */
export async function putEach(dependencies: ReadDependencies, items: readonly Item[]): Promise<readonly RowOutcome[]> {
  const TableName = tableName(dependencies.stage, 'core');
  return atOnce(items, (item) => writeOne(dependencies, { Put: { TableName, Item: { ...item } } }));
}

async function putSome(dependencies: ReadDependencies, items: readonly Item[]): Promise<void> {
  const { table, stage, clock, random } = dependencies;
  const TableName = tableName(stage, 'core');
  let requests = items.map((item) => ({ PutRequest: { Item: { ...item } } }));
  for (let attempt = 0; attempt < TRIES; attempt++) {
    if (attempt > 0) await clock.sleep(backoffMs(RETRY_DELAY, attempt, random.unit()));
    const answer = await table.send(new BatchWriteCommand({ RequestItems: { [TableName]: requests } }));
    requests = (answer.UnprocessedItems?.[TableName] ?? []) as typeof requests;
    if (requests.length === 0) return;
  }
  throw new AppError('store_unavailable', { detail: 'not all rows could be written' });
}

function inChunks<Kind>(all: readonly Kind[], size: number): (readonly Kind[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}

/** Does something for each, a bounded number at once, and keeps the order of the results. */
async function atOnce<Kind, Result>(
  all: readonly Kind[],
  each: (one: Kind) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const chunk of inChunks(all, CALLS_AT_ONCE)) results.push(...(await Promise.all(chunk.map(each))));
  return results;
}
