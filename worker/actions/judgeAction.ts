import { endOfExpired, isEnded, type Action } from '../../shared/action/action.ts';
import type { ActionError } from '../../shared/action/actionError.ts';
import type { ActionEffect } from '../../shared/action/actionRow.ts';
import type { ActionOutcome } from '../socket/port/actionOutcome.ts';

/** The decision about an action that is not known to be over (docs/actions.md has the table). */
export type OpenDecision =
  /** The action has no row any more. */
  | { readonly decision: 'forget' }
  /** The action is over, and its event may not have been published. */
  | { readonly decision: 'tell' }
  | { readonly decision: 'end'; readonly ended: FinalVerdict }
  | { readonly decision: 'wait' }
  /** The action is to be asked for. `isTakenUp`: another owner or an earlier try began it and did not end it. */
  | { readonly decision: 'ask'; readonly isTakenUp: boolean };

export type FinalVerdict =
  | { readonly state: 'succeeded'; readonly result: Readonly<Record<string, unknown>> }
  | { readonly state: 'failed' | 'expired'; readonly error: ActionError };

/** The meaning of an outcome for its action. */
export type Verdict =
  | ({ readonly verdict: 'end' } & { readonly ended: FinalVerdict })
  /** The action waits to be asked again. `rests`: its kind is left alone for a while. */
  | ({ readonly verdict: 'again'; readonly rests: boolean } & Pick<Action, 'limitedBy' | 'progress'>);

/** The number of tries without an answer after which an action is given up, where it may be tried again at all. */
export const MOST_UNANSWERED = 3;
/** The number of tries that WhatsApp limited after which an action is given up, however long it may wait. */
export const MOST_LIMITED = 20;
/** The number of tries of all kinds after which nobody begins another. */
export const MOST_TRIES = 30;

/**
 * Decides about an action that nobody in this process is asking for.
 * @param context.canAsk whether there is a socket to ask on
 */
export function decideOpen(
  action: Action | undefined,
  effect: ActionEffect,
  context: { readonly nowMs: number; readonly canAsk: boolean },
): OpenDecision {
  if (action === undefined) return { decision: 'forget' };
  if (isEnded(action)) return { decision: 'tell' };
  const isTakenUp = action.state === 'running';
  // The owner that began it is gone, and WhatsApp may have been asked.
  if (isTakenUp && effect === 'once') return end({ code: 'outcome_unknown' });
  if (action.expiresAtMs <= context.nowMs) return { decision: 'end', ended: endOfExpired(action) };
  // An answer may end the process that asked, again and again.
  if (action.attempts >= MOST_TRIES) return end({ code: 'internal_error' });
  return context.canAsk ? { decision: 'ask', isTakenUp } : { decision: 'wait' };
}

/**
 * Judges the outcome of a try.
 * @param tried.attempts the number of this try; 1 is the first
 */
export function judgeAction(
  outcome: ActionOutcome,
  tried: { readonly effect: ActionEffect; readonly attempts: number },
): Verdict {
  switch (outcome.outcome) {
    case 'succeeded':
      return { verdict: 'end', ended: { state: 'succeeded', result: outcome.result } };
    case 'partly':
      return { verdict: 'again', rests: false, progress: outcome.progress };
    case 'refused':
      return giveUp(outcome.error);
    case 'limited': {
      const { whatsappCode } = outcome;
      if (tried.attempts >= MOST_LIMITED) return giveUp({ code: 'limited', whatsappCode });
      return { verdict: 'again', rests: true, limitedBy: whatsappCode };
    }
    case 'other_account':
      return giveUp({ code: 'connection_not_paired' });
    case 'not_asked':
      return { verdict: 'again', rests: false };
    default: {
      const { whatsappCode, nothingLeft } = outcome;
      if (tried.effect === 'once' && nothingLeft !== true) return giveUp({ code: 'outcome_unknown' });
      if (tried.attempts < MOST_UNANSWERED) return { verdict: 'again', rests: true };
      return giveUp({ code: 'unanswered', ...(whatsappCode === undefined ? {} : { whatsappCode }) });
    }
  }
}

function giveUp(error: ActionError): Verdict {
  return { verdict: 'end', ended: { state: 'failed', error } };
}

function end(error: ActionError): OpenDecision {
  return { decision: 'end', ended: { state: 'failed', error } };
}
