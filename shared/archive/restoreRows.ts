import { BatchExecuteStatementCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { AppError } from '../kernel/appError.ts';
import type { ReceivedMessage } from '../message/message.ts';
import type { Item } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import { toStatement, type WriteStatement } from '../platform/writeStatement.ts';
import { toPastItems } from './restorePast.ts';
import {
  restoredKinds,
  toRestoredItem,
  toRestoredPast,
  type KeptRow,
  type RestoredInto,
  type RestoredKind,
} from './restoredRow.ts';

/** What became of a row: `there` is one that was there already, and stays as it is. */
export const restoreOutcomes = ['written', 'there', 'unfinished', 'malformed'] as const;
export type RestoreOutcome = (typeof restoreOutcomes)[number];
export type RestoreCounts = Readonly<Record<RestoreOutcome, Readonly<Partial<Record<RestoredKind, number>>>>>;

/**
 * Brings rows back, each only where there is none under its key: what is there is newer. Nothing is told of it, since nothing happened. A second run finds
 * all of them there. Throws where a row could be neither written nor found: the caller brings back the same once more.
 */
export async function restoreRows(
  { table, stage, nowMs }: { readonly table: DynamoDBDocumentClient; readonly stage: string; readonly nowMs: number },
  into: RestoredInto,
  rows: readonly KeptRow[],
): Promise<RestoreCounts> {
  const counts = new Counts();
  const items: Item[] = [];
  const kinds: RestoredKind[] = [];
  const past: ReceivedMessage[] = [];
  for (const row of rows) {
    if (!isOfRow(row)) {
      const message = toRestoredPast(row, into);
      if (message === 'malformed') counts.add(message, row.kind);
      else past.push(message);
      continue;
    }
    const Item = toRestoredItem(row, into, nowMs);
    if (typeof Item === 'string') {
      counts.add(Item, row.kind);
      continue;
    }
    items.push(Item);
    kinds.push(row.kind);
  }
  for (const [place, outcome] of (await insertAll(table, tableName(stage, 'core'), items)).entries()) {
    counts.add(outcome, kinds[place] ?? 'message');
  }
  const packed = toPastItems(past, into, nowMs);
  const packedItems = packed.map(({ item }) => item);
  for (const [place, outcome] of (await insertAll(table, tableName(stage, 'core'), packedItems)).entries()) {
    counts.add(outcome, 'history', packed[place]?.messages ?? 0);
  }
  return counts.all;
}

type RowKind = Exclude<RestoredKind, 'history'>;

function isOfRow(row: KeptRow): row is KeptRow & { readonly kind: RowKind } {
  return row.kind !== 'history';
}

/** The most statements of one call. */
const STATEMENTS = 25;
/** How often a row is tried that another write was in the way of. */
const TRIES = 3;

/** Inserts items, 25 in a call: an insert reads nothing, and takes nobody's place. Returns the outcome of each. */
async function insertAll(
  table: DynamoDBDocumentClient,
  TableName: string,
  items: readonly Item[],
): Promise<readonly ('written' | 'there')[]> {
  const outcomes: ('written' | 'there')[] = [];
  for (let from = 0; from < items.length; from += STATEMENTS) {
    const Statements = items.slice(from, from + STATEMENTS).map((Item) => toStatement({ Put: { TableName, Item } }));
    outcomes.push(...(await insertSome(table, Statements)));
  }
  return outcomes;
}

async function insertSome(
  table: DynamoDBDocumentClient,
  Statements: readonly WriteStatement[],
  tries = 1,
): Promise<readonly ('written' | 'there')[]> {
  const { Responses = [] } = await table.send(new BatchExecuteStatementCommand({ Statements: [...Statements] }));
  const outcomes: ('written' | 'there')[] = [];
  for (const [place, statement] of Statements.entries()) {
    const code = Responses[place] === undefined ? 'Unanswered' : Responses[place].Error?.Code;
    if (code === undefined) outcomes.push('written');
    else if (code === 'DuplicateItem') outcomes.push('there');
    else if (tries < TRIES) outcomes.push(...(await insertSome(table, [statement], tries + 1)));
    else throw new AppError('store_unavailable', { cause: new Error(`a row was refused: ${code}`) });
  }
  return outcomes;
}

class Counts {
  readonly all: Record<RestoreOutcome, Partial<Record<RestoredKind, number>>> = {
    written: {},
    there: {},
    unfinished: {},
    malformed: {},
  };

  add(outcome: RestoreOutcome, kind: RestoredKind, rows = 1): void {
    if (rows > 0) this.all[outcome][kind] = (this.all[outcome][kind] ?? 0) + rows;
  }
}

/** The sum of two counts. */
export function addRestored(one: RestoreCounts, other: RestoreCounts): RestoreCounts {
  const sum = (outcome: RestoreOutcome) =>
    Object.fromEntries(
      restoredKinds.flatMap((kind) => {
        const both = (one[outcome][kind] ?? 0) + (other[outcome][kind] ?? 0);
        return both === 0 ? [] : [[kind, both]];
      }),
    );
  return { written: sum('written'), there: sum('there'), unfinished: sum('unfinished'), malformed: sum('malformed') };
}
