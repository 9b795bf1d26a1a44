import type { Action } from '../action/action.ts';
import { toShownActionError } from '../action/actionError.ts';
import type { EventDraft } from './event.ts';
import type { ActionEndFact } from './facts/fact.ts';
import type { FactPlan } from './recordOnce.ts';

/** What to store for the end of an action. @param action its row, which says how it ended */
export function planOfActionEnd({ atMs }: ActionEndFact, action: Action | undefined): FactPlan {
  const draft = action === undefined ? undefined : draftOfEnd(action, atMs);
  // The row was written before the fact was told: one that is gone is too old to tell of.
  return draft === undefined ? { plan: 'ignored' } : { plan: 'stored', draft, message: undefined };
}

function draftOfEnd(action: Action, atMs: number): EventDraft | undefined {
  const { tenantId, connectionId, correlationId, actionId, kind, state, result, error, createdAtMs } = action;
  const occurredAt = new Date(Math.max(createdAtMs, action.endedAtMs ?? atMs)).toISOString();
  const common = { version: 1, tenantId, connectionId, correlationId, occurredAt } as const;
  if (state === 'succeeded') {
    return { ...common, type: 'action.succeeded', data: { actionId, kind, result: result ?? {} } };
  }
  if ((state !== 'failed' && state !== 'expired') || error === undefined) return undefined;
  return { ...common, type: 'action.failed', data: { actionId, kind, state, error: toShownActionError(error) } };
}
