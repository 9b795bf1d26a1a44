import { createHash } from 'node:crypto';
import { GetCommand, PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { TenantId } from '../kernel/id.ts';
import { fileSettingsKey, firstKeptBytesKey } from '../platform/keys.ts';
import { queryItems } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import { keptDaysChoices, USUAL_KEPT_DAYS, type KeptDays } from './fileKeeping.ts';

const DAY_MS = 86_400_000;
/** The rows over which the sum of a day is spread: one takes a thousand writes a second. */
const SHARES = 4;

/** The day on which something ends, by number since 1970. */
export function keptDayOf(untilMs: number): number {
  return Math.floor(untilMs / DAY_MS);
}

/** The row of a day in which an object is counted: always the same one. */
export function shareOf(objectName: string): number {
  return (createHash('sha256').update(objectName).digest()[0] ?? 0) % SHARES;
}

/** The files that are kept for a tenant: each once, however many messages bring it. */
export interface KeptBytes {
  readonly files: number;
  readonly bytes: number;
}

/** What a tenant has chosen about its files, and how much is kept for it. */
export class TenantFiles {
  readonly #table: DynamoDBDocumentClient;
  readonly #TableName: string;
  readonly #nowMs: () => number;

  constructor(given: {
    readonly table: DynamoDBDocumentClient;
    readonly stage: string;
    readonly clock: { readonly nowMs: () => number };
  }) {
    this.#table = given.table;
    this.#TableName = tableName(given.stage, 'core');
    this.#nowMs = given.clock.nowMs;
  }

  /** Reads for how many days files of a tenant are kept that come now. */
  async keptDays(tenantId: TenantId): Promise<KeptDays> {
    const { Item } = await this.#table.send(
      new GetCommand({ TableName: this.#TableName, Key: fileSettingsKey(tenantId), ConsistentRead: true }),
    );
    // A number that a newer release may know is none here.
    return keptDaysChoices.find((days) => days === Item?.['keptDays']) ?? USUAL_KEPT_DAYS;
  }

  /** Writes down for how many days files are kept from now on. Twice is as good as once. */
  async chooseKeptDays(tenantId: TenantId, keptDays: KeptDays): Promise<void> {
    const Item = { ...fileSettingsKey(tenantId), keptDays };
    await this.#table.send(new PutCommand({ TableName: this.#TableName, Item }));
  }

  /** How much is kept now: what ends today counts until its day is over. */
  async keptBytes(tenantId: TenantId): Promise<KeptBytes> {
    const { pk, sk } = firstKeptBytesKey(tenantId, keptDayOf(this.#nowMs()));
    const days = queryItems(this.#table, {
      TableName: this.#TableName,
      KeyConditionExpression: 'pk = :pk AND sk >= :from',
      ExpressionAttributeValues: { ':pk': pk, ':from': sk },
      ConsistentRead: true,
    });
    let [files, bytes] = [0, 0];
    for await (const day of days) {
      files += Number(day['files'] ?? 0);
      bytes += Number(day['bytes'] ?? 0);
    }
    return { files, bytes };
  }
}
