import { PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { DeliveryId, EndpointId, EventId } from '../kernel/id.ts';
import { expiryOf, isExpired } from '../platform/expiry.ts';
import { ATTEMPT_PREFIX, attemptKey, attemptPartition } from '../platform/keys.ts';
import { queryItems, readPage } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import type { PostOutcome } from './postWebhook.ts';

/** One POST of a delivery, as it is kept under its endpoint for 30 days. */
export interface Attempt {
  readonly endpointId: EndpointId;
  readonly deliveryId: DeliveryId;
  readonly eventId: EventId;
  /** The number of the attempt; 1 is the first. */
  readonly number: number;
  readonly atMs: number;
  readonly result: AttemptResult;
  readonly httpStatus: number | undefined;
  /** The reason why there was no answer, as a code; undefined when there was one. */
  readonly reason: string | undefined;
  readonly durationMs: number;
}

/** `delivered` ends the delivery; `gone` ends all of the endpoint; `failed` is tried again. */
export type AttemptResult = 'delivered' | 'gone' | 'failed';

/**
 * The meaning of an answer: 2xx is success, 410 says that the receiver wants no more, and all else, redirects included,
 * is a failure.
 */
export function judgeOutcome(outcome: PostOutcome): AttemptResult {
  if (outcome.outcome !== 'answered') return 'failed';
  if (outcome.httpStatus >= 200 && outcome.httpStatus < 300) return 'delivered';
  return outcome.httpStatus === 410 ? 'gone' : 'failed';
}

/**
 * The delay after each failed attempt, in seconds; the last one repeats. With 14 attempts the last is about two hours
 * later.
 */
const RETRY_DELAY_SECONDS = [5, 30, 120, 300, 600, 900] as const;

/**
 * Seconds until the next attempt, spread by a quarter to both sides, so that deliveries that failed together do not
 * return together.
 * @param attempt the number of the attempt that failed; 1 is the first
 * @param jitter a number in [0, 1)
 */
export function retryDelaySeconds(attempt: number, jitter: number): number {
  const seconds = RETRY_DELAY_SECONDS[Math.min(attempt, RETRY_DELAY_SECONDS.length) - 1] ?? RETRY_DELAY_SECONDS[0];
  return Math.max(1, Math.round(seconds * (0.75 + 0.5 * jitter)));
}

interface AttemptDependencies {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

/** Keeps an attempt. The write has no condition. */
export async function recordAttempt({ table, stage }: AttemptDependencies, attempt: Attempt): Promise<void> {
  const key = attemptKey(attempt.endpointId, attempt);
  await table.send(
    new PutCommand({
      TableName: tableName(stage, 'core'),
      Item: { ...key, ...attempt, ttl: expiryOf('attempt', attempt.atMs) },
    }),
  );
}

/** The latest attempts of an endpoint, newest first. The caller has read the endpoint under its tenant. */
export async function listAttempts(
  { table, stage }: AttemptDependencies,
  endpointId: EndpointId,
  page: { readonly limit: number; readonly nowMs: number },
): Promise<readonly Attempt[]> {
  const input = {
    TableName: tableName(stage, 'core'),
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
    ExpressionAttributeValues: { ':pk': attemptPartition(endpointId), ':prefix': ATTEMPT_PREFIX },
    ScanIndexForward: false,
  };
  const { shown } = await readPage(queryItems(table, input, { pageSize: page.limit + 1 }), {
    limit: page.limit,
    show: (item) => (isExpired(item, page.nowMs) ? undefined : toAttempt(item)),
  });
  return shown;
}

function toAttempt(item: Record<string, unknown>): Attempt {
  return {
    endpointId: item['endpointId'] as EndpointId,
    deliveryId: item['deliveryId'] as DeliveryId,
    eventId: item['eventId'] as EventId,
    number: item['number'] as number,
    atMs: item['atMs'] as number,
    result: item['result'] as AttemptResult,
    httpStatus: item['httpStatus'] as number | undefined,
    reason: item['reason'] as string | undefined,
    durationMs: item['durationMs'] as number,
  };
}
