import type { CorrelationId, EventId } from '../../kernel/id.ts';
import type { EventType, TenantEvent } from '../event.ts';
import type { ToldEvent } from './planFacts.ts';
import type { NewEvent } from './rowInHand.ts';

/** An event in the log, with what the fan-out needs of it. */
export interface LoggedEvent {
  readonly eventId: EventId;
  readonly type: EventType;
  readonly correlationId: CorrelationId;
  /** The event as the log has it. */
  readonly text: string;
}

/** The text of an event with its id, in the bytes that `toEventText` gives. */
export function textOf({ body }: Pick<NewEvent, 'body'>, eventId: EventId): string {
  return `{"id":${JSON.stringify(eventId)},${body.slice(1)}`;
}

/** The length that the text of an event will have, in bytes. */
export function textBytes({ body }: Pick<NewEvent, 'body'>): number {
  return Buffer.byteLength(body) + ID_BYTES;
}

const ID_BYTES = '{"id":"evt_000000000000000",'.length;

/** A new event in its place. */
export function toLogged(event: NewEvent, eventId: EventId): LoggedEvent {
  const { type, correlationId } = event.draft;
  return { eventId, type, correlationId: correlationId as CorrelationId, text: textOf(event, eventId) };
}

/** An event that an earlier run has written. */
export function asLogged({ eventId, text }: Pick<ToldEvent, 'eventId' | 'text'>): LoggedEvent {
  const { type, correlationId } = JSON.parse(text) as TenantEvent;
  return { eventId, type, correlationId: correlationId as CorrelationId, text };
}
