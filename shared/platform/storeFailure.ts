import { BreakerOpenError } from './breaker.ts';

/**
 * Names of errors that our own stores throw over their contents, and of errors over messages that could not be passed
 * to a queue.
 */
const OURS: ReadonlySet<string> = new Set([
  'NotStoredError',
  'UnreadableItemError',
  'StaleItemError',
  'ItemWentBackError',
]);

/** Deadlines of calls to stores and queues, by the name of the call. */
const STORE_CALL = /^(DynamoDB|SQS|KMS|S3) |^(session|publishing|credentials)\b/;

/** Whether an error comes from a store or a queue of ours, however deep the cause lies, and not from WhatsApp. */
export function failedAtStore(error: unknown): boolean {
  for (let [cause, depth] = [error, 0]; cause instanceof Error && depth < 8; cause = cause.cause, depth += 1) {
    if (cause instanceof BreakerOpenError || OURS.has(cause.name) || '$metadata' in cause) return true;
    if (cause.name === 'TimeoutError' && 'what' in cause && STORE_CALL.test(String(cause.what))) return true;
  }
  return false;
}
