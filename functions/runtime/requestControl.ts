import type { Connection } from '../../shared/connection/connection.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import type { Clock } from '../../shared/kernel/clock.ts';
import { makeId, type CorrelationId } from '../../shared/kernel/id.ts';
import type { Random } from '../../shared/kernel/random.ts';
import type { Logger } from '../../shared/platform/logger.ts';
import { enqueueCommand, type CommandQueue, type ControlKind } from '../../shared/message/command.ts';

/**
 * Whether the record alone tells its owner what is asked for. `recorded`: the owner finds it when it lists its
 * connections, within 30 s, so the request has succeeded once the record is written. `command_only`: without the
 * command nothing would happen.
 */
export type ControlTruth = 'recorded' | 'command_only';

/**
 * Notifies the owner of a connection that its record asks for something new. Throws `store_unavailable` when the queue
 * does not accept the command and nothing else would notify the owner.
 */
export async function requestControl(
  dependencies: CommandQueue & { readonly clock: Clock; readonly random: Random; readonly logger: Logger },
  { tenantId, connectionId, shard }: Pick<Connection, 'tenantId' | 'connectionId' | 'shard'>,
  kind: ControlKind,
  correlationId: CorrelationId,
  truth: ControlTruth,
): Promise<void> {
  // Each request has a new id: two requests are two commands, also within SQS's five minutes of deduplication.
  const deduplicationId = makeId('cor', dependencies.clock.nowMs(), dependencies.random);
  const command = { version: 1, kind: 'control', control: kind, tenantId, connectionId, correlationId } as const;
  try {
    await enqueueCommand(dependencies, shard, command, deduplicationId);
  } catch (cause) {
    if (truth === 'command_only') throw new AppError('store_unavailable', { cause, retryAfterSeconds: 2 });
    const { logger } = dependencies;
    logger.warn('command not queued, the listing makes up for it', {
      connectionId,
      control: kind,
      correlationId,
      error: cause,
    });
  }
}
