import type { EventType, TenantEvent } from './event.ts';

/** A choice of events; a field that is left out leaves none out. */
export interface EventFilter {
  readonly types?: ReadonlySet<EventType> | undefined;
  readonly connectionId?: string | undefined;
}

/** Whether a reader wants an event. */
export function isWanted({ type, connectionId }: TenantEvent, filter: EventFilter): boolean {
  return (
    (filter.types === undefined || filter.types.has(type)) &&
    (filter.connectionId === undefined || filter.connectionId === connectionId)
  );
}
