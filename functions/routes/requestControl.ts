import type { Connection } from '../../shared/connection/connection.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import type { Clock } from '../../shared/kernel/clock.ts';
import { makeId, type CorrelationId } from '../../shared/kernel/id.ts';
import type { Random } from '../../shared/kernel/random.ts';
import { enqueueCommand, type CommandQueue, type ControlKind } from '../../shared/message/command.ts';

/**
 * Tells the owner of a connection that its record asks for something new. Throws `store_unavailable` when the queue does
 * not take it; what the record asks for is then done a minute later, by the owner's listing.
 */
export async function requestControl(
  dependencies: CommandQueue & { readonly clock: Clock; readonly random: Random },
  { tenantId, connectionId, shard }: Pick<Connection, 'tenantId' | 'connectionId' | 'shard'>,
  kind: ControlKind,
  correlationId: CorrelationId,
): Promise<void> {
  // A new id for each: two requests are two commands, also within SQS's five minutes.
  const deduplicationId = makeId('cor', dependencies.clock.nowMs(), dependencies.random);
  const command = { version: 1, kind: 'control', control: kind, tenantId, connectionId, correlationId } as const;
  try {
    await enqueueCommand(dependencies, shard, command, deduplicationId);
  } catch (cause) {
    throw new AppError('store_unavailable', { cause, retryAfterSeconds: 2 });
  }
}
