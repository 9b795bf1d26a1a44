import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { readSheetsAt } from '../message/pastSheets.ts';
import { isExpired } from '../platform/expiry.ts';
import { queryAnswers, type Item } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import { sections, type JobPlace } from './jobPlace.ts';

export interface RowTable {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

/** Some rows of a section. */
export interface RowsRead {
  readonly rows: readonly Item[];
  /** The place behind them. */
  readonly next: JobPlace;
}

/**
 * Reads the rows at a place, 1 MB at most: one answer of the table. Strongly consistent, as what is read is kept, or removed. Throws a
 * RangeError where a place is in no connection.
 */
export async function readRowsAt({ table, stage }: RowTable, place: JobPlace, nowMs: number): Promise<RowsRead> {
  const { connectionId, section, after } = place;
  const of = sections[section];
  if (connectionId === undefined || of === undefined) throw new RangeError('there are no rows at this place');
  if (of.holds === 'history') {
    const { rows, next } = await readSheetsAt({ table, stage }, connectionId, place);
    const living = rows.filter((row) => !isExpired(row, nowMs));
    return {
      rows: living,
      next: next === undefined ? behind(place) : { phase: 'rows', connectionId, section, ...next },
    };
  }
  const pk = of.partition(connectionId);
  const input = {
    TableName: tableName(stage, 'core'),
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
    ExpressionAttributeValues: { ':pk': pk, ':prefix': of.prefix },
    ConsistentRead: true,
  };
  for await (const { items, last } of queryAnswers(table, input, after === undefined ? undefined : { pk, sk: after })) {
    const rows = items.filter((item) => !isExpired(item, nowMs));
    return { rows, next: last === undefined ? behind(place) : { ...place, after: String(last['sk']) } };
  }
  return { rows: [], next: behind(place) };
}

function behind({ connectionId, section }: JobPlace): JobPlace {
  return { phase: 'rows', connectionId, section: section + 1 };
}
