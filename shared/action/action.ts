import type { ActionId, ConnectionId, CorrelationId, TenantId } from '../kernel/id.ts';
import { usualQuotas } from '../platform/quotaRows.ts';
import type { ActionError } from './actionError.ts';
import { effectOf, type ActionKind } from './actionKinds.ts';
import { LONGEST_ACTION_MS } from './actionRow.ts';

/**
 * States of an action; it ends in exactly one of the last three. `running` means that WhatsApp is being asked. From there it may go
 * back to `accepted`, but only when it is certain that asking again does no harm.
 */
export const actionStates = ['accepted', 'running', 'succeeded', 'failed', 'expired'] as const;
export type ActionState = (typeof actionStates)[number];
export type ActionEnd = Exclude<ActionState, 'accepted' | 'running'>;

/** How far an action has come that takes several tries. */
export interface ActionProgress {
  readonly done: number;
  readonly total: number;
}

/** An action that a tenant asked of a connection, to do or to look up something: the stored row. */
export interface Action {
  readonly actionId: ActionId;
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly kind: ActionKind;
  /** The account that it was asked of, by its phone-number address: another one that is linked later does not do it. */
  readonly account: string;
  /** The request as its schema accepted it. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly state: ActionState;
  /** The result; present when it succeeded. */
  readonly result?: Readonly<Record<string, unknown>> | undefined;
  /** The error; present when it failed or expired. */
  readonly error?: ActionError | undefined;
  readonly correlationId: CorrelationId;
  readonly createdAtMs: number;
  /** The time before which it is begun, or never. */
  readonly expiresAtMs: number;
  /** The epoch of the owner that last began it. */
  readonly token?: number | undefined;
  /** The number of times that WhatsApp was asked since it last came further. */
  readonly attempts: number;
  /** How far it has come; present where it takes several tries and the first is over. */
  readonly progress?: ActionProgress | undefined;
  /** WhatsApp's number for a limit, for which it waits although its connection is online. */
  readonly limitedBy?: number | undefined;
  readonly startedAtMs?: number | undefined;
  readonly endedAtMs?: number | undefined;
}

/**
 * How long an action may wait to be begun when the caller says nothing, in milliseconds: longer than a change of its
 * worker takes.
 */
export const BEGIN_WITHIN_MS = 120_000;
/** The same for an action with a file: longer than a link is tried for, so that it fails with what is wrong with its link. */
export const BEGIN_WITH_FILE_MS = 300_000;
/** The longest time until an action expires that a caller may ask for, in milliseconds. */
export const LONGEST_PARKED_MS = 7 * 24 * 60 * 60_000;
/** The usual number of open actions of one connection; more are refused. */
export const MOST_OPEN_ACTIONS = usualQuotas.openActions;
/** The greatest size of a request or a result that is kept, in bytes of JSON. */
export const ACTION_REQUEST_BYTES = 64 * 1_024;
export const ACTION_RESULT_BYTES = 256 * 1_024;
/**
 * The time after its expiry at which an action that nobody ended is over, in milliseconds: clocks differ, and a try
 * that has begun takes its time.
 */
const LATE_MS = 2 * LONGEST_ACTION_MS;

export function isEnded({ state }: Pick<Action, 'state'>): boolean {
  return state !== 'accepted' && state !== 'running';
}

export type EndedAs = { readonly state: 'failed' | 'expired'; readonly error: ActionError };

/** The end of an action that is not done before it expires: `expired` only if nobody has begun it. */
export function endOfExpired({
  limitedBy,
  attempts,
  progress,
}: Pick<Action, 'limitedBy' | 'attempts' | 'progress'>): EndedAs {
  if (limitedBy !== undefined) return { state: 'failed', error: { code: 'limited', whatsappCode: limitedBy } };
  if (attempts > 0 || progress !== undefined) return { state: 'failed', error: { code: 'outcome_unknown' } };
  return { state: 'expired', error: { code: 'expired' } };
}

/** The action as a reader sees it: one whose time is over has ended, although nobody has written so. */
export function asShownAction(action: Action, nowMs: number): Action {
  if (isEnded(action) || nowMs <= action.expiresAtMs + LATE_MS) return action;
  const isLost = action.state === 'running' && effectOf(action.kind) === 'once';
  const end: EndedAs = isLost ? { state: 'failed', error: { code: 'outcome_unknown' } } : endOfExpired(action);
  return { ...action, ...end };
}
