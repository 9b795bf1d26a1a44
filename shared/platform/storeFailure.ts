import { BreakerOpenError } from './breaker.ts';

/** Names of what our own stores throw over what they hold, and of what could not be handed to a queue. */
const OURS: ReadonlySet<string> = new Set([
  'NotStoredError',
  'UnreadableItemError',
  'StaleItemError',
  'ItemWentBackError',
]);

/** Deadlines of calls to stores and queues, by what they were for. */
const STORE_CALL = /^(DynamoDB|SQS|KMS|S3) |^(session|publishing|credentials)\b/;

/** Whether something failed at a store or a queue of ours, however deep the cause lies; WhatsApp has no part in it. */
export function failedAtStore(error: unknown): boolean {
  for (let [cause, depth] = [error, 0]; cause instanceof Error && depth < 8; cause = cause.cause, depth += 1) {
    if (cause instanceof BreakerOpenError || OURS.has(cause.name) || '$metadata' in cause) return true;
    if (cause.name === 'TimeoutError' && 'what' in cause && STORE_CALL.test(String(cause.what))) return true;
  }
  return false;
}
