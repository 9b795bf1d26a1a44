import { retentionSeconds } from '../platform/expiry.ts';

/**
 * How long an object is there. A file is stored once and may belong to many messages: one that is stored already serves a
 * new message only while it is young enough to be there as long as that message.
 */
const DAY_MS = 86_400_000;

/** The days after which the bucket removes an object: as long as a message is kept, and a month. */
export const keptDays = retentionSeconds.object / 86_400;

/** How long, in milliseconds, an object that is stored serves further messages, with a day for clocks and for the bucket's own. */
const SERVES_MS = (retentionSeconds.object - retentionSeconds.message) * 1_000 - DAY_MS;

/** Whether an object that is stored will be there as long as a message that comes now. */
export function servesNewMessage({ storedAtMs }: { readonly storedAtMs: number }, nowMs: number): boolean {
  return nowMs - storedAtMs < SERVES_MS;
}
