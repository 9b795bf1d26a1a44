import { z } from 'zod';
import { toShownActionError } from '../../action/actionError.ts';
import { actionFailedDataSchema, actionSucceededDataSchema } from '../../action/actionView.ts';
import { contactsCheck } from '../../action/kinds/contactsCheck.ts';
import type { ActionId } from '../../kernel/id.ts';
import { eventRow, toDraft } from './eventRow.ts';
import { brandedText, commonFields } from './factField.ts';
import { factRow } from './factRow.ts';

const schema = z.object({ ...commonFields, kind: z.literal('action_end'), actionId: brandedText<ActionId>() });

/** An action is over. How it ended is on its row, recorded before this is published. */
export type ActionEndFact = z.infer<typeof schema>;

const actionId = 'act_01K3C5H4T6W8Y0A2C4E6G8J0M2';
const kind = 'contacts_check';
const actionSucceeded = eventRow({
  type: 'action.succeeded',
  data: actionSucceededDataSchema,
  description: 'An action is done; the event carries its result.',
  example: { actionId, kind, result: contactsCheck.example.result },
});
const actionFailed = eventRow({
  type: 'action.failed',
  data: actionFailedDataSchema,
  description: 'An action has failed, or has expired before it was begun.',
  example: { actionId, kind, state: 'expired', error: toShownActionError({ code: 'expired' }) },
});

export const actionEndFact = factRow({
  schema,
  writtenBy: 'us',
  people: [],
  about: (fact) => ({ actionId: fact.actionId }),
  decide: ({ atMs }, { action }) => {
    // The row was written before the fact was published: one that is gone is too old for an event.
    if (action === undefined) return { plan: 'ignored' };
    const { state, result, error, createdAtMs } = action;
    const endedAtMs = Math.max(createdAtMs, action.endedAtMs ?? atMs);
    const about = { actionId: action.actionId, kind: action.kind };
    if (state === 'succeeded') {
      const told = { ...about, result: { ...result } };
      return { plan: 'stored', draft: toDraft(actionSucceeded, action, endedAtMs, told) };
    }
    if ((state !== 'failed' && state !== 'expired') || error === undefined) return { plan: 'ignored' };
    const told = { ...about, state, error: toShownActionError(error) };
    return { plan: 'stored', draft: toDraft(actionFailed, action, endedAtMs, told) };
  },
  events: [actionSucceeded, actionFailed],
});

/** The key of the end of an action, of which there is one. */
export function actionEndKey(id: ActionId): string {
  return `action:${id}`;
}
