import type { ActionError } from '../../../shared/action/actionError.ts';

/** What became of asking WhatsApp for an action, in facts; `judgeAction` says what follows. */
export type ActionOutcome<Result = Readonly<Record<string, unknown>>> =
  | { readonly outcome: 'succeeded'; readonly result: Result }
  /** WhatsApp's answer is final: the same would come of it again. */
  | { readonly outcome: 'refused'; readonly error: ActionError }
  /** WhatsApp limits it (429): nothing was done. */
  | { readonly outcome: 'limited'; readonly whatsappCode: number }
  /** WhatsApp had trouble (408, 5xx) or said nothing: it may have been done, or not. */
  | { readonly outcome: 'unanswered'; readonly whatsappCode?: number }
  /** The socket is not one to ask on: nothing has left. */
  | { readonly outcome: 'not_asked' };
