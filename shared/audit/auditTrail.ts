import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { firstIdOf, type AuditId } from '../kernel/id.ts';
import { isExpired } from '../platform/expiry.ts';
import { auditPartition, type AuditOwner } from '../platform/auditKeys.ts';
import { queryItems, readPage, type Item } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import { toAskedItem, toEndedItem, type AskedEntry, type AuditEntry, type EndedEntry } from './auditEntry.ts';

/** A choice of entries. */
export interface AuditFilter {
  readonly keyId?: string | undefined;
  readonly action?: string | undefined;
  /** The time of the first ones, in milliseconds since 1970. */
  readonly sinceMs?: number | undefined;
  /** The time before which they are. */
  readonly untilMs?: number | undefined;
}

export interface AuditPage {
  /** The entry before which the page begins: it has older ones. */
  readonly before: AuditId | undefined;
  readonly limit: number;
  readonly nowMs: number;
}

/** The rows of an entry. */
const HALVES = 2;
/** Sorts behind every id that is made. */
const BEHIND_ALL = 'aud_~';

/**
 * The trails of audit: one of each tenant, and one of the operators. Rows are only ever added: the roles of the functions may put and
 * query them, and neither change nor delete them. An entry has two, and the first one is written before anything is done: so a change
 * without its entry cannot be. Whoever dies after it leaves an entry that says nothing of an end.
 */
export class AuditTrail {
  readonly #table: DynamoDBDocumentClient;
  readonly #TableName: string;

  constructor({ table, stage }: { readonly table: DynamoDBDocumentClient; readonly stage: string }) {
    this.#table = table;
    this.#TableName = tableName(stage, 'core');
  }

  /** Writes down what is asked for, in each trail that it belongs to. Nothing may be done before this has ended. */
  async ask(owners: readonly AuditOwner[], entry: AskedEntry): Promise<void> {
    await Promise.all(owners.map((owner) => this.#add(toAskedItem(owner, entry))));
  }

  /** Writes down how it ended. */
  async end(owners: readonly AuditOwner[], entry: AskedEntry, ended: EndedEntry): Promise<void> {
    await Promise.all(owners.map((owner) => this.#add(toEndedItem(owner, entry, ended))));
  }

  /** A page of a trail, newest first. */
  async list(
    owner: AuditOwner,
    { keyId, action, sinceMs = 0, untilMs }: AuditFilter,
    { before, limit, nowMs }: AuditPage,
  ): Promise<{ readonly entries: readonly AuditEntry[]; readonly next: AuditId | undefined }> {
    const ends = [untilMs === undefined ? BEHIND_ALL : firstIdOf('aud', untilMs), before ?? BEHIND_ALL].sort();
    const [from, to] = [firstIdOf('aud', sinceMs), ends[0] ?? BEHIND_ALL];
    // The table takes no range that is empty by its ends.
    if (from > to) return { entries: [], next: undefined };
    const items = queryItems(
      this.#table,
      {
        TableName: this.#TableName,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
        ExpressionAttributeValues: { ':pk': auditPartition(owner), ':from': from, ':to': to },
        ScanIndexForward: false,
        ConsistentRead: true,
      },
      keyId === undefined && action === undefined ? { pageSize: HALVES * (limit + 1) } : {},
    );
    const { shown, last } = await readPage(inOne(items), {
      limit,
      show: (item) => {
        const entry = item as unknown as AuditEntry & { readonly ttl: number };
        if (isExpired(entry, nowMs)) return undefined;
        if (action !== undefined && entry.action !== action) return undefined;
        return keyId === undefined || ('keyId' in entry.actor && entry.actor.keyId === keyId) ? entry : undefined;
      },
    });
    return { entries: shown, next: last?.['auditId'] as AuditId | undefined };
  }

  async #add(row: Item): Promise<void> {
    try {
      await this.#table.send(
        new PutCommand({ TableName: this.#TableName, Item: row, ConditionExpression: 'attribute_not_exists(pk)' }),
      );
    } catch (error) {
      // Nobody else makes this id: it was put by an earlier try whose answer was lost.
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }
}

/** What is done with trails. */
export type AuditTrails = Pick<AuditTrail, 'ask' | 'end' | 'list'>;

/** The entries of rows that come newest first, and so with their ends before what was asked. */
async function* inOne(items: AsyncIterable<Item>): AsyncGenerator<Item> {
  let end: Item | undefined;
  for await (const item of items) {
    if (item['ended'] !== undefined) {
      end = item;
      continue;
    }
    yield { ...item, ended: end?.['auditId'] === item['auditId'] ? end?.['ended'] : undefined };
    end = undefined;
  }
}
