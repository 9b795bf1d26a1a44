import { TimeoutError } from '../kernel/deadline.ts';
import { BreakerOpenError, type BreakerVerdict, type CallOutcome } from './breaker.ts';

/** Names and codes of errors that mean that nobody answered, or that the service does not work. */
const FAILURES: ReadonlySet<string> = new Set([
  'TimeoutError',
  'AbortError',
  'RequestTimeout',
  'RequestTimeoutException',
  'InternalServerError',
  'InternalFailure',
  'ServiceUnavailable',
  'ServiceUnavailableException',
  'KMSInternalException',
  'DependencyTimeoutException',
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

const THROTTLED = /throttl|ThroughputExceeded|RequestLimitExceeded/i;

/**
 * Whether the same call can succeed a moment later: nobody answered, a breaker refused it for that reason, or it was
 * too much.
 */
export function isPassing(error: unknown): boolean {
  return error instanceof BreakerOpenError || judgeStoreCall({ error }, 0) === 'failed' || isThrottled(error);
}

/** Whether the call was more than the service takes at the moment. */
export function isThrottled(error: unknown): boolean {
  return error instanceof Error && THROTTLED.test(error.name);
}

/**
 * The verdict of a call to a store on that store.
 *
 * | outcome                                    | verdict  | because                                          |
 * | ------------------------------------------ | -------- | ------------------------------------------------ |
 * | a result                                   | answered |                                                  |
 * | time out, network, 5xx                     | failed   |                                                  |
 * | 4xx: condition not met, validation, access | answered | it works; the request is wrong                   |
 * | throttling                                 | answered | one hot partition must not close the whole store |
 * | time out sooner than its own deadline      | nothing  | the commit gate was about to close               |
 * | anything else, for example the gate closed | nothing  | the store was not called                         |
 *
 * @param ownMs the call's deadline, had the gate not cut it short
 */
export function judgeStoreCall(outcome: CallOutcome<unknown>, ownMs: number): BreakerVerdict {
  if ('value' in outcome) return 'answered';
  const { error } = outcome;
  if (!(error instanceof Error)) return 'nothing';
  if (error instanceof TimeoutError && error.deadlineMs < ownMs) return 'nothing';
  const { name, code, $metadata } = error as Error & {
    readonly code?: unknown;
    readonly $metadata?: { readonly httpStatusCode?: number };
  };
  if (FAILURES.has(name) || (typeof code === 'string' && FAILURES.has(code))) return 'failed';
  const status = $metadata?.httpStatusCode;
  if (status === undefined) return 'nothing';
  return status >= 500 ? 'failed' : 'answered';
}
