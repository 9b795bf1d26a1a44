import type { ActionStore } from '../action/actionStore.ts';
import type { ConnectionId } from '../kernel/id.ts';
import type { MessageStore } from '../message/messageStore.ts';
import type { EventDraft } from './event.ts';
import type { BatchEnvelope, FactBatch } from './factBatch.ts';
import type { FactPlan, Reference, StoredSubject } from './facts/factRow.ts';
import { rowOf, type Fact } from './facts/factRows.ts';
import { recordOnce, type RecordDependencies, type RecordedEvent } from './recordOnce.ts';

/** The part of ingest that records published facts: each in its order, each at most once. */
export interface FactDependencies extends RecordDependencies {
  readonly messages: Pick<MessageStore, 'find' | 'findByStanza'>;
  readonly actions: Pick<ActionStore, 'find'>;
}

/**
 * Records the facts of a batch in their order. Returns the events that are to be delivered, also the ones that an
 * earlier run of the same batch recorded. Throws at the first fact that cannot be recorded; the facts before it stay
 * recorded.
 */
export async function recordFacts(dependencies: FactDependencies, batch: FactBatch): Promise<readonly RecordedEvent[]> {
  const recorded = new Map<string, RecordedEvent>();
  for (const fact of batch.events) {
    const event = await recordFact(dependencies, batch, fact);
    if (event !== undefined) recorded.set(event.eventId, event);
  }
  return [...recorded.values()];
}

/** Records one fact of a batch, as {@link recordFacts} does. */
export async function recordFact(
  dependencies: FactDependencies,
  batch: Omit<BatchEnvelope, 'events'>,
  fact: Fact,
): Promise<RecordedEvent | undefined> {
  const { stage, clock } = dependencies;
  const { tenantId, connectionId, batchId } = batch;
  const row = rowOf(fact);
  const source = { tenantId, connectionId, batchId, factKeys: [fact.key, ...(fact.otherKeys ?? [])] } as const;
  return recordOnce(dependencies, source, async () => {
    const subject = await find(dependencies, connectionId, row.about?.(fact));
    const context = { origin: batch, stage, nowMs: clock.nowMs(), ...subject };
    // A row decides on no other events than the ones that it lists.
    return row.decide(fact, context) as FactPlan<EventDraft>;
  });
}

async function find(
  { messages, actions }: FactDependencies,
  connectionId: ConnectionId,
  about: Reference | undefined,
): Promise<StoredSubject> {
  if (about === undefined) return {};
  if ('actionId' in about) return { action: await actions.find(connectionId, about.actionId) };
  return 'stanzaId' in about
    ? { message: await messages.findByStanza(connectionId, about.stanzaId) }
    : { message: await messages.find(connectionId, about.messageId) };
}
