import type { z } from 'zod';

/**
 * What happens when WhatsApp is asked twice for the same. `repeatable`: nothing worse than once, so silence is followed by
 * another try. `once`: a second time would be noticed, so what may have been asked is never asked again.
 */
export type ActionEffect = 'repeatable' | 'once';

/** How often one connection may ask for a kind of action: so many at once, and so many more with each second. */
export interface ActionBudget {
  readonly burst: number;
  readonly perSecond: number;
}

/** One kind of action: everything about it that does not speak WhatsApp's language. */
export interface ActionRow<
  Kind extends string = string,
  Request extends z.ZodObject = z.ZodObject,
  Result extends z.ZodObject = z.ZodObject,
> {
  readonly kind: Kind;
  readonly method: 'POST';
  /** Below `/v1/connections/{connectionId}/`. A name in braces is a field of the request that stands in the path. */
  readonly path: string;
  /** One line, for the list of routes. */
  readonly summary: string;
  /** What a caller has to know: limits, what the result says, what it does not promise. */
  readonly description: string;
  /** All that is asked for, the fields in the path included. Strict. No field may be called `expires_at`. */
  readonly request: Request;
  readonly result: Result;
  readonly example: { readonly request: z.input<Request>; readonly result: z.input<Result> };
  readonly effect: ActionEffect;
  /** One try on a socket ends before this, in milliseconds: at most {@link LONGEST_ACTION_MS}. */
  readonly deadlineMs: number;
  readonly budget: ActionBudget;
  /** Whose key may ask for it. */
  readonly access: 'tenant';
}

/** Longest that one try of an action may take. A connection that is handed over waits for it. */
export const LONGEST_ACTION_MS = 20_000;

/** Declares a kind of action, with the types of its own request and result. */
export function actionRow<const Kind extends string, Request extends z.ZodObject, Result extends z.ZodObject>(
  row: ActionRow<Kind, Request, Result>,
): ActionRow<Kind, Request, Result> {
  return row;
}
