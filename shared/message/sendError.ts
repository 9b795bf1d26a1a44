import { z } from 'zod';
import { fileErrors } from './fileErrors.ts';

/**
 * The reasons why a message failed: a stable code and one sentence that says what to do. WhatsApp's own number stands
 * beside it.
 */
export const sendErrors = {
  not_enqueued: 'The message never reached the queue. Send it again with a new Idempotency-Key.',
  recipient_has_no_account: 'This phone number has no WhatsApp account.',
  group_not_found: 'WhatsApp knows no such group. Check the address of the group.',
  not_a_member: 'The account is not a member of this group. Have it added to the group, then send a new message.',
  status_has_no_viewers:
    'Nobody whom this status is for has a WhatsApp account, so nothing was sent. Check the numbers; its receipts list them.',
  look_up_refused:
    'WhatsApp refused to say how this recipient is reached, so nothing was sent. whatsappCode is its number; check the address.',
  look_ups_limited:
    'WhatsApp limited the look-ups of this account for a day, so nothing was sent. Write to fewer new recipients and send it again later.',
  refused_restricted:
    'WhatsApp refuses messages to new contacts from this account at the moment (463, 475). Do not retry.',
  first_contacts_wait_too_long:
    'The account may not write to new people now, and this message has waited for a day, or 500 others wait before it. Nothing was sent. The `pace` of the connection says until when; then send it again.',
  refused_not_allowed:
    'WhatsApp does not let this account write there: it is not a member of the group, or only administrators may write.',
  refused_no_recipient: 'WhatsApp knows no such recipient or group any more. Check the address.',
  refused_too_fast: 'WhatsApp limits how fast this account may write (429). Send it again later, and more slowly.',
  refused:
    'WhatsApp refused the message. whatsappCode is its number; sent again unchanged it is likely to be refused again.',
  ...fileErrors,
  connection_deleted: 'The connection was deleted before the message could be sent.',
  connection_not_paired: 'The connection lost its linked account before the message could be sent.',
  expired: 'The message was not sent, because it could not leave before its expires_at.',
  expired_unacknowledged:
    'The message was tried, and WhatsApp had not acknowledged it at its expires_at. It may have arrived; it is not sent again.',
  too_many_attempts: 'The message was tried many times and WhatsApp never acknowledged it.',
} as const satisfies Record<string, string>;
export type SendErrorCode = keyof typeof sendErrors;

const codes = Object.keys(sendErrors) as [SendErrorCode, ...SendErrorCode[]];

/** A send error in the form in which a fact carries it and the API shows it. */
export const sendErrorSchema = z
  .object({
    code: z.enum(codes).meta({ description: 'Why the message failed, as a stable code.' }),
    sentence: z.string().meta({ description: 'What happened and what to do about it.' }),
    whatsappCode: z
      .number()
      .int()
      .optional()
      .meta({ description: 'The number that WhatsApp gave, where it refused something.', example: 404 }),
  })
  .meta({ id: 'MessageError' });
export type ShownSendError = z.infer<typeof sendErrorSchema>;

/** The reason why a message failed, as it is stored: the code, and the number that WhatsApp gave where it gave one. */
export interface SendError {
  readonly code: SendErrorCode;
  readonly whatsappCode?: number | undefined;
}

export function toShownError({ code, whatsappCode }: SendError): ShownSendError {
  return { code, sentence: sendErrors[code], ...(whatsappCode === undefined ? {} : { whatsappCode }) };
}
