import type { ActionProgress } from '../../../shared/action/action.ts';
import type { ActionError } from '../../../shared/action/actionError.ts';

/** The outcome of asking WhatsApp for an action, in facts; `judgeAction` says what follows. */
export type ActionOutcome<Result = Readonly<Record<string, unknown>>> =
  | { readonly outcome: 'succeeded'; readonly result: Result }
  /** A part of it is done and kept, and the rest is for another try, which harms nothing. */
  | { readonly outcome: 'partly'; readonly progress: ActionProgress }
  /** WhatsApp's answer is final: another try would have the same outcome. */
  | { readonly outcome: 'refused'; readonly error: ActionError }
  /** WhatsApp limits such actions (429): nothing was done. */
  | { readonly outcome: 'limited'; readonly whatsappCode: number }
  /**
   * WhatsApp had trouble (408, 5xx) or gave no answer: the action may have been done, or not. `nothingLeft`: it was a question
   * before the action, of which nothing was done.
   */
  | { readonly outcome: 'unanswered'; readonly whatsappCode?: number; readonly nothingLeft?: true }
  /** The socket is another account's than the one that was asked: nothing has left. */
  | { readonly outcome: 'other_account' }
  /** The socket cannot be asked on: nothing has left. */
  | { readonly outcome: 'not_asked' };
