import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { enqueueCommand, type CommandQueue } from '../../shared/message/command.ts';
import { ACCEPT_LIMIT_MS } from '../../shared/message/message.ts';
import type { MessageStore } from '../../shared/message/messageStore.ts';
import {
  listNoted,
  moveCursor,
  readCursor,
  WINDOW_MS,
  windowOf,
  type NotedConnection,
  type NotesDependencies,
} from '../../shared/message/windowNotes.ts';
import { judgeFailure, refusalOf } from '../../shared/platform/judgeFailure.ts';

export interface ReconcileDependencies
  extends Pick<Surroundings, 'clock' | 'logger' | 'metrics'>, NotesDependencies, CommandQueue {
  readonly messages: Pick<MessageStore, 'listQueued'>;
}

/**
 * The time beyond the limit that a request has which began just before it, in milliseconds: nothing is asked about while
 * it is being enqueued.
 */
const GRACE_MS = 60_000;
/** The greatest number of windows that one run handles; after an outage the next runs catch up. */
const WINDOWS_PER_RUN = 24;

/**
 * Reconcile, each minute: of a message that nobody has taken in its 15 minutes it is not known whether the queue ever had
 * its command. So the queue itself is asked: the command is put into it once more. A group of the queue keeps its order,
 * so when a worker comes to this one, it has worked all that was there before; a message that is still `queued` then was
 * never there, and the worker ends it as `failed(not_enqueued)`.
 *
 * - A run dies, or is made twice: the queue takes the same question once in five minutes, and a worker answers each
 *   alike.
 * - Nobody polls the queue: the question waits behind the commands that it asks about.
 *
 * Throws when one message could not be looked after; the others are, and the next run begins with its window again. One
 * that is refused for good is left: no later window waits for it.
 */
export function makeReconcileHandler(dependencies: ReconcileDependencies): () => Promise<void> {
  return async () => {
    const due = windowOf(dependencies.clock.nowMs() - ACCEPT_LIMIT_MS - GRACE_MS) - 1;
    const done = (await readCursor(dependencies, 'UNQUEUED')) ?? due - 1;
    const failures: unknown[] = [];
    for (let window = done + 1; window <= Math.min(due, done + WINDOWS_PER_RUN); window++) {
      for (const noted of await listNoted(dependencies, 'UNQUEUED', window)) {
        await askAbout(dependencies, noted, window).catch((error: unknown) => {
          if (judgeFailure(error) === 'passing') failures.push(error);
          else leave(dependencies, noted, error);
        });
      }
      if (failures.length === 0) await moveCursor(dependencies, 'UNQUEUED', window);
    }
    if (failures.length > 0)
      throw new AggregateError(failures, `${failures.length} connections could not be looked after`);
  };
}

function leave(
  { logger, metrics }: ReconcileDependencies,
  { tenantId, connectionId }: NotedConnection,
  error: unknown,
): void {
  metrics.count('FactsRefused', { reason: refusalOf(error) });
  logger.error('messages that may never have reached the queue could not be asked about', {
    tenantId,
    connectionId,
    error,
  });
}

async function askAbout(
  dependencies: ReconcileDependencies,
  { tenantId, connectionId, shard }: NotedConnection,
  window: number,
): Promise<void> {
  const { messages, logger } = dependencies;
  const from = window * WINDOW_MS;
  for await (const { messageId, correlationId } of messages.listQueued(connectionId, from, from + WINDOW_MS)) {
    const command = { version: 1, kind: 'send_message', tenantId, connectionId, correlationId, messageId } as const;
    await enqueueCommand(dependencies, shard, command, `late-${messageId}`);
    logger.warn('nobody has taken a message: the queue is asked about it', {
      tenantId,
      connectionId,
      messageId,
      correlationId,
    });
  }
}
