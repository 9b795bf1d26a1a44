import type { Connection } from '../connection/connection.ts';
import { AppError } from '../kernel/appError.ts';
import type { CorrelationId, MessageId } from '../kernel/id.ts';
import { enqueueCommand, type CommandQueue } from './command.ts';
import type { SentMessage } from './message.ts';
import { partsOf } from './messageParts.ts';
import type { MessageStore } from './messageStore.ts';
import type { ScheduledMessages } from './scheduledMessages.ts';
import type { Surroundings } from '../platform/surroundings.ts';

/**
 * Cancel (docs/sending.md): one conditional write decides between the caller and the worker, whose try begins with a
 * write under the opposite condition. A caller that gets the answer `cancelled` can rely on it: nothing of the message
 * leaves any more.
 */
export interface CancelDependencies extends Pick<Surroundings, 'clock'>, CommandQueue {
  readonly messages: Pick<MessageStore, 'find' | 'cancel' | 'unpark'>;
  readonly scheduled: Pick<ScheduledMessages, 'forget'>;
}

export interface CancelRequest {
  readonly connection: Connection;
  readonly messageId: MessageId;
  readonly correlationId: CorrelationId;
}

/**
 * Cancels a message that has not left. Returns it as it stands, also when it had been cancelled before. Throws
 * `message_not_found`, `message_not_cancellable`, `store_unavailable`; repeated, the last one carries on.
 */
export async function cancelMessage(dependencies: CancelDependencies, request: CancelRequest): Promise<SentMessage> {
  const { messages, scheduled, clock } = dependencies;
  const { connection, messageId } = request;
  const { connectionId } = connection;
  const nowMs = clock.nowMs();
  const before = await messages.find(connectionId, messageId);
  if (before === undefined) throw new AppError('message_not_found');
  if (before.direction !== 'out') throw notCancellable('received');
  if (before.state !== 'cancelled' && (await messages.cancel(connectionId, messageId, nowMs)) === 'refused') {
    const now = await messages.find(connectionId, messageId);
    if (now?.direction !== 'out') throw new AppError('message_not_found');
    if (now.state !== 'cancelled') throw notCancellable(now.state);
  }
  const message = await messages.find(connectionId, messageId);
  if (message?.direction !== 'out') throw new AppError('message_not_found');
  if (message.parkedAs !== undefined) await messages.unpark(connection, message.parkedAs);
  await scheduled.forget(message);
  await tellOwner(dependencies, request, message);
  for (const part of partsOf(message)) await cancelPart(dependencies, { ...request, messageId: part.messageId });
  return message;
}

/** Cancels a part of an album whose beginning was, unless it has left. Where it dies in between, the same request goes on. */
async function cancelPart(dependencies: CancelDependencies, request: CancelRequest): Promise<void> {
  try {
    await cancelMessage(dependencies, request);
  } catch (error) {
    const isOver = error instanceof AppError && OVER.has(error.code);
    if (!isOver) throw error;
  }
}
const OVER: ReadonlySet<string> = new Set(['message_not_cancellable', 'message_not_found']);

/** Notifies the owner of the connection, which publishes what the row says in the order of all that it publishes. */
async function tellOwner(
  dependencies: CancelDependencies,
  { connection, messageId }: CancelRequest,
  { correlationId }: SentMessage,
): Promise<void> {
  const { tenantId, connectionId, shard } = connection;
  const command = { version: 1, kind: 'send_message', tenantId, connectionId, correlationId, messageId } as const;
  try {
    await enqueueCommand(dependencies, shard, command, `cancelled-${messageId}`);
  } catch (cause) {
    throw new AppError('store_unavailable', { cause, retryAfterSeconds: 2 });
  }
}

function notCancellable(state: string): AppError {
  return new AppError('message_not_cancellable', {
    detail: `Only a message that is scheduled, queued or parked can be cancelled. This one is ${state}.`,
  });
}
