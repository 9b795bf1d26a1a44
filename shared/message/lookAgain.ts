import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { MessageId } from '../kernel/id.ts';
import { isDone, type SentMessage } from './message.ts';
import { windowNote, windowOf, type NotedConnection, type NotesDependencies } from './windowNotes.ts';

const HOUR_MS = 60 * 60_000;
/** How long after it was queued a message is looked at that only a command in the queue leads to: all its tries take minutes. */
export const FIRST_LOOK_MS = HOUR_MS;
/** How long after that it is looked at again, and again, as long as it has not ended. */
export const NEXT_LOOK_MS = 24 * HOUR_MS;

type Standing = Pick<SentMessage, 'state' | 'parkedAs'>;

/**
 * Whether nothing but a command in the queue leads to a message that is to be sent now. When that command is lost (it lies in the dead
 * letters, or nobody took it for the four days that the queue keeps it), nobody would come to the message any more. A parked one
 * has a row that its owner comes to, and a scheduled one is due later.
 */
export function isHeldByCommandAlone({ state, parkedAs }: Standing): boolean {
  return !isDone(state) && state !== 'scheduled' && parkedAs === undefined;
}

/** Notes that a message is to be looked at then, unless it has ended. Without a condition: nobody else writes this note. */
export async function noteLook(
  { table, stage }: NotesDependencies,
  { tenantId, connectionId, shard, messageId }: NotedConnection & { readonly messageId: MessageId },
  atMs: number,
): Promise<void> {
  const note = { tenantId, connectionId, shard, cause: messageId, window: windowOf(atMs) };
  await table.send(new PutCommand(windowNote(stage, 'LOOK', note).Put));
}
