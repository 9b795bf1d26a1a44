import { z } from 'zod';
import { contactSchema } from '../../message/party.ts';
import { actionRow } from '../actionRow.ts';

/** The greatest number of phone numbers in one request. WhatsApp is asked for 50 at a time. */
const MOST_NUMBERS = 1_000;

export const contactsCheck = actionRow({
  kind: 'contacts_check',
  method: 'POST',
  path: 'contacts/check',
  summary: 'Ask which phone numbers have a WhatsApp account, and under which address',
  description:
    `At most ${MOST_NUMBERS} numbers a call. Each is answered in the order of the request; one that is no phone number is named as such and costs the ` +
    'others nothing. `contact` is the account that WhatsApp names for the number, which may be written in another way. Its answers are ' +
    'kept: an account for 30 days, that there is none for one. It is asked for 50 numbers at a time, four times at once and then each two seconds, so 1,000 ' +
    'take half a minute; `progress` says how far it is. It limits such questions for each account: ask for whom you want to write to.',
  request: z.strictObject({
    contacts: z
      .array(z.string().min(1).max(64))
      .min(1)
      .max(MOST_NUMBERS)
      .meta({ description: 'Phone numbers in international form.' }),
  }),
  result: z.object({
    contacts: z.array(
      z.object({
        input: z.string().meta({ description: 'As it was asked for.' }),
        exists: z.boolean(),
        contact: contactSchema.optional().meta({ description: 'Whom to write to; present when `exists`.' }),
        problem: z
          .enum(['not_a_phone_number'])
          .optional()
          .meta({ description: 'Why WhatsApp was not asked for this one.' }),
      }),
    ),
  }),
  example: {
    request: { contacts: ['+49 151 23456789', '12'] },
    result: {
      contacts: [
        {
          input: '+49 151 23456789',
          exists: true,
          contact: { id: '236471520047@lid', phoneNumber: '+4915123456789', lid: '236471520047@lid' },
        },
        { input: '12', exists: false, problem: 'not_a_phone_number' },
      ],
    },
  },
  effect: 'repeatable',
  deadlineMs: 16_000,
  // WhatsApp's own limit is not known. A phone that reads a new address book asks for a few hundred numbers once.
  budget: { burst: 4, perSecond: 0.5 },
  access: 'tenant',
});
