import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { UpdateCommand, type DynamoDBDocumentClient, type UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import type { EndpointId, TenantId } from '../kernel/id.ts';
import { endpointKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';
import { endpointBreakerRule, TRIAL_HELD_MS, type BreakerChange } from './endpointBreaker.ts';

/** Writes of endpoint breakers. All are conditional, so that concurrent instances of a function agree. */
export interface EndpointBreakerStore {
  /**
   * Takes the one trial. Condition: nobody has taken it since the record was read. Returns the value that proves the
   * trial, or `taken`.
   */
  readonly takeTrial: (of: BrokenEndpoint, seen: number, nowMs: number) => Promise<{ readonly held: number } | 'taken'>;
  /**
   * Writes a change. Returns `opened` when this was the failure that opened the breaker, `written`, or `late` when the
   * breaker has moved on.
   */
  readonly write: (of: BrokenEndpoint, change: BreakerChange, nowMs: number) => Promise<'opened' | 'written' | 'late'>;
  /** Notes that an endpoint is slow until a time at least. Condition: it exists. */
  readonly noteSlow: (of: BrokenEndpoint, untilMs: number) => Promise<void>;
  /** Closes the breaker in any state, because its tenant says that the receiver is back. */
  readonly close: (of: BrokenEndpoint) => Promise<'closed' | 'closed_already'>;
}

export interface BrokenEndpoint {
  readonly tenantId: TenantId;
  readonly endpointId: EndpointId;
}

interface BreakerTable {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

type Update = Pick<UpdateCommandInput, 'UpdateExpression' | 'ConditionExpression' | 'ExpressionAttributeValues'>;

export function makeEndpointBreakerStore(dependencies: BreakerTable): EndpointBreakerStore {
  return {
    noteSlow: async (of, untilMs) => {
      await update(dependencies, of, {
        UpdateExpression: 'SET slowUntilMs = :until',
        ConditionExpression: '(attribute_not_exists(slowUntilMs) OR slowUntilMs < :until)',
        ExpressionAttributeValues: { ':until': untilMs },
      });
    },
    close: async (of) => {
      const closed = await update(dependencies, of, {
        UpdateExpression: 'REMOVE openUntilMs, breakerFailures, failingSinceMs',
        ConditionExpression: '(attribute_exists(openUntilMs) OR attribute_exists(breakerFailures))',
      });
      return closed === undefined ? 'closed_already' : 'closed';
    },
    takeTrial: async (of, seen, nowMs) => {
      // Two processes may take the trial in the same millisecond after the same read: the second finds another number
      // than it has seen.
      const held = Math.max(nowMs + TRIAL_HELD_MS, seen + 1);
      const taken = await update(dependencies, of, {
        UpdateExpression: 'SET openUntilMs = :held',
        ConditionExpression: 'openUntilMs = :seen',
        ExpressionAttributeValues: { ':seen': seen, ':held': held },
      });
      return taken === undefined ? 'taken' : { held };
    },
    write: async (of, change, nowMs) => {
      if (change.change === 'count') return count(dependencies, of, change.openMs, nowMs);
      const written = await update(dependencies, of, toUpdate(change));
      return written === undefined ? 'late' : 'written';
    },
  };
}

function toUpdate(change: Exclude<BreakerChange, { readonly change: 'count' }>): Update {
  if (change.change === 'forget') {
    return {
      UpdateExpression: 'REMOVE breakerFailures, failingSinceMs',
      ConditionExpression: 'attribute_not_exists(openUntilMs)',
    };
  }
  const { held, to } = change;
  const ConditionExpression = 'openUntilMs = :held';
  if (to.openUntilMs === undefined) {
    return {
      UpdateExpression: 'REMOVE openUntilMs, breakerFailures, failingSinceMs',
      ConditionExpression,
      ExpressionAttributeValues: { ':held': held },
    };
  }
  return {
    UpdateExpression: 'SET openUntilMs = :until, breakerFailures = :failures',
    ConditionExpression,
    ExpressionAttributeValues: { ':held': held, ':until': to.openUntilMs, ':failures': to.failures },
  };
}

/** Counts a failure, and opens the breaker with the last one that it takes. */
async function count(
  dependencies: BreakerTable,
  of: BrokenEndpoint,
  openMs: number,
  nowMs: number,
): Promise<'opened' | 'written' | 'late'> {
  const counted = await update(dependencies, of, {
    UpdateExpression: 'SET failingSinceMs = if_not_exists(failingSinceMs, :now) ADD breakerFailures :one',
    ConditionExpression: 'attribute_not_exists(openUntilMs)',
    ExpressionAttributeValues: { ':one': 1, ':now': nowMs },
  });
  if (counted === undefined) return 'late';
  if (Number(counted['breakerFailures']) < endpointBreakerRule.failures) return 'written';
  // A process that dies in between leaves the breaker closed: the next failure finds the number and opens it.
  const opened = await update(dependencies, of, {
    UpdateExpression: 'SET openUntilMs = :until',
    ConditionExpression: 'attribute_not_exists(openUntilMs) AND breakerFailures >= :most',
    ExpressionAttributeValues: { ':until': nowMs + openMs, ':most': endpointBreakerRule.failures },
  });
  return opened === undefined ? 'late' : 'opened';
}

/**
 * Updates a record. Returns the new attributes, or undefined when the condition is not met. A deleted endpoint meets
 * no condition.
 */
async function update(
  { table, stage }: BreakerTable,
  { tenantId, endpointId }: BrokenEndpoint,
  input: Update,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const answer = await table.send(
      new UpdateCommand({
        TableName: tableName(stage, 'core'),
        Key: endpointKey(tenantId, endpointId),
        ReturnValues: 'UPDATED_NEW',
        ...input,
        ConditionExpression: `attribute_exists(pk) AND ${input.ConditionExpression ?? ''}`,
      }),
    );
    return answer.Attributes ?? {};
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}
