import type { ActionId, ConnectionId, CorrelationId, TenantId } from '../kernel/id.ts';
import type { ActionError } from './actionError.ts';
import { rowOf, type ActionKind } from './actionKinds.ts';
import { LONGEST_ACTION_MS } from './actionRow.ts';

/**
 * States of an action; it ends in exactly one of the last three. `running` means that WhatsApp is being asked. From there it may go
 * back to `accepted`, but only when it is certain that asking again does no harm.
 */
export const actionStates = ['accepted', 'running', 'succeeded', 'failed', 'expired'] as const;
export type ActionState = (typeof actionStates)[number];
export type ActionEnd = Exclude<ActionState, 'accepted' | 'running'>;

/** Something that a tenant asked a connection to do or to look up: the stored row. */
export interface Action {
  readonly actionId: ActionId;
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly kind: ActionKind;
  /** As its schema let it through. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly state: ActionState;
  /** Present when it succeeded. */
  readonly result?: Readonly<Record<string, unknown>> | undefined;
  /** Present when it failed or expired. */
  readonly error?: ActionError | undefined;
  readonly correlationId: CorrelationId;
  readonly createdAtMs: number;
  /** It is begun before this, or never. */
  readonly expiresAtMs: number;
  /** The epoch of the owner that last began it. */
  readonly token?: number | undefined;
  /** How often WhatsApp was asked. */
  readonly attempts: number;
  /** Why it waits although its connection is online: WhatsApp limits what it needs. */
  readonly limitedBy?: number | undefined;
  readonly startedAtMs?: number | undefined;
  readonly endedAtMs?: number | undefined;
}

/** How long an action may wait to be begun when the caller says nothing: longer than a change of its worker takes. */
export const BEGIN_WITHIN_MS = 120_000;
/** The latest that a caller may let an action expire. */
export const LONGEST_PARKED_MS = 7 * 24 * 60 * 60_000;
/** Open actions of one connection; more are refused. */
export const MOST_OPEN_ACTIONS = 100;
/** Largest request and result that are kept, in bytes of JSON. */
export const ACTION_REQUEST_BYTES = 64 * 1_024;
export const ACTION_RESULT_BYTES = 128 * 1_024;
/** After this an action that nobody ended is over: clocks differ, and what has begun takes its time. */
const LATE_MS = 2 * LONGEST_ACTION_MS;

export function isEnded({ state }: Pick<Action, 'state'>): boolean {
  return state !== 'accepted' && state !== 'running';
}

export type EndedAs = { readonly state: 'failed' | 'expired'; readonly error: ActionError };

/** How an action ends that is not done before it expires. */
export function endOfExpired({ limitedBy }: Pick<Action, 'limitedBy'>): EndedAs {
  return limitedBy === undefined
    ? { state: 'expired', error: { code: 'expired' } }
    : { state: 'failed', error: { code: 'limited', whatsappCode: limitedBy } };
}

/** The action as a reader sees it: one whose time is over has ended, although nobody has written so. */
export function asShownAction(action: Action, nowMs: number): Action {
  if (isEnded(action) || nowMs <= action.expiresAtMs + LATE_MS) return action;
  const isLost = action.state === 'running' && rowOf(action.kind).effect === 'once';
  const end: EndedAs = isLost ? { state: 'failed', error: { code: 'outcome_unknown' } } : endOfExpired(action);
  return { ...action, ...end };
}
