import type { z } from 'zod';

/**
 * The effect of asking WhatsApp twice for the same. `repeatable`: nothing worse than once, so silence is followed by
 * another try. `once`: a second time would be noticed, so a request that may have reached WhatsApp is never made again.
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
  /** `GET` for what changes nothing: its fields stand in the path and in the query, so that each is a text. */
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /**
   * The path below `/v1/connections/{connectionId}/`. A name in braces is a field of the request that stands in the
   * path.
   */
  readonly path: string;
  /** One line, for the list of routes. */
  readonly summary: string;
  /** The facts that a caller has to know: limits, the meaning of the result, and what it does not promise. */
  readonly description: string;
  /**
   * The schema of the request, the fields in the path included. It is strict, and no field may be called `expires_at`.
   */
  readonly request: Request;
  readonly result: Result;
  readonly example: { readonly request: z.input<Request>; readonly result: z.input<Result> };
  readonly effect: ActionEffect;
  /** The deadline of one try on a socket, in milliseconds: at most {@link LONGEST_ACTION_MS}. */
  readonly deadlineMs: number;
  readonly budget: ActionBudget;
  /** The role of the keys that may ask for it. */
  readonly access: 'tenant';
  /** What the file becomes that the request names by `id` or `link`, before the action begins; left out where it names none. */
  readonly file?: 'picture';
}

/** The longest time that one try of an action may take, in milliseconds. A hand-off of its connection waits for it. */
export const LONGEST_ACTION_MS = 20_000;

/** Declares a kind of action, with the types of its own request and result. */
export function actionRow<const Kind extends string, Request extends z.ZodObject, Result extends z.ZodObject>(
  row: ActionRow<Kind, Request, Result>,
): ActionRow<Kind, Request, Result> {
  return row;
}
