import { isStatus } from '../kernel/jid.ts';
import type { Message } from './message.ts';

/** The answers to a sent message that may stay away for long, and without which nobody knows whether it arrived. */
export const lateReasons = ['not_acknowledged', 'not_delivered'] as const;
export type LateReason = (typeof lateReasons)[number];

const HOUR_MS = 60 * 60_000;
/** How long a try may go without WhatsApp's acknowledgement: all tries of a message that is not acknowledged take minutes. */
const ACKNOWLEDGED_WITHIN_MS = HOUR_MS;
/** How long a message may be with WhatsApp before it is told that nobody got it: a phone that is off for a night is no news. */
const DELIVERED_WITHIN_MS = 24 * HOUR_MS;

/**
 * What a sent message has waited for longer than it should; undefined for one that is in time, or has ended. It is no
 * state: the acknowledgement or the receipt may come after all, also weeks later, and then the message moves on.
 */
export function latenessOf(message: Message, nowMs: number): LateReason | undefined {
  if (message.direction !== 'out') return undefined;
  const { state, createdAtMs, notBeforeMs: queuedAtMs = createdAtMs, sentAtMs = queuedAtMs } = message;
  if (state === 'sending' && nowMs - queuedAtMs > ACKNOWLEDGED_WITHIN_MS) return 'not_acknowledged';
  // A status is over after a day, and its slowest viewer may never have looked.
  if (isStatus(message.to)) return undefined;
  return state === 'sent' && nowMs - sentAtMs > DELIVERED_WITHIN_MS ? 'not_delivered' : undefined;
}
