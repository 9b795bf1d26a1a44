import type { SendErrorCode } from '../../shared/message/message.ts';
import type { SendOutcome } from '../socket/connectionSocket.ts';

/** What a try means for the message. `again`: with the same stanza id, before anything newer of the connection. */
export type Verdict =
  | { readonly verdict: 'sent'; readonly atMs: number }
  | { readonly verdict: 'failed'; readonly error: SendErrorCode }
  | { readonly verdict: 'again' };

/** Tries on a socket, all without an answer, after which a message is given up. */
export const MAX_SEND_ATTEMPTS = 20;

/** WhatsApp's refusal of messages to people who never wrote to this account. */
const RESTRICTED = 463;

/** Judges the outcome of try number `attempts` (1 is the first). Permanent errors end at once; silence is bounded. */
export function judgeOutcome(outcome: SendOutcome, attempts: number): Verdict {
  if (outcome.outcome === 'acknowledged') return { verdict: 'sent', atMs: outcome.atMs };
  if (outcome.outcome === 'no_account') return { verdict: 'failed', error: 'recipient_has_no_account' };
  if (outcome.outcome === 'refused') {
    return { verdict: 'failed', error: outcome.code === RESTRICTED ? 'refused_restricted' : 'refused' };
  }
  return attempts >= MAX_SEND_ATTEMPTS ? { verdict: 'failed', error: 'too_many_attempts' } : { verdict: 'again' };
}
