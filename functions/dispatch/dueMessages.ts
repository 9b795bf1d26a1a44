import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { PARKED_LIMIT } from '../../shared/message/parkedRows.ts';
import { enqueueCommand, type CommandQueue } from '../../shared/message/command.ts';
import type { DueRow } from '../../shared/message/dueRows.ts';
import { FIRST_LOOK_MS, noteLook } from '../../shared/message/lookAgain.ts';
import { isDone } from '../../shared/message/message.ts';
import type { MessageStore } from '../../shared/message/messageStore.ts';
import type { ScheduledMessages } from '../../shared/message/scheduledMessages.ts';
import type { NotedConnection, NotesDependencies } from '../../shared/message/windowNotes.ts';
import type { DueWork } from '../../shared/platform/keys.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';

/**
 * What is due on one connection, in its order. A scheduled message: its row becomes `queued`, the queue gets its command, a
 * note says that it is looked at in an hour, its due row goes. A message that waits and has expired: its owner is asked to look at it, and its due row goes.
 *
 * - The run dies after any of these calls, or is made twice: the due row is still there, and the next run makes the same calls
 *   again. A command that is there twice does no harm: the row of the message says how far it is.
 * - The message is moved, cancelled or sent meanwhile: its row decides, in the write that would queue it.
 * - The connection has a backlog already: what is due waits in its order, and is looked at again in the next run.
 */
export interface DueDependencies extends Pick<Surroundings, 'clock' | 'metrics'>, NotesDependencies, CommandQueue {
  readonly connections: Pick<ConnectionStore, 'find'>;
  readonly messages: Pick<MessageStore, 'find'>;
  readonly scheduled: Pick<ScheduledMessages, 'due' | 'release'>;
}

/** `done`: nothing is due on the connection any more. `later`: something is, and has to wait. */
export type DueProgress = 'done' | 'later';

/** The most messages of one connection that one run queues, so that it leaves time for others. */
const MOST_A_RUN = 1_000;

/**
 * Does what is due on a connection.
 * @param mayGoOn whether the run has time left
 */
export async function doWhatIsDue(
  dependencies: DueDependencies,
  noted: NotedConnection,
  mayGoOn: () => boolean,
): Promise<DueProgress> {
  if (!mayGoOn()) return 'later';
  const nowMs = dependencies.clock.nowMs();
  for await (const row of dependencies.scheduled.due.list('END', noted.connectionId, { untilMs: nowMs })) {
    if (!mayGoOn()) return 'later';
    await lookAfterExpired(dependencies, row);
  }
  let room: number | undefined;
  for await (const row of dependencies.scheduled.due.list('SEND', noted.connectionId, { untilMs: nowMs })) {
    room ??= await roomOf(dependencies, noted);
    if (room <= 0 || !mayGoOn()) return 'later';
    room -= 1;
    await queueScheduled(dependencies, row, nowMs);
  }
  return 'done';
}

/** How many messages of a connection may be queued now. One that is gone has room: its worker ends them with the reason. */
async function roomOf({ connections }: DueDependencies, { tenantId, connectionId }: NotedConnection): Promise<number> {
  const connection = await connections.find(tenantId, connectionId);
  const isHopeless = connection?.account === undefined || connection.wanted === 'deleted';
  return Math.min(MOST_A_RUN, isHopeless ? MOST_A_RUN : PARKED_LIMIT - connection.parkedCount);
}

async function queueScheduled(dependencies: DueDependencies, row: DueRow, nowMs: number): Promise<void> {
  const { scheduled, metrics } = dependencies;
  const release = await scheduled.release(row);
  if (release === 'released') {
    await tellOwner(dependencies, row, 'due');
    await noteLook(dependencies, row, dependencies.clock.nowMs() + FIRST_LOOK_MS);
    metrics.count('DueMessages', {});
    metrics.measure('DueMessagesLate', Math.max(0, nowMs - row.atMs), {});
  }
  await remove(dependencies, 'SEND', row);
}

async function lookAfterExpired(dependencies: DueDependencies, row: DueRow): Promise<void> {
  const message = await dependencies.messages.find(row.connectionId, row.messageId);
  // One that is being tried is ended by whoever tries it.
  const waits = message?.direction === 'out' && !isDone(message.state) && message.state !== 'sending';
  if (waits) await tellOwner(dependencies, row, 'expired');
  await remove(dependencies, 'END', row);
}

function remove({ scheduled }: DueDependencies, work: DueWork, row: DueRow): Promise<void> {
  return scheduled.due.remove(work, row);
}

async function tellOwner(
  dependencies: DueDependencies,
  { tenantId, connectionId, shard, correlationId, messageId }: DueRow,
  why: 'due' | 'expired',
): Promise<void> {
  const command = { version: 1, kind: 'send_message', tenantId, connectionId, correlationId, messageId } as const;
  await enqueueCommand(dependencies, shard, command, `${why}-${messageId}`);
}
