import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { ECSClient } from '@aws-sdk/client-ecs';
import type { KMSClient } from '@aws-sdk/client-kms';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { systemClock, type Clock } from '../kernel/clock.ts';
import { TimeoutError, withDeadline } from '../kernel/deadline.ts';
import type { BoundedHttpHandler } from './boundedHttpHandler.ts';
import type { Breakers, Dependency } from './breakers.ts';
import { judgeStoreCall } from './judgeStoreCall.ts';

/** The guards and bounds of a client's calls, besides their own deadline. */
export interface ClientGuards {
  /** Called before each call, and before each try of it. Throws when the call must not be made. */
  readonly beforeTry?: () => void;
  /** The milliseconds for which calls may be made: no call lasts longer than that (docs/protocol.md, "The gate"). */
  readonly timeLeftMs?: () => number;
  /** Breakers that refuse calls while the service does not answer. Clients for heartbeats and long polls have none. */
  readonly breakers?: Breakers;
  readonly clock?: Pick<Clock, 'sleep'>;
}

export interface CallBounds {
  /** The deadline of the whole call: all its tries, the waits between them, and the answer to its last byte. */
  readonly callMs: number;
  /** The deadline of each try, until the head of the answer is there. */
  readonly tryMs: number;
  /** The number of tries in all, the first one included. */
  readonly attempts: number;
}

/**
 * Puts the guards around each call of a client: whether it may be made, whether the service answers at the moment,
 * whether it ends in time. A call then throws TimeoutError with service and command as `what`, BreakerOpenError, or the
 * error of `beforeTry`. A try that the SDK would begin after the deadline is not made: nobody waits for its effect.
 */
export function guardCalls<Client extends DynamoDBClient | SQSClient | KMSClient | ECSClient | S3Client>(
  client: Client,
  handler: BoundedHttpHandler,
  dependency: Dependency | undefined,
  callMs: number,
  guards: ClientGuards,
): Client {
  const guard = guardOf(dependency, callMs, guards);
  const signals = new WeakMap<object, AbortSignal>();
  // The clients have the same stack; their types do not say so together.
  const { middlewareStack } = client as unknown as DynamoDBClient;

  middlewareStack.add(
    (next, context) => (input) =>
      guard(nameOf(context), (signal) => {
        signals.set(context, signal);
        return next(input);
      }),
    { step: 'initialize', priority: 'high', name: 'guardCall' },
  );
  // The guard of tries is the last step before the request is sent: behind the retry, which runs in the same step with
  // a higher priority. A permission that is asked for once before a call is old when the SDK tries again, for example
  // after the process was frozen.
  middlewareStack.add(
    (next, context) => async (input) => {
      const signal = signals.get(context);
      signal?.throwIfAborted();
      guards.beforeTry?.();
      if (signal !== undefined) handler.bind(input.request as object, signal);
      return next(input);
    },
    { step: 'finalizeRequest', priority: 'low', name: 'guardTry' },
  );
  return client;
}

/** Makes a call within its guards. */
type Guard = <Result>(what: string, call: (signal: AbortSignal) => Promise<Result>) => Promise<Result>;

/**
 * The guards of a whole call, of all its tries together: whether it may be made, whether the service answers at the
 * moment, whether it ends in time.
 */
export function guardOf(
  dependency: Dependency | undefined,
  callMs: number,
  { beforeTry, timeLeftMs, breakers, clock = systemClock }: ClientGuards,
): Guard {
  const breaker = dependency === undefined ? undefined : breakers?.of(dependency);
  return async (what, call) => {
    beforeTry?.();
    const bounded = async () => {
      const deadlineMs = Math.min(callMs, Math.max(1, timeLeftMs?.() ?? callMs));
      try {
        return await withDeadline(what, deadlineMs, call, clock);
      } catch (error) {
        // This is the deadline of the last try.
        const isOfTry = (error as Error).name === 'TimeoutError' && !(error instanceof TimeoutError);
        throw isOfTry ? new TimeoutError(what, callMs) : error;
      }
    };
    if (breaker === undefined) return bounded();
    return breaker.execute(bounded, (outcome) => judgeStoreCall(outcome, callMs));
  };
}

/** The name of a call, for example `DynamoDB PutItem`. */
function nameOf({
  clientName = '',
  commandName = '',
}: {
  readonly clientName?: string;
  readonly commandName?: string;
}) {
  return `${clientName.replace(/Client$/, '')} ${commandName.replace(/Command$/, '')}`;
}
