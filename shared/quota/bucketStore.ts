import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { UpdateCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { TenantId } from '../kernel/id.ts';
import { fromStoredMap, type StoredValue } from '../platform/itemValues.ts';
import { bucketKey } from '../platform/quotaKeys.ts';
import type { RateName } from '../platform/quotaRows.ts';
import { tableName } from '../platform/tables.ts';
import { tokenMs, tokensIn, type Rate } from './bucket.ts';

/** The bucket of a tenant, or of something of the tenant's. */
export interface BucketName {
  readonly tenantId: TenantId;
  readonly quota: RateName;
  /** What of the tenant's it is of; undefined for one of the tenant itself. */
  readonly of: string | undefined;
}

export interface Asked {
  /** How many are wanted, and with how few the caller makes do: fewer are of no use to it. */
  readonly wanted: number;
  readonly least: number;
  /** When the bucket is full again, as far as the caller knows. */
  readonly fullAtMs: number | undefined;
}

export interface Granted {
  /** 0 where there were too few: then nothing was written. */
  readonly tokens: number;
  readonly fullAtMs: number | undefined;
}

export interface BucketStoreDependencies {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

/** How often the row is written to anew after others took some meanwhile. */
const TRIES = 4;
/** A row is of no use once its bucket is full; it is kept for an hour longer, for the clocks of processes. */
const KEPT_SECONDS = 3_600;
/** Times stand in the row in whole microseconds: they are added up there, and come back exactly. */
const MICROSECONDS = 1_000;

/** The buckets of tenants in the table. */
export class BucketStore {
  readonly #table: DynamoDBDocumentClient;
  readonly #TableName: string;

  constructor({ table, stage }: BucketStoreDependencies) {
    this.#table = table;
    this.#TableName = tableName(stage, 'core');
  }

  /**
   * Takes tokens out of a bucket: as many as are wanted, or as there are. Condition: the bucket has them. Two that take some at once do not
   * stand in each other's way while there is enough for both.
   */
  async take(bucket: BucketName, rate: Rate, { wanted, least, fullAtMs }: Asked, nowMs: number): Promise<Granted> {
    let known = fullAtMs;
    for (let tries = 0; tries < TRIES; tries += 1) {
      const tokens = Math.min(wanted, tokensIn(rate, known, nowMs));
      // What is known may be old: others bring no tokens back, but time does, and a row may have been taken away.
      const asked = tokens < least && tries === 0 ? least : tokens;
      if (asked < least || asked > rate.most) return { tokens: 0, fullAtMs: known };
      const answer = await this.#write(bucket, rate, { tokens: asked, isFull: (known ?? 0) <= nowMs, nowMs });
      known = answer.fullAtMs;
      if (answer.isTaken) return { tokens: asked, fullAtMs: known };
    }
    return { tokens: 0, fullAtMs: known };
  }

  async #write(
    bucket: BucketName,
    rate: Rate,
    { tokens, isFull, nowMs }: { readonly tokens: number; readonly isFull: boolean; readonly nowMs: number },
  ): Promise<{ readonly isTaken: boolean; readonly fullAtMs: number | undefined }> {
    const takes = Math.ceil(tokens * tokenMs(rate) * MICROSECONDS);
    const now = nowMs * MICROSECONDS;
    const ttl = Math.ceil((nowMs + rate.windowMs) / 1_000) + KEPT_SECONDS;
    try {
      const { Attributes } = await this.#table.send(
        new UpdateCommand({
          TableName: this.#TableName,
          Key: bucketKey(bucket),
          UpdateExpression: `SET fullAt = ${isFull ? ':next' : 'fullAt + :takes'}, #ttl = :ttl`,
          ConditionExpression: isFull
            ? 'attribute_not_exists(fullAt) OR fullAt <= :now'
            : 'fullAt > :now AND fullAt <= :latest',
          ExpressionAttributeNames: { '#ttl': 'ttl' },
          ExpressionAttributeValues: {
            ':now': now,
            ':ttl': ttl,
            ...(isFull
              ? { ':next': now + takes }
              : { ':takes': takes, ':latest': now + rate.windowMs * MICROSECONDS - takes }),
          },
          ReturnValues: 'UPDATED_NEW',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      );
      return { isTaken: true, fullAtMs: fullAtMsOf(Attributes) };
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      const row = fromStoredMap((error.Item ?? {}) as unknown as Record<string, StoredValue>);
      return { isTaken: false, fullAtMs: fullAtMsOf(row) };
    }
  }
}

function fullAtMsOf(row: Readonly<Record<string, unknown>> | undefined): number | undefined {
  const fullAt = row?.['fullAt'];
  return typeof fullAt === 'number' ? fullAt / MICROSECONDS : undefined;
}
