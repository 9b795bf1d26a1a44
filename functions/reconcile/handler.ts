import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { enqueueCommand, type CommandQueue } from '../../shared/message/command.ts';
import { FIRST_LOOK_MS, isHeldByCommandAlone, NEXT_LOOK_MS, noteLook } from '../../shared/message/lookAgain.ts';
import { ACCEPT_LIMIT_MS, type SentMessage } from '../../shared/message/message.ts';
import type { MessageStore } from '../../shared/message/messageStore.ts';
import {
  listNoted,
  listNotedMessages,
  moveCursor,
  readCursor,
  WINDOW_MS,
  windowOf,
  type NotedConnection,
  type NotesDependencies,
} from '../../shared/message/windowNotes.ts';
import { judgeFailure, refusalOf } from '../../shared/platform/judgeFailure.ts';
import { listTenantWork } from '../../shared/tenant/tenantWork.ts';
import type { HoldableEndpoint } from '../../shared/webhook/tenantWebhooks.ts';
import { releaseDue, releaseWaiting } from '../../shared/webhook/releaseDeliveries.ts';
import { workTenant } from '../runtime/tenantWork.ts';

export interface ReconcileDependencies
  extends Pick<Surroundings, 'clock' | 'logger' | 'metrics'>, NotesDependencies, CommandQueue {
  readonly messages: Pick<MessageStore, 'find' | 'listUnsettled'>;
}

/**
 * The time beyond the limit that a request has which began just before it, in milliseconds: nothing is asked about while
 * it is being enqueued.
 */
const GRACE_MS = 60_000;
/** The greatest number of windows that one run handles; after an outage the next runs catch up. */
const WINDOWS_PER_RUN = 24;

/**
 * Reconcile, each minute, in three passes over windows of time. First: of a message that nobody has taken in its 15 minutes it is
 * not known whether the queue ever had its command. So the queue itself is asked: the command is put into it once more. A group
 * of the queue keeps its order, so when a worker comes to this one, it has worked all that was there before; a message that is
 * still `queued` then was never there, and the worker ends it as `failed(not_enqueued)`.
 *
 * Then the sweep: a message that only a command leads to and that has not ended an hour later has its command put into the queue
 * again, and once a day from then on. Whoever takes it tries it on, or ends it, by what its row says.
 *
 * Then: deliveries to webhooks that were put aside until their next attempt go into their queue (`releaseDue`).
 * Last: connections and webhooks of tenants that were suspended or resumed are brought to that (`tenantWork`).
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
    const nowMs = dependencies.clock.nowMs();
    const failures: unknown[] = [];
    await passWindows(dependencies, 'UNQUEUED', windowOf(nowMs - ACCEPT_LIMIT_MS - GRACE_MS) - 1, async (window) => {
      const noted = await listNoted(dependencies, 'UNQUEUED', window);
      return workEach(dependencies, noted, failures, (one) => askAbout(dependencies, one, window));
    });
    await passWindows(dependencies, 'LOOK', windowOf(nowMs) - 1, async (window) => {
      const noted = await Array.fromAsync(listNotedMessages(dependencies, 'LOOK', window));
      return workEach(dependencies, noted, failures, (one) => sweep(dependencies, one, window));
    });
    await retryDeliveries(dependencies, nowMs, failures);
    await workTenants(dependencies, failures);
    if (failures.length > 0) throw new AggregateError(failures, `${failures.length} things could not be looked after`);
  };
}

/** The greatest number of deliveries that one run puts into the queue. */
const DELIVERIES_PER_RUN = 5_000;

/** Deliveries whose next attempt is due go into the queue. Where that fails the next run begins with their window again. */
async function retryDeliveries(dependencies: ReconcileDependencies, nowMs: number, failures: unknown[]): Promise<void> {
  let left = DELIVERIES_PER_RUN;
  await passWindows(dependencies, 'RETRY', windowOf(nowMs) - 1, async (window) => {
    const { released, isDone } = await releaseDue(dependencies, window, { nowMs, most: left });
    left -= released;
    return isDone ? 'done' : 'failed';
  }).catch((error: unknown) => failures.push(error));
}

