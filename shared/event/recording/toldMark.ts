import type { EventId } from '../../kernel/id.ts';

/**
 * What a row keeps of an event that is told because of it: the place of the event in the log, and the batch whose fact it
 * is. A mark alone tells nobody anything; the event is told if its page is in the log.
 */
export interface ToldMark {
  readonly eventId: EventId;
  /** The batch of facts. A redelivery of the batch carries the same id; a repeat by WhatsApp comes in another batch. */
  readonly batchId: string;
}

/** A mark as it is stored, so that a condition compares one text. */
export function toMarkText({ eventId, batchId }: ToldMark): string {
  return `${eventId} ${batchId}`;
}

/** Reads a stored mark; undefined where a row has none. */
export function parseMark(text: unknown): ToldMark | undefined {
  if (typeof text !== 'string') return undefined;
  const [eventId = ''] = text.split(' ', 1);
  return { eventId: eventId as EventId, batchId: text.slice(eventId.length + 1) };
}
