import { notEnqueuedDraft } from '../../shared/event/facts/messageStatus.ts';
import { notEnqueuedKey } from '../../shared/event/facts/sendResultFact.ts';
import {
  recordOnce,
  type OncePlan,
  type RecordDependencies,
  type RecordedEvent,
} from '../../shared/event/recordOnce.ts';
import { ACCEPT_LIMIT_MS } from '../../shared/message/message.ts';
import type { MessageStore } from '../../shared/message/messageStore.ts';
import { notEnqueuedWrite } from '../../shared/message/messageWrites.ts';
import {
  listUnqueued,
  minuteOf,
  moveCursor,
  readCursor,
  unmarkUnqueued,
  type UnqueuedMessage,
} from '../../shared/message/unqueuedMessages.ts';
import { judgeFailure, refusalOf } from '../../shared/platform/judgeFailure.ts';
import { enqueueDeliveries, type DeliveryQueue } from '../../shared/webhook/delivery.ts';
import type { EndpointStore } from '../../shared/webhook/endpointStore.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';

export interface ReconcileDependencies
  extends Pick<Surroundings, 'logger' | 'metrics'>, RecordDependencies, DeliveryQueue {
  readonly messages: Pick<MessageStore, 'find'>;
  readonly endpoints: Pick<EndpointStore, 'list'>;
}

/**
 * The time beyond the limit that a request has which began just before it, in milliseconds: nothing is given up while
 * it is being enqueued.
 */
const GRACE_MS = 60_000;
/** The greatest number of minutes that one run handles; after an outage the next runs catch up. */
const MINUTES_PER_RUN = 120;

/**
 * Reconcile, each minute: a message that was accepted and never reached the queue in its 15 minutes becomes
 * `failed(not_enqueued)`, with an event, so that no message stays without an end. Throws when one could not be handled;
 * the others are, and the next run begins with its minute again. A message that the store refuses for good is left and
 * counted: no later minute waits for it.
 */
export function makeReconcileHandler(dependencies: ReconcileDependencies): () => Promise<void> {
  return async () => {
    const due = minuteOf(dependencies.clock.nowMs() - ACCEPT_LIMIT_MS - GRACE_MS) - 1;
    const done = (await readCursor(dependencies)) ?? due - 1;
    const failures: unknown[] = [];
    for (let minute = done + 1; minute <= Math.min(due, done + MINUTES_PER_RUN); minute++) {
      for (const marker of await listUnqueued(dependencies, minute)) {
        await lookAfter(dependencies, marker).catch((error: unknown) => {
          if (judgeFailure(error) === 'passing') failures.push(error);
          else leave(dependencies, marker, error);
        });
      }
      if (failures.length === 0) await moveCursor(dependencies, minute);
    }
    if (failures.length > 0)
      throw new AggregateError(failures, `${failures.length} messages could not be looked after`);
  };
}

function leave({ logger, metrics }: ReconcileDependencies, marker: UnqueuedMessage, error: unknown): void {
  const { tenantId, connectionId, messageId } = marker;
  metrics.count('FactsRefused', { reason: refusalOf(error) });
  logger.error('a message that never reached the queue was refused', { tenantId, connectionId, messageId, error });
}

async function lookAfter(dependencies: ReconcileDependencies, marker: UnqueuedMessage): Promise<void> {
  const { tenantId, connectionId, messageId } = marker;
  const source = {
    tenantId,
    connectionId,
    factKeys: [notEnqueuedKey(messageId)] as const,
    // The id is the same in each run, so that a run that died before the fan-out is completed by the next.
    batchId: `reconcile:${messageId}`,
  };
  const event = await recordOnce(dependencies, source, () => giveUp(dependencies, marker));
  if (event !== undefined) await tell(dependencies, marker, event);
  await unmarkUnqueued(dependencies, marker);
}

async function giveUp(dependencies: ReconcileDependencies, marker: UnqueuedMessage): Promise<OncePlan> {
  const { connectionId, messageId } = marker;
  const message = await dependencies.messages.find(connectionId, messageId);
  // Only the marker is left over: either the row was never written, or the message was enqueued after all.
  if (message?.direction !== 'out' || message.state !== 'accepting') return { plan: 'ignored' };
  const nowMs = dependencies.clock.nowMs();
  return {
    plan: 'stored',
    draft: notEnqueuedDraft(message, nowMs),
    changes: [notEnqueuedWrite(dependencies.stage, connectionId, messageId, nowMs)],
  };
}

async function tell(
  dependencies: ReconcileDependencies,
  { tenantId, connectionId, messageId }: UnqueuedMessage,
  event: RecordedEvent,
): Promise<void> {
  const { eventId, correlationId } = event;
  dependencies.metrics.count('CommandsEnded', { outcome: 'failed' });
  await enqueueDeliveries(dependencies, await dependencies.endpoints.list(tenantId), [event]);
  dependencies.logger.warn('message never reached the queue and is given up', {
    tenantId,
    connectionId,
    messageId,
    eventId,
    correlationId,
  });
}
