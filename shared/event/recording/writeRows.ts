import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { BatchExecuteStatementCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { TransactionWrite } from '../../message/messageWrites.ts';
import { toStatement } from '../../platform/writeStatement.ts';
import type { ReadDependencies } from './readRows.ts';

/**
 * The outcome of writing a row. `refused`: its condition does not hold any more. `left`: whether it
 * was written is not known, another write was in the way, or it is to be written alone. An error: DynamoDB refused it, or did not answer.
 */
export type RowOutcome = 'written' | 'refused' | 'left' | { readonly error: unknown };

/** The greatest number of statements in one call of DynamoDB. */
const STATEMENTS = 25;
/** The number of calls for single rows that are under way at once. */
const CALLS_AT_ONCE = 16;

/**
 * Writes rows in as few calls as possible, each with its own condition: one call carries 25 of them as statements, which
 * DynamoDB carries out one by one, so that each has an outcome of its own and costs what it costs alone. A transaction
 * would cost twice as much, and nothing relies on the rows being written together.
 *
 * - *The process dies, or the answer never comes*: any of the rows may be written. The next run finds their marks.
 * - *It happens twice*, as when an answer was lost and the client asks again: what the first made is then refused by its
 *   condition, or as there already, and the next run reads it.
 * - *Two do it at once*: of two writes of one row one is refused.
 */
export async function writeTogether(
  dependencies: Pick<ReadDependencies, 'table'>,
  writes: readonly TransactionWrite[],
): Promise<readonly RowOutcome[]> {
  if (writes.length < 2) return writeEach(dependencies, writes);
  const calls = inChunks(writes, STATEMENTS).map((chunk) => writeStatements(dependencies, chunk));
  return (await Promise.all(calls)).flat();
}

async function writeStatements(
  { table }: Pick<ReadDependencies, 'table'>,
  writes: readonly TransactionWrite[],
): Promise<readonly RowOutcome[]> {
  try {
    const { Responses = [] } = await table.send(
      new BatchExecuteStatementCommand({ Statements: writes.map(toStatement) }),
    );
    return writes.map((write, place) => toOutcome(write, Responses[place]));
  } catch {
    // What is wrong with the call is found out when each row is written alone.
    return writes.map(() => 'left');
  }
}

/** A row without a condition, that is there already, is put in its place when it is written alone. */
function toOutcome(
  { Put }: TransactionWrite,
  answer: { readonly Error?: { readonly Code?: string | undefined } | undefined } | undefined,
): RowOutcome {
  if (answer === undefined) return 'left';
  if (answer.Error === undefined) return 'written';
  const isUnconditional = Put !== undefined && Put.ConditionExpression === undefined;
  return !isUnconditional && REFUSALS.has(answer.Error.Code) ? 'refused' : 'left';
}

const REFUSALS: ReadonlySet<string | undefined> = new Set(['ConditionalCheckFailed', 'DuplicateItem']);

/** Writes each row in a call of its own, so that the outcome of each is known. */
export async function writeEach(
  dependencies: Pick<ReadDependencies, 'table'>,
  writes: readonly TransactionWrite[],
): Promise<readonly RowOutcome[]> {
  const results: RowOutcome[] = [];
  for (const chunk of inChunks(writes, CALLS_AT_ONCE)) {
    results.push(...(await Promise.all(chunk.map((write) => writeOne(dependencies, write)))));
  }
  return results;
}

async function writeOne(
  { table }: Pick<ReadDependencies, 'table'>,
  { Put, Update }: TransactionWrite,
): Promise<RowOutcome> {
  try {
    if (Put !== undefined) await table.send(new PutCommand(Put));
    if (Update !== undefined) await table.send(new UpdateCommand(Update));
    return 'written';
  } catch (error) {
    if (error instanceof Error && error.name === 'TransactionConflictException') return 'left';
    return error instanceof ConditionalCheckFailedException ? 'refused' : { error };
  }
}

function inChunks<Kind>(all: readonly Kind[], size: number): (readonly Kind[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}
