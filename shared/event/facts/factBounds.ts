import { contentBounds } from '../../content/contentBounds.ts';
import { MESSAGE_BYTES } from '../../platform/queues.ts';

/**
 * The greatest sizes of the parts of a fact. Strangers write them, and a store refuses a part that is too large, each
 * time anew; so nothing leaves the worker that is larger than this. `docs/failures.md` shows the table.
 *
 * Together they fit: a text of 65,536 control characters is 384 KB as JSON, and DynamoDB accepts items of 400 KB;
 * 65,536 emoji are 768 KB in an ASCII body, and SQS accepts messages of 1 MB.
 */
export const factBounds = {
  ...contentBounds,
  /** The characters of the name that senders give themselves; WhatsApp accepts 25. */
  nameCharacters: 128,
  /** The characters of a username; WhatsApp accepts 35. */
  usernameCharacters: 64,
  /** The UTF-16 units of an id of WhatsApp's: of a message, or of a call. */
  idUnits: 128,
  /** The UTF-16 units of an address. */
  addressUnits: 128,
  flags: 8,
  keyUnits: 200,
  otherKeys: 3,
  /** The bytes of an event, as JSON in UTF-8. */
  eventBytes: 400_000,
  /** The bytes of a body in the queue: 1 MB, without room for the fields around the facts. */
  bodyBytes: MESSAGE_BYTES - 4_096,
} as const;

/** The earliest plausible time. WhatsApp began in 2009. */
const EARLIEST_MS = Date.UTC(2009, 0, 1);
/** How far ahead of our clock a time may be: clocks differ, but not by more. */
const AHEAD_MS = 24 * 3_600_000;

/** The time that WhatsApp gives, or the time of arrival where that is none or cannot be true. */
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
