import { MESSAGE_BYTES } from '../platform/queues.ts';

/**
 * How large the parts of a fact may be. What is in them comes from strangers, and a store refuses what is too large, each time
 * anew; so nothing leaves the worker that is larger than this. `docs/failures.md` shows the table.
 *
 * Together they fit: a text of 65,536 control characters is 384 KB as JSON, and DynamoDB takes items of 400 KB; 65,536 emoji
 * are 768 KB in an ASCII body, and SQS takes messages of 1 MB.
 */
export const factBounds = {
  /** Characters (code points) of a text: WhatsApp's own limit. */
  textCharacters: 65_536,
  /** Characters of the name that a sender gives himself; WhatsApp takes 25. */
  nameCharacters: 128,
  /** UTF-16 units of an id of WhatsApp's: of a message, or of a call. */
  idUnits: 128,
  /** UTF-16 units of an address. */
  addressUnits: 128,
  /** UTF-16 units of a word of the protocol: the kind of a message, or a flag. */
  wordUnits: 64,
  flags: 8,
  fields: 32,
  /** Largest number of a field that protobuf knows. */
  fieldNumber: 2 ** 29 - 1,
  keyUnits: 200,
  otherKeys: 3,
  /** Any other text, and any other list. */
  otherUnits: 512,
  otherItems: 64,
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

/** The first characters of a text: never half of one. */
export function firstCharacters(text: string, count: number): string {
  if (text.length <= count) return text;
  let end = 0;
  for (let left = count; left > 0 && end < text.length; left -= 1) end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  return text.slice(0, end);
}

/** Whether every text in a fact is well-formed: the stores refuse half a character. */
export function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  return Object.values(value).every(isWellFormed);
}
