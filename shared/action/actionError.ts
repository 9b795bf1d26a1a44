import { z } from 'zod';
import { pictureErrors } from './pictureErrors.ts';

/**
 * The reasons why an action failed or expired: a stable code and one sentence that says what to do. WhatsApp's own
 * number stands beside it.
 */
export const actionErrors = {
  expired:
    'The action was not begun before it expired, so nothing of it was done: its connection was not online, or its file was not here. Ask again when they are, or give a later expires_at.',
  outcome_unknown:
    'WhatsApp was being asked when the connection or its worker was lost, and this action must not be done twice. Look whether it took effect before you ask again.',
  refused: 'WhatsApp refused it. whatsappCode is its number; asked again unchanged it is likely to be refused again.',
  limited:
    'WhatsApp limits what this account may ask at the moment (429), so nothing was done. Ask again later, and less often.',
  unanswered: 'WhatsApp did not answer in time, several times in a row. Ask again later.',
  recipient_has_no_account: 'This phone number has no WhatsApp account.',
  message_not_found: 'This connection has no such message, or it is older than messages are kept.',
  no_message_known:
    'No message of this chat is known here, so that nothing says before which one the phone is to look. Ask again when one has come.',
  phone_offline:
    'The phone of the account did not answer in time: it is off, or has no network. Ask again when it is online; what it answers later is taken in all the same.',
  message_not_markable: 'Only what others wrote, to people, groups or as a status, can be marked as read or played.',
  message_not_sent: 'WhatsApp does not have this message, because it was not sent.',
  app_state_key_missing:
    'The phone has not given this device the key of the state that its devices share. It does so soon after linking, while it is online; ask again later, and link the account anew if it lasts.',
  app_state_damaged:
    'The state that the devices of the account share cannot be verified, so nothing was written. Its phone repairs that, as a rule; ask again later.',
  label_not_found:
    'The account has no such label. Look at its labels, of which one may have been deleted on the phone.',
  too_many_labels: 'The account has as many labels as the apps of WhatsApp show. Delete one first.',
  call_not_found: 'No such call has come since the connection came online. Say who calls, as the event says it.',
  ...pictureErrors,
  result_too_large: 'WhatsApp answered with more than can be kept. Ask for less at a time.',
  connection_deleted: 'The connection was deleted before the action was done.',
  connection_not_paired: 'The connection lost its linked account before the action was done.',
  internal_error: 'Something went wrong on our side. Report the correlationId to the operator.',
} as const satisfies Record<string, string>;
export type ActionErrorCode = keyof typeof actionErrors;
const codes = Object.keys(actionErrors) as [ActionErrorCode, ...ActionErrorCode[]];

/** An action's error in the form in which it is shown. */
export const actionErrorSchema = z
  .object({
    code: z.enum(codes).meta({ description: 'Why, as a stable code.' }),
    sentence: z.string().meta({ description: 'What happened and what to do about it.' }),
    whatsappCode: z
      .number()
      .int()
      .optional()
      .meta({ description: 'The number that WhatsApp gave, where it refused something.', example: 429 }),
  })
  .meta({ id: 'ActionError' });

/** The reason why an action failed, as it is stored. */
export interface ActionError {
  readonly code: ActionErrorCode;
  readonly whatsappCode?: number | undefined;
}

export function toShownActionError({ code, whatsappCode }: ActionError): z.infer<typeof actionErrorSchema> {
  return { code, sentence: actionErrors[code], ...(whatsappCode === undefined ? {} : { whatsappCode }) };
}
