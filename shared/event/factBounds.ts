import { contentBounds } from '../content/contentBounds.ts';
import { MESSAGE_BYTES } from '../platform/queues.ts';

/**
 * How large the parts of a fact may be. What is in them comes from strangers, and a store refuses what is too large, each time
 * anew; so nothing leaves the worker that is larger than this. `docs/failures.md` shows the table.
 *
 * Together they fit: a text of 65,536 control characters is 384 KB as JSON, and DynamoDB takes items of 400 KB; 65,536 emoji
 * are 768 KB in an ASCII body, and SQS takes messages of 1 MB.
 */
export const factBounds = {
  ...contentBounds,
  /** Characters of the name that a sender gives himself; WhatsApp takes 25. */
  nameCharacters: 128,
  /** UTF-16 units of an id of WhatsApp's: of a message, or of a call. */
  idUnits: 128,
  /** UTF-16 units of an address. */
  addressUnits: 128,
  flags: 8,
  keyUnits: 200,
  otherKeys: 3,
  /** Of an event, as JSON in UTF-8. */
  eventBytes: 400_000,
  /** Of a body in the queue: 1 MB, without room for what is around the facts. */
  bodyBytes: MESSAGE_BYTES - 4_096,
} as const;

/** WhatsApp began in 2009: what is older never happened there. */
const EARLIEST_MS = Date.UTC(2009, 0, 1);
/** Clocks differ, but not by more. */
const AHEAD_MS = 24 * 3_600_000;

/** The time that WhatsApp tells, or the time of arrival where that is none or can not be. */
export function plausibleTimeMs(toldMs: number, arrivedAtMs: number): number {
  const isPlausible = Number.isInteger(toldMs) && toldMs >= EARLIEST_MS && toldMs <= arrivedAtMs + AHEAD_MS;
  return isPlausible ? toldMs : Math.trunc(arrivedAtMs);
}

/** Whether every text in a fact is well-formed: the stores refuse half a character. */
export function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  return Object.values(value).every(isWellFormed);
}
