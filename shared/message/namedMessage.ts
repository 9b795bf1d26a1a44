import { AppError } from '../kernel/appError.ts';
import { parseId, type ConnectionId, type MessageId } from '../kernel/id.ts';
import type { Message } from './message.ts';

/** Where a request finds the message that it names. */
export interface NamedLookUp {
  readonly messages: {
    readonly find: (connectionId: ConnectionId, messageId: MessageId) => Promise<Message | undefined>;
  };
  readonly connectionId: ConnectionId;
}

/**
 * Finds the message of this connection that a request names. Returns the error that refuses the request where there is
 * none: a repeated request gets its answer all the same. Rejects when the store does not answer.
 */
export async function findNamed(
  id: string,
  field: string,
  { messages, connectionId }: NamedLookUp,
): Promise<Message | AppError> {
  const messageId = parseId('msg', id);
  const found = messageId === undefined ? undefined : await messages.find(connectionId, messageId);
  if (found !== undefined) return found;
  const problem = 'is no message of this connection, or one that is not kept any more';
  return new AppError('message_not_found', { fields: [{ field, problem }] });
}
