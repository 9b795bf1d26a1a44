import type { BulkSend } from '../../shared/bulk/bulkSend.ts';
import type { BulkLineStore } from '../../shared/bulk/bulkLineStore.ts';
import { messageOfLine } from '../../shared/bulk/messageOfLine.ts';
import { enqueueCommand, type CommandQueue } from '../../shared/message/command.ts';
import { sendStates } from '../../shared/message/message.ts';
import type { MessageStore } from '../../shared/message/messageStore.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';

export interface CancelBulkDependencies extends Pick<Surroundings, 'clock'>, CommandQueue {
  readonly messages: Pick<MessageStore, 'cancel' | 'find' | 'unpark'>;
  readonly bulkLines: Pick<BulkLineStore, 'read' | 'put' | 'states'>;
}

/**
 * Cancels the messages of a bulk send that have not left, as each alone is cancelled. A line before `until` that is no message yet
 * becomes a cancelled one: a run that read the bulk send before it was cancelled, and comes to the line now, finds it there.
 * @param until the line up to which such a run may come
 */
export async function cancelRest(dependencies: CancelBulkDependencies, bulk: BulkSend, until: number): Promise<void> {
  const { bulkLines, clock } = dependencies;
  const atMs = clock.nowMs();
  const made = new Set((await bulkLines.states(bulk, bulk.released, until)).map(({ line }) => line));
  const lines = await bulkLines.read(bulk, bulk.released, until);
  for (const [index, kept] of lines.entries()) {
    const line = bulk.released + index;
    if (!made.has(line)) await bulkLines.put(bulk, line, messageOfLine(bulk, line, kept, { state: 'cancelled', atMs }));
  }
  for (const { messageId, state } of await bulkLines.states(bulk, bulk.endedBefore, until)) {
    const hasNotLeft = sendStates[state] < sendStates.sending;
    // One that is cancelled already may be the work of a run that died before the owner was told.
    if (hasNotLeft || state === 'cancelled') await cancelOne(dependencies, bulk, messageId, atMs);
  }
}

async function cancelOne(
  dependencies: CancelBulkDependencies,
  { tenantId, connectionId, shard, correlationId }: BulkSend,
  messageId: Parameters<MessageStore['cancel']>[1],
  atMs: number,
): Promise<void> {
  const { messages } = dependencies;
  await messages.cancel(connectionId, messageId, atMs);
  const message = await messages.find(connectionId, messageId);
  // A worker was faster.
  if (message?.direction !== 'out' || message.state !== 'cancelled') return;
  if (message.parkedAs !== undefined) await messages.unpark({ tenantId, connectionId }, message.parkedAs);
  const command = { version: 1, kind: 'send_message', tenantId, connectionId, correlationId, messageId } as const;
  await enqueueCommand(dependencies, shard, command, `cancelled-${messageId}`);
}
