import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { systemClock } from '../kernel/clock.ts';
import { isAboutTime, kindOfFailure } from './storeErrors.ts';

type Retry = (tryOnce: () => Promise<unknown>, signals: readonly AbortSignal[]) => Promise<unknown>;

/**
 * Makes the function that tries a call again by the SDK's rules: after which wait, and how many retries a process may
 * make in all while its calls fail. No try begins after a signal has ended the call.
 * @param attempts the number of tries in all
 */
export function makeRetries(
  { retryStrategy }: Pick<DynamoDBClient['config'], 'retryStrategy'>,
  attempts: number,
): Retry {
  return async (tryOnce, signals) => {
    const strategy = await retryStrategy();
    if (!('acquireInitialRetryToken' in strategy))
      throw new TypeError('the SDK has rules of retrying that are not known');
    let token = await strategy.acquireInitialRetryToken('');
    for (let attempt = 1; ; attempt += 1) {
      for (const { aborted, reason } of signals) if (aborted) throw toAbort(reason);
      try {
        const output = await tryOnce();
        strategy.recordSuccess(token);
        return output;
      } catch (error) {
        // A request that was refused for its time is made again at once, by the clock that the answer showed.
        const errorType = kindOfFailure(error) ?? (attempt === 1 && isAboutTime(error) ? 'TRANSIENT' : undefined);
        if (error instanceof Error && errorType !== undefined) noteAttempts(error, attempt);
        if (errorType === undefined || attempt >= attempts) throw error;
        const next = await strategy.refreshRetryTokenForRetry(token, { errorType }).catch(() => undefined);
        if (next === undefined) throw error;
        token = next;
        await systemClock.sleep(token.getRetryDelay(), signals[0]);
      }
    }
  };
}

/** Marks an error as one of a store, also where no answer came (`storeFailure.ts`). */
function noteAttempts(error: Error, attempts: number): void {
  const { $metadata = {} } = error as { readonly $metadata?: object };
  Object.assign(error, { $metadata: { ...$metadata, attempts } });
}

function toAbort(reason: unknown): Error {
  return reason instanceof Error ? reason : Object.assign(new Error('the call was given up'), { name: 'AbortError' });
}