/** The time that one run has for tenants that were suspended or resumed, in milliseconds; the next one goes on. */
const TENANTS_MS = 20_000;

async function workTenants(dependencies: ReconcileDependencies, failures: unknown[]): Promise<void> {
  const { clock } = dependencies;
  const endsAtMs = clock.monotonicMs() + TENANTS_MS;
  const mayGoOn = (): boolean => clock.monotonicMs() < endsAtMs;
  const onLetGo = async ({ endpointId }: HoldableEndpoint): Promise<void> => {
    await releaseWaiting(dependencies, endpointId, { nowMs: clock.nowMs(), evenIfAsked: false });
  };
  for await (const work of listTenantWork(dependencies)) {
    if (!mayGoOn()) return;
    await workTenant({ ...dependencies, onLetGo }, work, mayGoOn).catch((error: unknown) => failures.push(error));
  }
}

/** Works the windows that have not been, and says how far it came. A window of which something failed is worked again. */
async function passWindows(
  dependencies: ReconcileDependencies,
  kind: 'UNQUEUED' | 'LOOK' | 'RETRY',
  last: number,
  work: (window: number) => Promise<'done' | 'failed'>,
): Promise<void> {
  const done = (await readCursor(dependencies, kind)) ?? last - 1;
  for (let window = done + 1, isWhole = true; window <= Math.min(last, done + WINDOWS_PER_RUN); window++) {
    if ((await work(window)) === 'failed') isWhole = false;
    if (isWhole) await moveCursor(dependencies, kind, window);
  }
}

async function workEach<Noted extends NotedConnection>(
  dependencies: ReconcileDependencies,
  noted: readonly Noted[],
  failures: unknown[],
  work: (one: Noted) => Promise<void>,
): Promise<'done' | 'failed'> {
  const before = failures.length;
  for (const one of noted) {
    await work(one).catch((error: unknown) => {
      if (judgeFailure(error) === 'passing') failures.push(error);
      else leave(dependencies, one, error);
    });
  }
  return failures.length === before ? 'done' : 'failed';
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

async function askAbout(dependencies: ReconcileDependencies, noted: NotedConnection, window: number): Promise<void> {
  const { messages, logger, clock } = dependencies;
  const from = window * WINDOW_MS;
  for await (const message of messages.listUnsettled(noted.connectionId, from, from + WINDOW_MS)) {
    const { messageId, correlationId, state } = message;
    await noteLook(dependencies, { ...noted, messageId }, clock.nowMs() + FIRST_LOOK_MS);
    if (state !== 'queued') continue;
    await enqueue(dependencies, noted, message, `late-${messageId}`);
    const { tenantId, connectionId } = noted;
    logger.warn('nobody has taken a message: the queue is asked about it', {
      tenantId,
      connectionId,
      messageId,
      correlationId,
    });
  }
}

async function sweep(
  dependencies: ReconcileDependencies,
  noted: NotedConnection & Pick<SentMessage, 'messageId'>,
  window: number,
): Promise<void> {
  const { messages, logger, metrics, clock } = dependencies;
  const { tenantId, connectionId, messageId } = noted;
  const message = await messages.find(connectionId, messageId);
  if (message?.direction !== 'out' || !isHeldByCommandAlone(message)) return;
  await enqueue(dependencies, noted, message, `swept-${window}-${messageId}`);
  await noteLook(dependencies, noted, clock.nowMs() + NEXT_LOOK_MS);
  const { state, correlationId } = message;
  metrics.count('MessagesSwept', {});
  logger.warn('a message stands still and is put into the queue again', {
    tenantId,
    connectionId,
    messageId,
    messageState: state,
    correlationId,
  });
}

async function enqueue(
  dependencies: ReconcileDependencies,
  { tenantId, connectionId, shard }: NotedConnection,
  { messageId, correlationId }: SentMessage,
  deduplicationId: string,
): Promise<void> {
  const command = { version: 1, kind: 'send_message', tenantId, connectionId, correlationId, messageId } as const;
  await enqueueCommand(dependencies, shard, command, deduplicationId);
}
