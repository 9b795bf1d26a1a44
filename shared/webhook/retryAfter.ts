/**
 * How long a receiver asks us to wait (RFC 9110 §10.2.3): `Retry-After` as seconds, or as a date of HTTP. The file is
 * pure.
 */

/**
 * The longest wait, in milliseconds. A queue hides a message for twelve hours at most; a wait below that leaves room
 * for the attempt itself.
 */
export const LONGEST_RETRY_AFTER_MS = 11 * 3_600_000;

/** Statuses whose `Retry-After` says when to come again; with others it means something else, or nothing. */
const WAIT_STATUSES: ReadonlySet<number> = new Set([429, 503]);

const HTTP_DATE = /^[A-Z][a-z]{2,8},? .{8,30} GMT$/;

/**
 * The milliseconds to wait after an answer, at most 11 hours; 0 where the answer names no time, or none that can be
 * read.
 */
export function retryAfterMs(
  httpStatus: number,
  header: string | readonly string[] | undefined,
  nowMs: number,
): number {
  if (!WAIT_STATUSES.has(httpStatus)) return 0;
  const texts = typeof header === 'string' ? [header] : (header ?? []);
  const waits = texts.map((text) => toWaitMs(text.trim(), nowMs));
  return Math.min(LONGEST_RETRY_AFTER_MS, Math.max(0, ...waits));
}

function toWaitMs(text: string, nowMs: number): number {
  if (/^\d{1,15}$/.test(text)) return Number(text) * 1_000;
  const atMs = HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(atMs) ? 0 : atMs - nowMs;
}
