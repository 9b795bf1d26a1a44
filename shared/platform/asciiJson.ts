/**
 * JSON in ASCII alone, for the bodies of queue messages: whatever stands in a text, a lone surrogate and U+FFFF
 * included, the queue gets characters that it accepts. The length of the result is its size in bytes.
 */
export function toAsciiJson(value: unknown): string {
  return escapeJson(JSON.stringify(value));
}

/** The same JSON in ASCII. Outside of its strings JSON has no other characters, so each can be written as `\uXXXX`. */
export function escapeJson(json: string): string {
  return json.replaceAll(BEYOND_ASCII, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/**
 * The characters to escape. The pattern lacks the flag `u`, so that each half of a pair is escaped by itself, as JSON
 * has it. DEL is ASCII, but no printable character.
 */
const BEYOND_ASCII = /[\u007f-\uffff]/g;

/** The length of a text as a string within JSON in ASCII, without its quotes. */
export function escapedLength(text: string): number {
  return toAsciiJson(text).length - 2;
}

/** A body as it is sent on: in ASCII when it is JSON; any other text is not ours to change. */
export function toAsciiBody(body: string): string {
  try {
    JSON.parse(body);
  } catch {
    return body;
  }
  return escapeJson(body);
}
