/**
 * JSON in ASCII alone, for the bodies of queue messages: whatever stands in a text, a lone surrogate and U+FFFF included, the
 * queue sees letters that it takes. Its length is its size in bytes.
 */
export function toAsciiJson(value: unknown): string {
  return escapeJson(JSON.stringify(value));
}

/** The same JSON in ASCII. Outside of its strings JSON has no other characters, so each can be written as `\uXXXX`. */
export function escapeJson(json: string): string {
  return json.replaceAll(BEYOND_ASCII, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Without the flag `u`, so that each half of a pair is escaped for itself, as JSON has it. DEL is ASCII, but no letter. */
const BEYOND_ASCII = /[\u007f-\uffff]/g;

/** A body as it is sent on: in ASCII when it is JSON; anything else is nobody's to change. */
export function toAsciiBody(body: string): string {
  try {
    JSON.parse(body);
  } catch {
    return body;
  }
  return escapeJson(body);
}
