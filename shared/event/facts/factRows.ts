import { z } from 'zod';
import { actionEndFact } from './actionEndFact.ts';
import { bulkSendFact } from './bulkSendFact.ts';
import { callFact } from './callFact.ts';
import { callStatusFact } from './callStatusFact.ts';
import { chatEmptiedFact } from './chatEmptiedFact.ts';
import { chatMarkFact } from './chatMarkFact.ts';
import { chatReadFact } from './chatReadFact.ts';
import { connectionDeletedFact } from './connectionDeletedFact.ts';
import { contactChangeFact } from './contactChangeFact.ts';
import { contactErasedFact } from './contactErasedFact.ts';
import { contactMergedFact } from './contactMergedFact.ts';
import { exportEndFact } from './exportEndFact.ts';
import { historyFact } from './historyFact.ts';
import { isWellFormed } from './factBounds.ts';
import type { FactRow } from './factRow.ts';
import { groupChangeFact } from './groupChangeFact.ts';
import { groupParticipantsFact } from './groupParticipantsFact.ts';
import { labelAssignFact } from './labelAssignFact.ts';
import { labelChangeFact } from './labelChangeFact.ts';
import { mediaFact } from './mediaFact.ts';
import { messageFact } from './messageFact.ts';
import { messageFlagFact } from './messageFlagFact.ts';
import { paceFact } from './paceFact.ts';
import { receiptFact } from './receiptFact.ts';
import { sendResultFact } from './sendResultFact.ts';
import { statusFact } from './statusFact.ts';
import { webhookDisabledFact } from './webhookDisabledFact.ts';

/**
 * The facts that workers publish to ingest through the events queue, by kind. A fact is not an *event* yet: ingest decides
 * which facts become events in the tenant's log. A new kind is a file beside this one and a line here: what is read, stored, told and documented follows.
 */
const rows = {
  status: statusFact,
  message: messageFact,
  receipt: receiptFact,
  send_result: sendResultFact,
  call: callFact,
  call_status: callStatusFact,
  action_end: actionEndFact,
  pace: paceFact,
  bulk_send: bulkSendFact,
  export_end: exportEndFact,
  history: historyFact,
  message_flag: messageFlagFact,
  chat_mark: chatMarkFact,
  chat_read: chatReadFact,
  chat_emptied: chatEmptiedFact,
  label_change: labelChangeFact,
  label_assign: labelAssignFact,
  media: mediaFact,
  contact_change: contactChangeFact,
  contact_merged: contactMergedFact,
  contact_erased: contactErasedFact,
  group_change: groupChangeFact,
  group_participants: groupParticipantsFact,
  webhook_disabled: webhookDisabledFact,
  connection_deleted: connectionDeletedFact,
} as const;
type Rows = typeof rows;

export type FactKind = keyof Rows;
export type Fact<Kind extends FactKind = FactKind> = { [One in Kind]: z.infer<Rows[One]['schema']> }[Kind];

/** The same table, with each row under the kind that its schema names. */
export const factRows: {
  readonly [Kind in FactKind]: Rows[Kind] & {
    readonly schema: { readonly shape: { readonly kind: z.ZodLiteral<Kind> } };
  };
} = rows;

const [first, ...others] = Object.values(factRows).map(({ schema }) => schema);

export const factSchema = z
  .discriminatedUnion('kind', [first as NonNullable<typeof first>, ...others])
  .refine(isWellFormed, { message: 'not well-formed' });

/** The row of a fact, for what is done alike with every kind. */
export function rowOf(fact: Fact): FactRow {
  return factRows[fact.kind] as unknown as FactRow;
}
