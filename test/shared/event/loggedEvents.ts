import type { EventDraft, TenantEvent } from '../../../shared/event/event.ts';
import type { EventLogDependencies } from '../../../shared/event/eventLog.ts';
import { takePlacesFor, toEvent, writePage } from '../../../shared/event/eventPages.ts';
import { makeEventId, type ConnectionId, type EventId, type TenantId } from '../../../shared/kernel/id.ts';

/** The id of an event of a log with one lane, as every log begins. */
export function eventIdOf(page: number, index = 0): EventId {
  return makeEventId({ generation: 0, lane: 0, page, index });
}

/** An event of a connection without a place. */
export function aStatusDraft(tenantId: TenantId, overrides: Partial<EventDraft> = {}): EventDraft {
  return {
    version: 1,
    type: 'connection.status',
    tenantId,
    connectionId: 'con_1',
    correlationId: 'cor-of-request',
    occurredAt: '2026-08-01T12:00:00.000Z',
    data: { status: 'online', code: 'open', sentence: 'Connected.', userAction: 'none', since: '2026-08-01T12:00:00Z' },
    ...overrides,
  } as EventDraft;
}

/** Writes events of one connection as a page of their tenant's log. */
export async function logEvents(
  dependencies: EventLogDependencies,
  drafts: readonly [EventDraft, ...EventDraft[]],
): Promise<readonly TenantEvent[]> {
  const tenantId = drafts[0].tenantId as TenantId;
  const connectionId = drafts[0].connectionId as ConnectionId;
  const places = await takePlacesFor(dependencies, tenantId, connectionId, drafts.length);
  const events = drafts.map((draft, index) => toEvent(places, index, draft));
  if ((await writePage(dependencies, tenantId, places, events)) === 'occupied') throw new Error('the place was void');
  return events;
}

/** Writes one event into its tenant's log. Returns its id. */
export async function logEvent(dependencies: EventLogDependencies, draft: EventDraft): Promise<EventId> {
  const [event] = await logEvents(dependencies, [draft]);
  return event?.id as EventId;
}
