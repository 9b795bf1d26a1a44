import { createHash } from 'node:crypto';
import type { EventId } from '../../kernel/id.ts';

/**
 * What a row keeps of an event that is told because of it: the place of the event in the log, and the batch whose fact it
 * is. A mark alone tells nobody anything; the event is told if its page is in the log.
 */
export interface ToldMark {
  readonly eventId: EventId;
  /** The batch of facts. A redelivery of the batch carries the same id; a repeat by WhatsApp comes in another batch. */
  readonly batchId: string;
  /** The fact of the batch, by a hash of what it says: of two that tell the same step, the one that was first. */
  readonly factHash: string;
}

/** The hash of a fact as it came, for its mark. */
export function factHashOf(raw: unknown): string {
  return createHash('sha256').update(JSON.stringify(raw)).digest('hex').slice(0, HASH_DIGITS);
}

const HASH_DIGITS = 12;

/** A mark as it is stored, so that a condition compares one text. */
export function toMarkText({ eventId, batchId, factHash }: ToldMark): string {
  return `${eventId} ${factHash} ${batchId}`;
}

/** Reads a stored mark; undefined where a row has none. */
export function parseMark(text: unknown): ToldMark | undefined {
  if (typeof text !== 'string') return undefined;
  const [eventId = '', factHash = ''] = text.split(' ', 2);
  return { eventId: eventId as EventId, factHash, batchId: text.slice(eventId.length + factHash.length + 2) };
}
