import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { UpdateCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { TenantId } from '../kernel/id.ts';
import { fromStoredMap, type StoredValue } from '../platform/itemValues.ts';
import { bucketKey } from '../platform/quotaKeys.ts';
import type { RateName } from '../platform/quotaRows.ts';
import { tableName } from '../platform/tables.ts';
import { resized, tokenMs, tokensIn, type Rate } from './bucket.ts';

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
    let known: Seen = { fullAtMs, most: rate.most };
    for (let tries = 0; tries < TRIES; tries += 1) {
      const tokens = Math.min(wanted, tokensIn(rate, inRate(rate, known, nowMs), nowMs));
      // What is known may be old: time brings tokens back, others may have given some back, and a row may have been taken away.
      const asked = tokens < least && tries === 0 ? least : tokens;
      if (asked < least || asked > rate.most) return { tokens: 0, fullAtMs: inRate(rate, known, nowMs) };
      const answer = await this.#write(bucket, rate, takingOf(rate, asked, known, nowMs), nowMs);
      known = answer.seen;
      if (answer.isWritten) return { tokens: asked, fullAtMs: known.fullAtMs };
    }
    return { tokens: 0, fullAtMs: inRate(rate, known, nowMs) };
  }

  /**
   * Gives tokens back to a bucket. Condition: it is not full, and has the size that they were taken from. Where it is not met they are of no
   * use any more. Returns when the bucket is full again, as far as that was learnt.
   */
  async giveBack(bucket: BucketName, rate: Rate, tokens: number, nowMs: number): Promise<number | undefined> {
    const { seen } = await this.#write(
      bucket,
      rate,
      {
        SET: 'fullAt = fullAt - :given',
        condition: `fullAt > :now AND ${OF_THIS_SIZE}`,
        values: { ':given': Math.floor(tokens * tokenMs(rate) * MICROSECONDS), ':now': nowMs * MICROSECONDS },
      },
      nowMs,
    );
    return inRate(rate, seen, nowMs);
  }

  async #write(
    bucket: BucketName,
    rate: Rate,
    { SET, condition, values }: Change,
    nowMs: number,
  ): Promise<{ readonly isWritten: boolean; readonly seen: Seen }> {
    try {
      const { Attributes } = await this.#table.send(
        new UpdateCommand({
          TableName: this.#TableName,
          Key: bucketKey(bucket),
          UpdateExpression: `SET ${SET}, most = :most, #ttl = :ttl`,
          ConditionExpression: condition,
          ExpressionAttributeNames: { '#ttl': 'ttl' },
          ExpressionAttributeValues: {
            ':most': rate.most,
            ':ttl': Math.ceil((nowMs + rate.windowMs) / 1_000) + KEPT_SECONDS,
            ...values,
          },
          ReturnValues: 'UPDATED_NEW',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      );
      return { isWritten: true, seen: seenIn(Attributes, rate) };
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      const row = fromStoredMap((error.Item ?? {}) as unknown as Record<string, StoredValue>);
      return { isWritten: false, seen: seenIn(row, rate) };
    }
  }
}

/** What is known of a row: when its bucket is full again, and how many it holds then. */
interface Seen {
  readonly fullAtMs: number | undefined;
  readonly most: number;
}

/** A change of a row, and its condition. */
interface Change {
  readonly SET: string;
  readonly condition: string;
  readonly values: Readonly<Record<string, number>>;
}

/** The condition that the row was written for a bucket of the same size. */
const OF_THIS_SIZE = '(attribute_not_exists(most) OR most = :most)';

/** The change that takes tokens, by what is known of the row. */
function takingOf(rate: Rate, tokens: number, { fullAtMs = 0, most }: Seen, nowMs: number): Change {
  const takes = Math.ceil(tokens * tokenMs(rate) * MICROSECONDS);
  const now = nowMs * MICROSECONDS;
  if (fullAtMs <= nowMs) {
    const values = { ':now': now, ':next': now + takes };
    return { SET: 'fullAt = :next', condition: 'attribute_not_exists(fullAt) OR fullAt <= :now', values };
  }
  if (most === rate.most) {
    const values = { ':now': now, ':takes': takes, ':latest': now + rate.windowMs * MICROSECONDS - takes };
    const condition = `fullAt > :now AND fullAt <= :latest AND ${OF_THIS_SIZE}`;
    return { SET: 'fullAt = fullAt + :takes', condition, values };
  }
  // The size of the bucket has changed since the row was written: what is missing in it stays the same.
  const next = Math.round(resized(rate, fullAtMs, most, nowMs) * MICROSECONDS) + takes;
  const values = { ':next': next, ':seen': Math.round(fullAtMs * MICROSECONDS), ':was': most };
  return { SET: 'fullAt = :next', condition: 'fullAt = :seen AND most = :was', values };
}

/** When a bucket that was seen is full again, in terms of the size that it has now. */
function inRate(rate: Rate, { fullAtMs, most }: Seen, nowMs: number): number | undefined {
  return fullAtMs === undefined || most === rate.most ? fullAtMs : resized(rate, fullAtMs, most, nowMs);
}

function seenIn(row: Readonly<Record<string, unknown>> | undefined, rate: Rate): Seen {
  const { fullAt, most } = row ?? {};
  return {
    fullAtMs: typeof fullAt === 'number' ? fullAt / MICROSECONDS : undefined,
    most: typeof most === 'number' ? most : rate.most,
  };
}
