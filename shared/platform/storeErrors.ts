import {
  ConditionalCheckFailedException,
  DynamoDBServiceException,
  TransactionCanceledException,
} from '@aws-sdk/client-dynamodb';
import { SQSServiceException } from '@aws-sdk/client-sqs';
import { bytesOf } from './itemValues.ts';
import type { StoreProtocol } from './storeCommands.ts';

/** An answer of a store, read to its end. */
export interface StoreAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** The names of errors that say that it was too much, as the SDK knows them. */
const THROTTLED: ReadonlySet<string> = new Set([
  'BandwidthLimitExceeded',
  'LimitExceededException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'TransactionInProgressException',
]);
const SKEWED: ReadonlySet<string> = new Set([
  'RequestTimeTooSkewed',
  'RequestExpired',
  'RequestInTheFuture',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
]);
const PASSING: ReadonlySet<string> = new Set(['TimeoutError', 'RequestTimeout', 'RequestTimeoutException']);
const PASSING_CODES: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** The kind of a failed try for the rules of retrying; undefined when the same request fails the same way again. */
export function kindOfFailure(error: unknown): 'THROTTLING' | 'TRANSIENT' | undefined {
  if (!(error instanceof Error)) return undefined;
  const { name, code, $metadata } = error as Error & {
    readonly code?: unknown;
    readonly $metadata?: { readonly httpStatusCode?: number };
  };
  if (THROTTLED.has(name) || $metadata?.httpStatusCode === 429) return 'THROTTLING';
  if (PASSING.has(name) || (typeof code === 'string' && PASSING_CODES.has(code))) return 'TRANSIENT';
  return ($metadata?.httpStatusCode ?? 0) >= 500 ? 'TRANSIENT' : undefined;
}

/** Whether a request was refused for its time: this machine's clock may be wrong. */
export function isAboutTime(error: unknown): boolean {
  return error instanceof Error && SKEWED.has(error.name);
}

interface ErrorBody {
  readonly __type?: string;
  readonly message?: string;
  readonly Message?: string;
  readonly Item?: Readonly<Record<string, unknown>>;
  readonly CancellationReasons?: readonly { readonly Item?: Readonly<Record<string, unknown>> }[];
}

/**
 * The error that an answer means, of the SDK's own classes: callers ask for `ConditionalCheckFailedException` and
 * `TransactionCanceledException` by class, and for all others by name.
 */
export function toStoreError({ status, headers, text }: StoreAnswer, service: StoreProtocol['service']): Error {
  const body = readBody(text);
  const said = body.__type ?? [headers['x-amzn-errortype']].flat()[0] ?? '';
  const name = said.replace(/:.*$/, '').replace(/^.*#/, '') || `Status${status}`;
  const requestId = [headers['x-amzn-requestid']].flat()[0];
  const common = {
    message: body.message ?? body.Message ?? name,
    $metadata: { httpStatusCode: status, ...(requestId === undefined ? {} : { requestId }) },
  };
  if (name === 'ConditionalCheckFailedException') {
    return new ConditionalCheckFailedException({ ...common, ...itemOf(body) } as never);
  }
  if (name === 'TransactionCanceledException') {
    const CancellationReasons = (body.CancellationReasons ?? []).map((reason) => ({ ...reason, ...itemOf(reason) }));
    return new TransactionCanceledException({ ...common, CancellationReasons } as never);
  }
  const fault = status >= 500 ? ('server' as const) : ('client' as const);
  const Exception = service === 'dynamodb' ? DynamoDBServiceException : SQSServiceException;
  return new Exception({ ...common, name, $fault: fault });
}

function readBody(text: string): ErrorBody {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? body : {};
  } catch {
    // A proxy in between may answer with a page.
    return {};
  }
}

/** The item that stood in the way, in DynamoDB's own form, as the SDK's errors have it: bytes are bytes. */
function itemOf({ Item }: { readonly Item?: Readonly<Record<string, unknown>> }): { readonly Item?: unknown } {
  return Item === undefined ? {} : { Item: withBytes(Item) };
}

function withBytes(stored: unknown): unknown {
  if (Array.isArray(stored)) return stored.map(withBytes);
  if (typeof stored !== 'object' || stored === null) return stored;
  const fields = Object.entries(stored);
  const [[kind, value] = []] = fields;
  if (fields.length === 1 && kind === 'B' && typeof value === 'string') return { B: bytesOf(value) };
  if (fields.length === 1 && kind === 'BS' && Array.isArray(value)) return { BS: value.map(String).map(bytesOf) };
  return Object.fromEntries(fields.map(([name, member]) => [name, withBytes(member)]));
}
